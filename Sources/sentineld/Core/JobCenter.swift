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
    let repositories: RepositoryService
    let gate: RepositoryGate
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
        var known: [String: [String]] = [:]
        for repository in site.configuration.backup.job(named: name)?.repositories ?? [] {
            known[repository] = try await repositories.known(in: repository)
        }
        let order = try BackupOrder(
            job: name, of: site.configuration, hostname: hostName(), alarm: await repositories.alarm(), known: known)
        guard let run = try await begin(.backup, name, by: actor, missed: missed) else { return try await current(.backup, name) }
        Task {
            let started = Timestamp.now()
            let names = order.targets.map(\.repository)
            let result: BackupResult = await gate.run(names, alone: false) {
                do {
                    guard case .backup(let done) = try await work(.backupJob, .backup(order), run: run.id) else { throw Self.mixedUp }
                    return done
                } catch {
                    return .failed(order, started: started, ended: .now(), because: FailureText(error))
                }
            }
            await conclude(run, result.summary, failure: result.outcome == .failed ? result.targets.first?.failure : nil) {
                _ = try await jobs.record(result)
            }
            await retain(after: result)
        }
        return run
    }

    /// Starts a drill.
    func startDrill(_ name: String, by actor: Actor, missed: Int = 0) async throws -> RunAnswer {
        let order = try DrillOrder(drill: name, of: site.configuration, hostname: hostName(), scratch: layout.scratch)
        guard let run = try await begin(.drill, name, by: actor, missed: missed) else { return try await current(.drill, name) }
        Task {
            let started = Timestamp.now()
            let result: DrillResult = await gate.run([order.repository], alone: false) {
                do {
                    guard case .drill(let done) = try await work(.restoreJob, .drill(order), run: run.id) else { throw Self.mixedUp }
                    return done
                } catch {
                    return .failed(order, started: started, ended: .now(), because: FailureText(error))
                }
            }
            await conclude(run, result, failure: nil) { _ = try await drills.record(result) }
        }
        return run
    }

    /// Starts forgetting and pruning in one repository.
    ///
    /// - Throws: `IncidentError` for an unknown repository and for one that takes no deletion from here; ``ControlRefusal`` when
    ///   something else is under way there and `scope` names snapshots.
    func startUpkeep(
        _ name: String, _ scope: ForgetScope, prunes: Bool, isDryRun: Bool = false, by actor: Actor, missed: Int = 0
    ) async throws -> RunAnswer {
        let setting = try repositories.requireDeletable(name)
        let kind: JobKind = prunes ? .prune : .forget
        let order = UpkeepOrder(
            repository: try RepositoryReference(setting), known: try await repositories.known(in: name), forgets: scope != .nothing,
            prunes: prunes, isDryRun: isDryRun)
        guard let run = try await begin(kind, name, by: actor, missed: missed) else {
            if case .policy = scope { return try await current(kind, name) }
            throw ControlRefusal(
                vi: "kho '\(escapedForDisplay(name))' đang được bảo trì", en: "an upkeep of repository '\(escapedForDisplay(name))' is under way",
                hint: Phrase(vi: "chạy lại sau khi xong", en: "run it again when it is done"), .refused, .conflict)
        }
        let session = UpkeepSession(
            repositories: repositories, repository: name, scope: scope, isDryRun: isDryRun, actor: actor, incidentsChanged: incidentsChanged)
        Task {
            let started = Timestamp.now()
            let result: UpkeepResult = await gate.run([name], alone: true) {
                do {
                    let report = try await work(.backupJob, .upkeep(order), run: run.id) { await session.answer($0) }
                    guard case .upkeep(let done) = report else { throw Self.mixedUp }
                    return done
                } catch {
                    return .failed(order, started: started, ended: .now(), because: FailureText(error))
                }
            }
            await conclude(run, result, failure: result.failure) { _ = try await repositories.record(result, by: actor) }
        }
        return run
    }

    /// After a backup: forgets what the job's policy no longer keeps, where there is such a thing.
    private func retain(after result: BackupResult) async {
        guard let job = site.configuration.backup.job(named: result.job), job.retention != nil else { return }
        for target in result.targets where target.outcome != .failed {
            do {
                let scope = ForgetScope.policy(jobs: [job.name])
                if try await repositories.plan(scope, repository: target.repository).isEmpty { continue }
                _ = try await startUpkeep(target.repository, scope, prunes: false, by: .system("retention"))
            } catch {
                // The next backup tries again; what stays too long costs space, not safety.
                Journal.report("core", error)
            }
        }
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
    private func work(
        _ role: ProcessRole, _ order: JobOrder, run: String, answering: (UpkeepQuestion) async -> UpkeepAnswer = { _ in .failed(noAnswer) }
    ) async throws -> JobReport {
        let worker = try await parent.start(role)
        let link = try Link<JobReport>(worker.channel, name: "job-link")
        try link.send(setup(order))
        var last: JobReport?
        for await arrival in link.arrivals {
            switch arrival.value {
            case .progress(let fraction, let activity): await runs.progress(run, fraction, activity)
            case .question(let question): try link.send(await answering(question))
            default: last = arrival.value
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
            secrets: site.configuration.backup.repositories.flatMap { setting in
                [JobSetup.Secret(setting.password, of: setting.name, .password)]
                    + (setting.credential.map { [JobSetup.Secret($0, of: setting.name, .credential)] } ?? [])
            }, keys: layout.keys.utf8 ?? "")
    }

    /// Records a result until it is in the ledger: what a job did must not be forgotten because the disk was full for a minute.
    private func conclude(
        _ run: RunAnswer, _ result: some Encodable & Sendable, failure: FailureText?, record: () async throws -> Void
    ) async {
        var pauseSeconds = 0.5
        while true {
            do {
                try await record()
                break
            } catch {
                Journal.report("core", error)
                // Nothing cancels this task; a shortened pause would only try sooner.
                try? await Task.sleep(for: .seconds(pauseSeconds))
                pauseSeconds = min(30, pauseSeconds * 2)
            }
        }
        await incidentsChanged()
        await publishRepositories()
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            await runs.finish(run.id, result: String(decoding: try encoder.encode(result), as: UTF8.self))
            if let failure { await runs.fail(run.id, ControlFailure(JobFailure(failure))) }
        } catch {
            await runs.fail(run.id, ControlFailure(error))
        }
    }

    /// Writes down which repositories are ours, for commands that run without the daemon.
    func publishRepositories() async {
        do {
            let known = try await repositories.knownRepositories()
            let path = layout.repositories
            try await OwnThread.run(name: "repositories") {
                if try KnownRepositories.load(path) != known { try known.save(path) }
            }
        } catch {
            Journal.report("core", error)
        }
    }

    private static let noAnswer = FailureText(
        message: Phrase(vi: "việc này không được hỏi gì", en: "this work has no questions to ask"), hint: nil)

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
