internal import ControlAPI
internal import FoundationEssentials
internal import HTTPTypes
internal import IncidentCore
internal import Ledger
internal import Platform

/// Has jobs carried out, each in a process of its own, and their results recorded.
struct JobCenter: Sendable {
    let site: SiteState
    let parent: ParentLink
    let runs: RunRegistry
    let jobs: JobService
    let drills: DrillService
    let watch: WatchLink
    let layout: StateLayout
    /// Called after a result that may have changed an incident.
    let incidentsChanged: @Sendable () async -> Void

    // MARK: Starting

    /// Starts a backup job.
    ///
    /// - Returns: The run to follow: a new one, or the one under way.
    /// - Throws: `IncidentError` for an unknown job.
    func startBackup(_ name: String, by actor: Actor, missed: Int = 0) async throws -> RunAnswer {
        let order = try BackupOrder(job: name, of: site.configuration, hostname: hostName())
        guard let run = try await begin(.backup, name, by: actor, missed: missed) else { return try await current(.backup, name) }
        Task {
            let started = Timestamp.now()
            let result: BackupResult
            do {
                guard case .backup(let done) = try await work(.backupJob, .backup(order), run: run.id) else { throw Self.mixedUp }
                result = done
            } catch {
                result = .failed(order, started: started, ended: .now(), because: FailureText(error))
            }
            await conclude(run, result, failure: result.outcome == .failed ? result.targets.first?.failure : nil) {
                try await jobs.record(result)
            }
        }
        return run
    }

    /// Starts a drill.
    func startDrill(_ name: String, by actor: Actor, missed: Int = 0) async throws -> RunAnswer {
        let order = try DrillOrder(drill: name, of: site.configuration, hostname: hostName(), scratch: layout.scratch)
        guard let run = try await begin(.drill, name, by: actor, missed: missed) else { return try await current(.drill, name) }
        Task {
            let started = Timestamp.now()
            let result: DrillResult
            do {
                guard case .drill(let done) = try await work(.restoreJob, .drill(order), run: run.id) else { throw Self.mixedUp }
                result = done
            } catch {
                result = .failed(order, started: started, ended: .now(), because: FailureText(error))
            }
            await conclude(run, result, failure: nil) { try await drills.record(result) }
        }
        return run
    }

    /// Starts a full scan of everything that is watched.
    func startScan(by actor: Actor, missed: Int = 0) async throws -> RunAnswer {
        guard let run = try await begin(.scan, "integrity", by: actor, missed: missed) else { return try await current(.scan, "integrity") }
        Task {
            do {
                guard case .scanned(let files, let unreadable, let changes) = try await watch.ask(.scan) else { throw Self.mixedUp }
                await runs.finish(run.id, result: "{\"changes\":\(changes),\"files\":\(files),\"unreadable\":\(unreadable)}")
            } catch {
                await runs.fail(run.id, ControlFailure(error))
            }
        }
        return run
    }

    /// Notes a new run, in the ledger too; nil when one of that kind and name is under way.
    private func begin(_ kind: JobKind, _ name: String, by actor: Actor, missed: Int) async throws -> RunAnswer? {
        guard let run = await runs.begin(kind: kind.rawValue, subject: name) else { return nil }
        do {
            try await jobs.begin(kind, name, by: actor, missed: missed)
            return run
        } catch {
            await runs.fail(run.id, ControlFailure(error))
            throw error
        }
    }

    /// The run that is under way: whoever asks for the same work follows it.
    private func current(_ kind: JobKind, _ name: String) async throws -> RunAnswer {
        guard let run = await runs.current(kind: kind.rawValue, subject: name) else {
            throw ControlRefusal(
                vi: "'\(escapedForDisplay(name))' vừa kết thúc", en: "'\(escapedForDisplay(name))' has just ended",
                hint: Phrase(vi: "chạy lại lệnh", en: "run the command again"), .refused, .conflict)
        }
        return run
    }

    // MARK: The job process

    /// Runs one order in a process of its own and returns its last report.
    private func work(_ role: ProcessRole, _ order: JobOrder, run: String) async throws -> JobReport {
        let worker = try await parent.start(role)
        let link = try Link<JobReport>(worker.channel, name: "job-link")
        try link.send(setup(order))
        var last: JobReport?
        for await arrival in link.arrivals {
            if case .progress(let fraction, let activity) = arrival.value {
                await runs.progress(run, fraction, activity)
            } else {
                last = arrival.value
            }
        }
        let status = await parent.end(of: worker)
        switch last {
        case .failed(let failure): throw failure
        case .some(let report): return report
        case nil:
            throw DaemonError(
                message: Phrase(
                    vi: "tiến trình công việc dừng giữa chừng (mã \(status))", en: "the job process died (status \(status))"),
                hint: Phrase(vi: "xem nhật ký dịch vụ; chạy lại công việc", en: "see the service's journal; run the job again"), isPermanent: false)
        }
    }

    private func setup(_ order: JobOrder) -> JobSetup {
        JobSetup(
            order: order,
            passwords: site.configuration.backup.repositories.map { setting in
                switch setting.password {
                case .credential(let name): JobSetup.Password(repository: setting.name, source: name, isFile: false)
                case .file(let path): JobSetup.Password(repository: setting.name, source: path.utf8 ?? "", isFile: true)
                }
            }, keys: layout.keys.utf8 ?? "")
    }

    /// Records a result until it is in the ledger: what a job did must not be forgotten because the disk was full for a minute.
    private func conclude(
        _ run: RunAnswer, _ result: some Encodable & Sendable, failure: FailureText?, record: () async throws -> [FindingOutcome]
    ) async {
        var pauseSeconds = 0.5
        while true {
            do {
                _ = try await record()
                break
            } catch {
                Journal.report("core", error)
                // Nothing cancels this task; a shortened pause would only try sooner.
                try? await Task.sleep(for: .seconds(pauseSeconds))
                pauseSeconds = min(30, pauseSeconds * 2)
            }
        }
        await incidentsChanged()
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            await runs.finish(run.id, result: String(decoding: try encoder.encode(result), as: UTF8.self))
            if let failure { await runs.fail(run.id, ControlFailure(JobFailure(failure))) }
        } catch {
            await runs.fail(run.id, ControlFailure(error))
        }
    }

    private static let mixedUp = DaemonError(
        message: Phrase(vi: "tiến trình công việc trả lời sai loại", en: "the job process gave an answer of another kind"), hint: nil,
        isPermanent: false)
}

/// A job that failed, in its own words.
struct JobFailure: ExplainedError {
    let message: Phrase
    let hint: Phrase?

    init(_ failure: FailureText) {
        message = failure.message
        hint = failure.hint
    }
}
