package import Ledger
package import Platform

/// What a person or a schedule wants forgotten in one repository.
package enum ForgetScope: Sendable, Equatable {
    /// Whatever the policies of these jobs no longer keep; nil: of all jobs that store there.
    case policy(jobs: [String]?)
    /// These, by the first digits of their IDs.
    case snapshots([String])
    /// Nothing: only prune.
    case nothing
}

/// One snapshot that may go, and why.
package struct PlannedRemoval: Sendable, Equatable {
    package var snapshot: String
    package var reason: Phrase
}

/// Repositories in the record: receipts, retention, holds before deletion, what people say of doubtful snapshots.
///
/// Each call is one ledger transaction. The work itself is done in the job process.
package struct RepositoryService: Sendable {
    let incidents: IncidentService
    let history: SpaceHistory?
    var ledger: Ledger { incidents.ledger }
    var backup: BackupSettings { incidents.policy.configuration.backup }

    /// - Parameter history: Where measurements go; nil: they are not kept.
    package init(incidents: IncidentService, history: SpaceHistory? = nil) {
        self.incidents = incidents
        self.history = history
    }

    // MARK: Before a job

    /// The setting of a repository that may be deleted from.
    ///
    /// - Throws: `.notFound`; `.refused` for one that takes no deletion from this host.
    package func requireDeletable(_ name: String) throws -> RepositorySetting {
        guard let setting = backup.repository(named: name) else {
            throw IncidentService.unknown(Phrase(vi: "kho sao lưu", en: "repository"), name, among: backup.repositories.map(\.name))
        }
        if setting.isAppendOnly { throw Self.appendOnly(name) }
        return setting
    }

    /// The refusal for a repository that is only ever added to.
    package static func appendOnly(_ name: String) -> IncidentError {
        IncidentError(
            .refused,
            Phrase(
                vi: "kho '\(escapedForDisplay(name))' chỉ ghi thêm: không xóa được từ máy này",
                en: "repository '\(escapedForDisplay(name))' is append-only: nothing is deleted from it on this host"),
            hint: Phrase(
                vi: "dọn kho ở phía lưu trữ theo docs/append-only.md", en: "prune it on the storage side, see docs/append-only.md"))
    }

    /// Snapshots of a repository that the record knows.
    package func known(in repository: String) async throws -> [String] {
        try await ledger.read { Array(try ReceiptTable.known(in: repository, database: $0).keys) }
    }

    /// The alarm that is open now; nil when there is none.
    package func alarm() async throws -> String? { try await ledger.read { try Alarm.current(in: $0) } }

    // MARK: Observations

    /// Takes what the job process saw into the record.
    @discardableResult
    package func record(_ observation: RepositoryObservation) async throws -> [FindingOutcome] {
        measure(observation)
        let recorder = recorder(of: observation)
        let intake = incidents.intake
        return try await ledger.commit { transaction in
            try recorder.record(made: nil, in: transaction).map {
                try intake.report(FindingIntake.Prepared(finding: $0, batch: nil), in: transaction)
            }
        }
    }

    func recorder(of observation: RepositoryObservation) -> RepositoryRecorder {
        let backup = backup
        return RepositoryRecorder(
            observation: observation, location: backup.repository(named: observation.repository)?.location ?? "",
            jobs: backup.jobs.filter { $0.repositories.contains(observation.repository) }, now: incidents.now)
    }

    /// Keeps the measurement. It is no part of the record: a full or damaged history costs a trend, never a receipt.
    func measure(_ observation: RepositoryObservation) {
        guard let history, let space = observation.space else { return }
        do {
            try history.add(space, of: observation.repository, at: incidents.now)
        } catch {
            // The next job measures again.
        }
    }

    // MARK: Retention

    /// What retention says about every snapshot of a repository.
    package func verdicts(repository: String) async throws -> [RetentionVerdict] {
        let backup = backup
        let now = incidents.now
        return try await ledger.read { try Self.verdicts(repository, jobs: nil, backup, now, in: $0) }
    }

    private static func verdicts(
        _ repository: String, jobs: [String]?, _ backup: BackupSettings, _ now: Timestamp, in database: Database
    ) throws -> [RetentionVerdict] {
        let alarm = try Alarm.current(in: database)
        return try backup.jobs.filter { $0.repositories.contains(repository) && jobs?.contains($0.name) ?? true }.flatMap { job in
            guard let retention = job.retention else { return [RetentionVerdict]() }
            return RetentionDecision.verdicts(
                try ReceiptTable.present(in: repository, job: job.name, database: database), keep: retention, alarm: alarm, now: now)
        }
    }

    /// What may be removed now. A hold may still forbid it when the moment comes.
    package func plan(_ scope: ForgetScope, repository: String) async throws -> [PlannedRemoval] {
        guard let setting = backup.repository(named: repository), !setting.isAppendOnly else { return [] }
        switch scope {
        case .nothing: return []
        case .snapshots(let prefixes):
            let reason = Phrase(vi: "theo yêu cầu của một người", en: "asked for by a person")
            return try await resolve(prefixes, repository: repository).map { PlannedRemoval(snapshot: $0, reason: reason) }
        case .policy(let jobs):
            let backup = backup
            let now = incidents.now
            return try await ledger.read { database in
                let verdicts = try Self.verdicts(repository, jobs: jobs, backup, now, in: database).filter { !$0.isKept }
                let present = try ReceiptTable.present(in: repository, database: database)
                // What is held now need not be asked for: it would only be refused.
                return try verdicts.filter { verdict in
                    guard let question = present.first(where: { $0.snapshot == verdict.snapshot })?.question else { return false }
                    return try Holds.covering(question, in: database).isEmpty
                }.map { PlannedRemoval(snapshot: $0.snapshot, reason: $0.reason) }
            }
        }
    }

    /// The full IDs of the snapshots that `prefixes` name.
    ///
    /// - Throws: `.notFound`, `.invalidArgument` for a prefix of several.
    package func resolve(_ prefixes: [String], repository: String) async throws -> [String] {
        let present = try await ledger.read { try ReceiptTable.present(in: repository, database: $0) }
        return try Self.resolve(prefixes, among: present)
    }

    static func resolve(_ prefixes: [String], among receipts: [Receipt]) throws -> [String] {
        try prefixes.map { prefix in
            let matches = Set(receipts.map(\.snapshot).filter { !prefix.isEmpty && $0.hasPrefix(prefix.lowercased()) })
            let shown = escapedForDisplay(bounded(prefix, 64))
            guard let first = matches.first else {
                throw IncidentError(
                    .notFound, Phrase(vi: "không có bản sao lưu '\(shown)'", en: "there is no snapshot '\(shown)'"),
                    hint: Phrase(vi: "xem 'sentinelctl backup snapshots'", en: "see 'sentinelctl backup snapshots'"))
            }
            if matches.count > 1 {
                throw IncidentError(
                    .invalidArgument, Phrase(vi: "'\(shown)' chỉ đến nhiều bản", en: "'\(shown)' means several snapshots"),
                    hint: Phrase(vi: "gõ thêm chữ số của mã", en: "give more digits of the ID"))
            }
            return first
        }
    }

    /// Decides about one removal, at the moment it is to happen, and records the decision. The ledger's own order settles who
    /// was first: a hold placed before this wins, one placed after it comes too late.
    ///
    /// - Parameter isByPolicy: Then an alarm forbids it too.
    /// - Returns: Why not; nil: it is permitted, and stands in the record.
    package func permit(_ removal: PlannedRemoval, repository: String, isByPolicy: Bool, by actor: Actor) async throws -> Phrase? {
        let moment = incidents.now
        return try await ledger.commit { transaction in
            let database = transaction.database
            let receipt = try ReceiptTable.present(in: repository, database: database).first { $0.snapshot == removal.snapshot }
            guard let receipt, let question = receipt.question else {
                return Phrase(vi: "sổ cái không biết bản này", en: "the record does not know this snapshot")
            }
            if let hold = try Holds.covering(question, in: database).first {
                return Phrase(vi: "bị giữ theo \(hold.id): \(hold.reason.vi)", en: "held by \(hold.id): \(hold.reason.en)")
            }
            if isByPolicy, let alarm = try Alarm.current(in: database) {
                return Phrase(vi: "đang có báo động \(alarm)", en: "alarm \(alarm) is open")
            }
            try transaction.append(
                EventDraft(
                    kind: EventKind.snapshotForgotten, subject: bounded(repository, 128), actor: actor, moment: moment,
                    facts: [
                        "snapshot": JSONValue(receipt.snapshot), "original": JSONValue(receipt.original), "tree": JSONValue(receipt.tree),
                        "job": JSONValue(receipt.job.map { bounded($0, 128) }), "received": JSONValue(receipt.received.millisecondsSinceEpoch),
                        "reason": removal.reason.json(limit: 400),
                    ]))
            return nil
        }
    }

    /// Records how an upkeep ended.
    @discardableResult
    package func record(_ result: UpkeepResult, by actor: Actor) async throws -> [FindingOutcome] {
        if result.isDryRun { return [] }
        let moment = incidents.now
        let intake = incidents.intake
        let key = RepositoryFindings.upkeepKey(result.repository)
        return try await ledger.commit { transaction in
            var facts: [String: JSONValue] = [
                "forgets": JSONValue(result.forgets), "prunes": JSONValue(result.prunes), "removed": JSONValue(result.removed.count),
                "held": JSONValue(result.kept.count), "bytesRemoved": JSONValue(result.bytesRemoved),
                "bytesRewritten": JSONValue(result.bytesRewritten),
            ]
            if let failure = result.failure { facts["failure"] = failure.message.json(limit: 400) }
            try transaction.append(
                EventDraft(
                    kind: EventKind.upkeepFinished, subject: bounded(result.repository, 128), actor: actor, moment: moment, facts: facts))
            // Somebody else at work is no fault of the repository: the next time will do.
            if result.isLocked { return [] }
            let isActive = try FindingTable.isActive(key, in: transaction.database)
            if result.failure == nil, !isActive { return [] }
            let kind = result.failure == nil ? FindingKind.upkeepSucceeded : FindingKind.upkeepFailed
            let reason = result.failure?.message ?? Phrase(vi: "xong", en: "done")
            let finding = Finding(
                source: "backup", kind: kind, severity: .low, condition: result.failure == nil ? .cleared : .active, key: key,
                subject: result.repository,
                summary: Phrase(vi: "bảo trì kho '\(result.repository)': \(reason.vi)", en: "upkeep of '\(result.repository)': \(reason.en)"),
                moment: moment, fingerprint: "\(kind):\(bounded(result.repository, 48)):\(moment.millisecondsSinceEpoch)")
            return [try intake.report(FindingIntake.Prepared(finding: finding, batch: nil), in: transaction)]
        }
    }

    // MARK: A person's word

    /// Says that doubtful snapshots are good, or that they are none.
    ///
    /// - Parameter snapshots: Prefixes of IDs; empty: all of the job that wait.
    /// - Returns: The snapshots that were judged.
    /// - Throws: `.notFound`, `.refused` when nothing waits.
    package func judge(
        _ snapshots: [String], of job: String, isGood: Bool, note: String?, by responder: Responder
    ) async throws -> [SnapshotView] {
        let backup = backup
        guard let setting = backup.job(named: job) else {
            throw IncidentService.unknown(Phrase(vi: "việc sao lưu", en: "backup job"), job, among: backup.jobs.map(\.name))
        }
        if !isGood, note?.isEmpty ?? true { throw IncidentError.missingNote(Phrase(vi: "loại một bản sao lưu", en: "reject a snapshot")) }
        let moment = incidents.now
        let intake = incidents.intake
        return try await ledger.commit { transaction in
            let database = transaction.database
            let waiting = try ReceiptTable.waiting(job: job, in: database)
            if waiting.isEmpty, snapshots.isEmpty {
                throw IncidentError(
                    .refused, Phrase(vi: "không có bản nào của '\(job)' chờ xác nhận", en: "no snapshot of '\(job)' waits for a word"))
            }
            let all = try setting.repositories.flatMap { try ReceiptTable.present(in: $0, job: job, database: database) }
            let ids = snapshots.isEmpty ? Set(waiting.map(\.snapshot)) : Set(try Self.resolve(snapshots, among: all))
            let chosen = all.filter { ids.contains($0.snapshot) }
            for (repository, receipts) in Dictionary(grouping: chosen, by: \.repository).sorted(by: { $0.key < $1.key }) {
                for start in stride(from: 0, to: receipts.count, by: 32) {
                    let part = receipts[start..<min(start + 32, receipts.count)]
                    try transaction.append(
                        EventDraft(
                            kind: isGood ? EventKind.snapshotApproved : EventKind.snapshotRejected, subject: repository,
                            actor: responder.actor, moment: moment,
                            facts: ["job": JSONValue(bounded(job, 128)), "snapshots": .array(part.map { JSONValue($0.snapshot) })],
                            texts: note.map { ["note": bounded($0, 2000)] } ?? [:]))
                }
            }
            let key = RepositoryFindings.waitingKey(job)
            if try ReceiptTable.waiting(job: job, in: database).isEmpty, try FindingTable.isActive(key, in: database) {
                let finding = Finding(
                    source: "backup", kind: FindingKind.snapshotsSettled, severity: .low, condition: .cleared, key: key, subject: job,
                    asset: setting.asset,
                    summary: Phrase(vi: "mọi bản của '\(job)' đã được xác nhận", en: "all snapshots of '\(job)' have been judged"),
                    moment: moment, fingerprint: "settled:\(bounded(job, 48)):\(moment.millisecondsSinceEpoch)")
                _ = try intake.report(FindingIntake.Prepared(finding: finding, batch: nil), in: transaction)
            }
            return try chosen.map { receipt in
                var receipt = receipt
                receipt.standing = isGood ? .trusted : .rejected
                return try SnapshotView(receipt, verdict: nil, in: database)
            }
        }
    }

    // MARK: Space

    /// Reports repositories that will soon be full, and those that no longer will. Call it now and then.
    @discardableResult
    package func checkSpace() async throws -> [FindingOutcome] {
        guard let history else { return [] }
        let moment = incidents.now
        let repositories = backup.repositories
        let days = repositories.compactMap { setting -> (String, Double?)? in
            guard setting.path != nil, let samples = try? history.samples(of: setting.name).samples, !samples.isEmpty else { return nil }
            return (setting.name, SpaceTrend.daysUntilFull(samples))
        }
        let findings = try await ledger.read { database in
            try days.compactMap { name, days in try Self.spaceFinding(name, days, moment, in: database) }
        }
        return try await incidents.report(findings)
    }

    private static func spaceFinding(_ name: String, _ days: Double?, _ moment: Timestamp, in database: Database) throws -> Finding? {
        let key = RepositoryFindings.spaceKey(name)
        let last = try FindingTable.newest(key, in: database)
        let severity = SpaceTrend.severity(daysUntilFull: days)
        let known = last?.condition == .active ? last?.severity : nil
        // The same again says nothing new; getting worse does.
        if severity == known { return nil }
        if let severity, let known, severity < known { return nil }
        guard let severity, let days else {
            return Finding(
                source: "backup", kind: FindingKind.repositoryRoomy, severity: .low, condition: .cleared, key: key, subject: name,
                summary: Phrase(vi: "kho '\(name)' không còn sắp đầy", en: "repository '\(name)' is no longer filling up"), moment: moment,
                fingerprint: "roomy:\(bounded(name, 48)):\(moment.millisecondsSinceEpoch)")
        }
        let whole = Int(days)
        return Finding(
            source: "backup", kind: FindingKind.repositoryFilling, severity: severity, condition: .active, key: key, subject: name,
            summary: Phrase(
                vi: "theo đà hiện nay kho '\(name)' sẽ đầy sau \(whole) ngày", en: "at the present rate repository '\(name)' is full in \(whole) days"),
            moment: moment, fingerprint: "filling:\(bounded(name, 48)):\(moment.millisecondsSinceEpoch)")
    }
}

/// Questions to the table of findings.
enum FindingTable {
    /// The newest finding under a key, and how it stands.
    static func newest(_ key: String, in database: Database) throws -> (condition: Condition, severity: Severity)? {
        try database.first(
            "SELECT condition, severity FROM finding WHERE key=?1 ORDER BY sequence DESC LIMIT 1", SQLValue(bounded(key, 256))
        ) { row throws(DatabaseError) in
            (Condition(rawValue: row.text(0)) ?? .momentary, Severity(rank: row.integer(1)) ?? .low)
        }
    }

    static func isActive(_ key: String, in database: Database) throws -> Bool { try newest(key, in: database)?.condition == .active }
}
