package import Ledger
package import Platform

/// Records what jobs did and what follows from it. The work itself is done in the job process.
package struct JobService: Sendable {
    private let incidents: IncidentService
    private let repositories: RepositoryService
    private var ledger: Ledger { incidents.ledger }

    package init(incidents: IncidentService, repositories: RepositoryService? = nil) {
        self.incidents = incidents
        self.repositories = repositories ?? RepositoryService(incidents: incidents)
    }

    // MARK: Recording

    /// Notes that a run begins; the schedule counts from here.
    ///
    /// - Parameter trigger: `schedule`, or the person who asked for it, as actor.
    package func begin(_ kind: JobKind, _ name: String, by actor: Actor, missed: Int = 0) async throws {
        let moment = incidents.now
        _ = try await ledger.commit { transaction in
            try transaction.append(
                EventDraft(
                    kind: EventKind.jobStarted, subject: bounded(name, 128), actor: actor, moment: moment,
                    facts: [
                        "kind": JSONValue(kind.rawValue), "trigger": actor.kind == .person ? "person" : "schedule",
                        "missed": JSONValue(missed),
                    ]))
        }
    }

    /// Records a backup: one event for each repository, and in the same transaction what the findings lead to.
    @discardableResult
    package func record(_ result: BackupResult, by actor: Actor = .system("job")) async throws -> [FindingOutcome] {
        let findings = BackupFindings.of(result, now: incidents.now)
        let prepared = try await incidents.prepare(findings)
        let intake = incidents.intake
        let ended = Timestamp(rfc3339: result.ended) ?? incidents.now
        let sights = result.targets.compactMap { target -> (RepositoryRecorder, RepositoryRecorder.Made?)? in
            guard let observation = target.sight else { return nil }
            repositories.measure(observation)
            let made = target.snapshot.map {
                RepositoryRecorder.Made(
                    snapshot: $0, job: result.job, started: Timestamp(rfc3339: result.started) ?? ended, isIncomplete: target.outcome == .incomplete)
            }
            return (repositories.recorder(of: observation), made)
        }
        return try await ledger.commit { transaction in
            // The job process may hand the same result over twice; a run is recorded once.
            if let fingerprint = findings.first?.fingerprint, try intake.recorded(fingerprint, in: transaction.database) != nil {
                return try prepared.map { try intake.report($0, in: transaction) }
            }
            for target in result.targets {
                try transaction.append(Self.draft(of: target, result, ended: ended, by: actor))
            }
            let outcomes = try prepared.map { try intake.report($0, in: transaction) }
            return try outcomes
                + sights.flatMap { recorder, made in
                    try recorder.record(made: made, in: transaction).map {
                        try intake.report(FindingIntake.Prepared(finding: $0, batch: nil), in: transaction)
                    }
                }
        }
    }

    private static func draft(
        of target: BackupResult.Target, _ result: BackupResult, ended: Timestamp, by actor: Actor
    ) -> EventDraft {
        var facts: [String: JSONValue] = [
            "repository": JSONValue(bounded(target.repository, 128)), "outcome": JSONValue(target.outcome.rawValue),
            "files": JSONValue(target.files), "filesNew": JSONValue(target.filesNew),
            "filesChanged": JSONValue(target.filesChanged), "bytes": JSONValue(target.bytes),
            "added": JSONValue(target.bytesAdded), "stored": JSONValue(target.bytesStored),
            "unreadable": JSONValue(target.unreadable), "durationMilliseconds": JSONValue(target.durationMilliseconds),
        ]
        if let started = Timestamp(rfc3339: result.started) { facts["started"] = JSONValue(started.millisecondsSinceEpoch) }
        if let snapshot = target.snapshot { facts["snapshot"] = JSONValue(bounded(snapshot, 64)) }
        if let tree = target.tree { facts["tree"] = JSONValue(bounded(tree, 64)) }
        if let time = target.time.flatMap({ Timestamp(rfc3339: $0) }) { facts["taken"] = JSONValue(time.millisecondsSinceEpoch) }
        if let failure = target.failure { facts["failure"] = failure.message.json(limit: 400) }
        var texts: [String: String] = [:]
        if !target.unreadableFirst.isEmpty {
            texts["paths"] = target.unreadableFirst.map(\.path).joined(separator: "\n")
        }
        return EventDraft(
            kind: EventKind.jobFinished, subject: bounded(result.job, 128), actor: actor, moment: ended, facts: facts, texts: texts)
    }

    /// Reports the jobs whose newest good snapshot is older than promised, once for each lapse. Call it every few minutes.
    @discardableResult
    package func checkObjectives() async throws -> [FindingOutcome] {
        let jobs = incidents.policy.configuration.backup.jobs
        let moment = incidents.now
        let since = try await installedSince() ?? moment
        let findings = try await ledger.read { database in
            try jobs.compactMap { job -> Finding? in
                guard let objective = job.objectives.recoveryPointSeconds else { return nil }
                let newest = try JobTable.newestComplete(of: job.name, in: database)
                let base = newest?.taken ?? since
                let age = moment.seconds - base.seconds
                guard age > Int64(objective) else { return nil }
                return BackupFindings.overdue(job, newest: newest, ageSeconds: age, now: moment)
            }
        }
        return try await incidents.report(findings)
    }

    // MARK: Looking

    /// When each job last began.
    package func lastStarts() async throws -> [JobKey: Timestamp] {
        try await ledger.read { try JobTable.lastStarts(in: $0) }
    }

    /// When this installation began: the first event of its ledger.
    package func installedSince() async throws -> Timestamp? {
        try await ledger.events(after: -1, limit: 1).first?.moment
    }

    /// All backup jobs of the configuration.
    package func jobs() async throws -> [JobView] {
        let configuration = incidents.policy.configuration
        let moment = incidents.now
        return try await ledger.read { try Self.views(configuration, now: moment, in: $0) }
    }

    /// The newest runs of one job.
    ///
    /// - Throws: `.notFound` for an unknown job.
    package func runs(of job: String, limit: Int = 50) async throws -> [JobRunView] {
        let known = incidents.policy.configuration.backup.jobs.map(\.name)
        if !known.contains(job) {
            throw IncidentService.unknown(Phrase(vi: "việc sao lưu", en: "backup job"), job, among: known)
        }
        return try await ledger.read { try JobTable.runs(of: job, limit: min(max(limit, 1), JobProjection.keptRuns), in: $0) }
    }

    static func views(_ configuration: Configuration, now: Timestamp, in database: Database) throws -> [JobView] {
        let starts = try JobTable.lastStarts(in: database)
        let held = Set(try Holds.list(includingReleased: false, in: database).map(\.job))
        let waiting = Dictionary(grouping: try ReceiptTable.waiting(job: nil, in: database), by: { $0.job ?? "" })
        return try configuration.backup.jobs.map { job in
            let newest = try JobTable.newestComplete(of: job.name, in: database)
            let age = newest.map { max(0, now.seconds - $0.taken.seconds) }
            let state: RecoveryPointState =
                if let objective = job.objectives.recoveryPointSeconds {
                    age.map { $0 <= Int64(objective) ? .withinObjective : .exceeded } ?? .none
                } else {
                    newest == nil ? .none : .noObjective
                }
            return JobView(
                name: job.name, asset: job.asset, repositories: job.repositories, schedule: job.schedule?.description,
                nextRun: job.schedule.map {
                    viewTime($0.next(after: max(now, starts[JobKey(kind: .backup, name: job.name)] ?? now)))
                },
                recoveryPoint: state, recoveryPointObjectiveSeconds: job.objectives.recoveryPointSeconds,
                recoveryTimeObjectiveSeconds: job.objectives.recoveryTimeSeconds, newestSnapshot: newest.map { viewTime($0.taken) },
                newestSnapshotAgeSeconds: age, lastRuns: try JobTable.lastRuns(of: job.name, in: database),
                isHeld: held.contains(job.name), keep: job.retention?.text, waitingSnapshots: waiting[job.name]?.count ?? 0)
        }
    }
}

extension BackupResult.Target {
    /// What was seen in the repository. The snapshot that was made is part of it, also when nothing could be listed.
    fileprivate var sight: RepositoryObservation? {
        guard let snapshot, let tree, let time = time.flatMap({ Timestamp(rfc3339: $0) }) else { return observation }
        var sight = observation ?? RepositoryObservation(repository: repository, repositoryID: "", snapshots: [], unknown: [])
        sight.isPartial = observation == nil
        if !sight.unknown.contains(where: { $0.id == snapshot }) {
            sight.unknown.append(
                SnapshotFacts(
                    id: snapshot, original: snapshot, tree: tree, takenMilliseconds: time.millisecondsSinceEpoch, files: files, bytes: bytes,
                    added: bytesAdded, stored: bytesStored))
        }
        return sight
    }
}
