package import Ledger
internal import Platform

/// A drill and its newest result.
package struct DrillView: Codable, Sendable, Equatable {
    package var name: String
    package var job: String
    package var schedule: String?
    /// RFC 3339.
    package var nextRun: String?
    package var last: DrillRunView?
}

/// One recorded drill.
package struct DrillRunView: Codable, Sendable, Equatable {
    package var sequence: Int64
    package var repository: String
    package var snapshot: String?
    /// RFC 3339.
    package var started: String
    package var ended: String
    package var outcome: DrillOutcome
    package var recoveryTimeMilliseconds: Int64?
    package var recoveryPointSeconds: Int64?
    package var files: Int64
    package var bytes: Int64
    package var problems: Int64
    /// Digest of the batch file with the full result.
    package var batch: String?
}

/// Records drills and what follows from them.
package struct DrillService: Sendable {
    /// Bytes of a stored result: its lists are bounded, so it is far smaller.
    private static let resultLimitBytes = 1 << 20

    private let incidents: IncidentService

    package init(incidents: IncidentService) { self.incidents = incidents }

    /// Records a drill: the full result as a sealed batch file, the figures as an event, and what the finding leads to, in one
    /// transaction.
    @discardableResult
    package func record(_ result: DrillResult, by actor: Actor = .system("job")) async throws -> [FindingOutcome] {
        let batches = incidents.batches
        let evidence = try JSONValue(encoding: result).canonicalBytes
        let batch = try await OwnThread.run(name: "batches") { try batches.write(evidence) }
        let ended = Timestamp(rfc3339: result.ended) ?? incidents.now
        let finding = Self.finding(of: result, moment: ended)
        let prepared = try await incidents.prepare([finding])
        let intake = incidents.intake
        return try await incidents.ledger.commit { transaction in
            if let fingerprint = finding.fingerprint, try intake.recorded(fingerprint, in: transaction.database) != nil {
                return try prepared.map { try intake.report($0, in: transaction) }
            }
            try transaction.append(Self.draft(of: result, batch: batch, ended: ended, by: actor))
            return try prepared.map { try intake.report($0, in: transaction) }
        }
    }

    private static func draft(of result: DrillResult, batch: Digest, ended: Timestamp, by actor: Actor) -> EventDraft {
        var facts: [String: JSONValue] = [
            "job": JSONValue(bounded(result.job, 128)), "repository": JSONValue(bounded(result.repository, 128)),
            "outcome": JSONValue(result.outcome.rawValue), "filesVerified": JSONValue(result.filesVerified),
            "bytesVerified": JSONValue(result.bytesVerified), "problems": JSONValue(result.problemCount),
            "assertionsFailed": JSONValue(result.assertions.count { !$0.isPassed }), Event.batchFact: JSONValue(batch.hex),
        ]
        if let started = Timestamp(rfc3339: result.started) { facts["started"] = JSONValue(started.millisecondsSinceEpoch) }
        if let snapshot = result.snapshot { facts["snapshot"] = JSONValue(bounded(snapshot, 64)) }
        if let value = result.recoveryTimeMilliseconds { facts["recoveryTimeMilliseconds"] = JSONValue(value) }
        if let value = result.recoveryPointSeconds { facts["recoveryPointSeconds"] = JSONValue(value) }
        if let failure = result.failure { facts["failure"] = failure.message.json(limit: 400) }
        return EventDraft(
            kind: EventKind.drillFinished, subject: bounded(result.drill, 128), actor: actor, moment: ended, facts: facts)
    }

    private static func finding(of result: DrillResult, moment: Timestamp) -> Finding {
        let name = bounded(result.drill, 120)
        let isPassed = result.outcome == .passed
        let summary: Phrase
        switch result.outcome {
        case .passed:
            summary = Phrase(vi: "diễn tập '\(name)' đạt", en: "drill '\(name)' passed")
        case .objectivesMissed:
            summary = Phrase(
                vi: "diễn tập '\(name)' khôi phục được nhưng không đạt RTO/RPO",
                en: "drill '\(name)' restored everything but missed RTO or RPO")
        case .failed:
            let reason =
                result.failure?.message
                ?? Phrase(
                    vi: "\(result.problemCount) mục sai khác, \(result.assertions.count { !$0.isPassed }) điều kiện không đạt",
                    en: "\(result.problemCount) entries differ, \(result.assertions.count { !$0.isPassed }) assertions failed")
            summary = Phrase(vi: "diễn tập '\(name)' không đạt: \(reason.vi)", en: "drill '\(name)' failed: \(reason.en)")
        }
        let kind = isPassed ? FindingKind.drillPassed : FindingKind.drillFailed
        return Finding(
            source: "drills", kind: kind, severity: result.outcome == .failed ? .high : isPassed ? .low : .medium,
            condition: isPassed ? .cleared : .active, key: "drill:\(name)", subject: name, asset: result.asset, summary: summary,
            moment: moment, fingerprint: "\(kind):\(bounded(name, 48)):\(moment.millisecondsSinceEpoch)")
    }

    // MARK: Looking

    /// All drills of the configuration.
    package func drills() async throws -> [DrillView] {
        let configuration = incidents.policy.configuration
        let moment = incidents.now
        return try await incidents.ledger.read { try Self.views(configuration, now: moment, in: $0) }
    }

    /// The newest results of one drill.
    ///
    /// - Throws: `.notFound` for an unknown drill.
    package func runs(of drill: String, limit: Int = 50) async throws -> [DrillRunView] {
        let known = incidents.policy.configuration.drills.map(\.name)
        if !known.contains(drill) {
            throw IncidentService.unknown(Phrase(vi: "cuộc diễn tập", en: "drill"), drill, among: known)
        }
        return try await incidents.ledger.read { try Self.rows(of: drill, limit: min(max(limit, 1), 500), in: $0) }
    }

    /// The full result of one recorded drill, from its sealed batch file.
    package func result(of sequence: Int64) async throws -> DrillResult {
        let batches = incidents.batches
        let resultLimitBytes = Self.resultLimitBytes
        let event = try await incidents.ledger.events(after: sequence - 1, limit: 1, kinds: [EventKind.drillFinished]).first
        guard let event, event.sequence == sequence, let batch = event.batch else {
            throw IncidentError(
                .notFound, Phrase(vi: "không có kết quả diễn tập số \(sequence)", en: "there is no drill result \(sequence)"))
        }
        return try await OwnThread.run(name: "batches") {
            try JSONValue(parsing: batches.read(batch, limit: resultLimitBytes), limitBytes: resultLimitBytes).decode()
        }
    }

    static func views(_ configuration: Configuration, now: Timestamp, in database: Database) throws -> [DrillView] {
        let starts = try JobTable.lastStarts(in: database)
        return try configuration.drills.map { drill in
            DrillView(
                name: drill.name, job: drill.job, schedule: drill.schedule?.description,
                nextRun: drill.schedule.map {
                    viewTime($0.next(after: max(now, starts[JobKey(kind: .drill, name: drill.name)] ?? now)))
                }, last: try rows(of: drill.name, limit: 1, in: database).first)
        }
    }

    private static func rows(of drill: String, limit: Int, in database: Database) throws -> [DrillRunView] {
        try database.all(
            """
            SELECT sequence, repository, snapshot, started, ended, outcome, recovery_time, recovery_point, files, bytes, problems,
              batch FROM drill_run WHERE drill=?1 ORDER BY sequence DESC LIMIT ?2
            """, SQLValue(drill), SQLValue(limit)
        ) { row throws(DatabaseError) in
            DrillRunView(
                sequence: row.integer(0), repository: row.text(1), snapshot: row.optionalText(2),
                started: viewTime(milliseconds: row.integer(3)), ended: viewTime(milliseconds: row.integer(4)),
                outcome: DrillOutcome(rawValue: row.text(5)) ?? .failed, recoveryTimeMilliseconds: row.optionalInteger(6),
                recoveryPointSeconds: row.optionalInteger(7), files: row.integer(8), bytes: row.integer(9),
                problems: row.integer(10), batch: row.optionalText(11))
        }
    }
}
