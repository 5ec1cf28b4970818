internal import ControlAPI
internal import IncidentCore
internal import Ledger
internal import Platform

/// Starts what is due: backups, drills, rescans.
struct ScheduleLoop: Sendable {
    private static let pauseSeconds = 5.0

    let site: SiteState
    let center: JobCenter
    let jobs: JobService
    let runs: RunRegistry

    /// Runs until the task is cancelled.
    func run() async throws {
        while true {
            do {
                try await startDue()
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                Journal.report("core", error)
            }
            try await Task.sleep(for: .seconds(Self.pauseSeconds))
        }
    }

    private func startDue() async throws {
        let now = Timestamp.now()
        let running = await runs.running.compactMap { run in
            JobKind(rawValue: run.kind).map { JobKey(kind: $0, name: run.subject) }
        }
        let due = JobScheduler(site.configuration).due(
            lastStarts: try await jobs.lastStarts(), running: Set(running), since: try await jobs.installedSince() ?? now, now: now)
        for job in due {
            switch job.kind {
            case .backup: _ = try await center.startBackup(job.name, by: .system("schedule"), missed: job.missed)
            case .drill: _ = try await center.startDrill(job.name, by: .system("schedule"), missed: job.missed)
            case .prune:
                _ = try await center.startUpkeep(
                    job.name, .policy(jobs: nil), prunes: true, by: .system("schedule"), missed: job.missed)
            case .forget: continue
            case .scan: _ = try await center.startScan(by: .system("schedule"), missed: job.missed)
            }
        }
    }
}
