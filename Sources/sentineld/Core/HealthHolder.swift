internal import ControlAPI
internal import HealthEngine
internal import IncidentCore
internal import Platform

/// Runs the health service of the configuration in force; a reload replaces it and keeps what was known.
actor HealthHolder {
    private var service: HealthService?
    private var task: Task<Void, any Error>?

    /// Runs until cancelled, one service after the other.
    func run(core: Core) async throws {
        while !Task.isCancelled {
            let known = await service?.states() ?? [:]
            let next = HealthService(core.site.configuration.health, commands: core.commands, known: known, findings: core.findings)
            service = next
            let running = Task {
                try await next.run()
                // Without checks there is nothing to do until a reload.
                while true { try await Task.sleep(for: .seconds(3600)) }
            }
            task = running
            do {
                try await withTaskCancellationHandler {
                    try await running.value
                } onCancel: {
                    running.cancel()
                }
            } catch is CancellationError {
                // A reload, or the end; the loop's condition tells.
                continue
            }
        }
    }

    func restart() { task?.cancel() }

    func answers() async -> [HealthAnswer] { await service?.answers() ?? [] }
}
