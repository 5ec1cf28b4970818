internal import IncidentCore
internal import Platform

/// Where the detectors of the core hand in what they see. A finding is not dropped: it is tried again until it is in the ledger.
struct FindingSink: Sendable {
    let incidents: IncidentService
    /// Called after findings that changed an incident.
    let incidentsChanged: @Sendable () async -> Void

    /// Returns when the findings are durable, or the task is cancelled.
    ///
    /// - Returns: False when it was cancelled before.
    @discardableResult
    func report(_ findings: [Finding]) async -> Bool {
        var pauseSeconds = 0.5
        while !Task.isCancelled {
            do {
                let outcomes = try await incidents.report(findings)
                if outcomes.contains(where: { ![.repeated, .recorded].contains($0.effect) }) { await incidentsChanged() }
                return true
            } catch {
                Journal.report("core", error)
                // Cancellation ends the pause at once, and the loop with it.
                try? await Task.sleep(for: .seconds(pauseSeconds))
                pauseSeconds = min(30, pauseSeconds * 2)
            }
        }
        return false
    }
}
