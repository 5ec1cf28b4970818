internal import Ledger
package import Platform

/// One repository of the configuration, as people see it.
package struct RepositoryView: Codable, Sendable, Equatable {
    package var name: String
    /// A path, `rest:URL` or `rclone:REMOTE:PATH`.
    package var location: String
    package var isAppendOnly: Bool
    /// The identity in its `config`; nil before it was first seen.
    package var identity: String?
    package var snapshots: Int
    package var held: Int
    /// Snapshots that wait for a person's word.
    package var waiting: Int
    package var rejected: Int
    package var keys: Int
    /// How many the policies would remove now.
    package var removable: Int
    /// RFC 3339; nil: never.
    package var forgot: String?
    package var pruned: String?
    package var nextPrune: String?
    /// Why the last upkeep failed.
    package var failure: Phrase?
    /// Of the newest measurement; nil for storage elsewhere.
    package var freeBytes: Int64?
    package var totalBytes: Int64?
    /// nil when the space does not shrink, or too little was measured.
    package var daysUntilFull: Int?
}

/// One snapshot in the record.
package struct SnapshotView: Codable, Sendable, Equatable {
    package var repository: String
    package var snapshot: String
    package var job: String?
    /// When this daemon received it; retention counts this.
    package var received: String
    /// What the snapshot says.
    package var taken: String
    package var origin: ReceiptOrigin
    package var standing: SnapshotStanding
    package var doubts: [Phrase]
    package var isIncomplete: Bool
    package var files: Int64
    package var bytes: Int64
    /// Holds that forbid deleting it.
    package var holds: [String]
    /// What retention says; nil without a policy.
    package var isKept: Bool?
    package var reason: Phrase?

    init(_ receipt: Receipt, verdict: RetentionVerdict?, in database: Database) throws {
        repository = receipt.repository
        snapshot = receipt.snapshot
        job = receipt.job
        received = viewTime(receipt.received)
        taken = viewTime(receipt.taken)
        origin = receipt.origin
        standing = receipt.standing
        doubts = receipt.doubts.map(\.title)
        isIncomplete = receipt.isIncomplete
        files = receipt.files
        bytes = receipt.bytes
        holds = try receipt.question.map { try Holds.covering($0, in: database).map(\.id) } ?? []
        isKept = verdict.map { $0.isKept || !holds.isEmpty }
        reason = verdict?.reason
    }
}

extension RepositoryService {
    /// All repositories of the configuration.
    package func repositories() async throws -> [RepositoryView] {
        let configuration = incidents.policy.configuration
        let now = incidents.now
        let history = history
        return try await ledger.read { try Self.views(configuration, history: history, now: now, in: $0) }
    }

    /// The snapshots of one job in all its repositories, newest receipt first.
    ///
    /// - Throws: `.notFound` for an unknown job.
    package func snapshots(of job: String) async throws -> [SnapshotView] {
        let backup = backup
        guard let setting = backup.job(named: job) else {
            throw IncidentService.unknown(Phrase(vi: "việc sao lưu", en: "backup job"), job, among: backup.jobs.map(\.name))
        }
        let now = incidents.now
        return try await ledger.read { database in
            let alarm = try Alarm.current(in: database)
            return try setting.repositories.flatMap { repository in
                let receipts = try ReceiptTable.present(in: repository, job: job, database: database)
                let verdicts = setting.retention.map { RetentionDecision.verdicts(receipts, keep: $0, alarm: alarm, now: now) } ?? []
                let byID = Dictionary(verdicts.map { ($0.snapshot, $0) }, uniquingKeysWith: { first, _ in first })
                return try receipts.map { try SnapshotView($0, verdict: byID[$0.snapshot], in: database) }
            }
        }
    }

    static func views(
        _ configuration: Configuration, history: SpaceHistory?, now: Timestamp, in database: Database
    ) throws -> [RepositoryView] {
        let backup = configuration.backup
        let starts = try JobTable.lastStarts(in: database)
        return try backup.repositories.map { setting in
            let receipts = try ReceiptTable.present(in: setting.name, database: database)
            let held = try receipts.count { receipt in try receipt.question.map { try !Holds.covering($0, in: database).isEmpty } ?? false }
            let alarm = try Alarm.current(in: database)
            let removable =
                setting.isAppendOnly
                ? 0
                : backup.jobs.filter { $0.repositories.contains(setting.name) }.reduce(0) { sum, job in
                    guard let retention = job.retention else { return sum }
                    let own = receipts.filter { $0.job == job.name }
                    return sum + RetentionDecision.verdicts(own, keep: retention, alarm: alarm, now: now).count { !$0.isKept }
                }
            let measured = try history?.samples(of: setting.name)
            let row = try database.first(
                "SELECT identity, forgot, pruned, failure_vi, failure_en FROM repository WHERE name=?1", SQLValue(setting.name)
            ) { row throws(DatabaseError) in
                (
                    identity: row.text(0), forgot: row.optionalInteger(1), pruned: row.optionalInteger(2), vi: row.optionalText(3),
                    en: row.optionalText(4)
                )
            }
            var failure: Phrase?
            if let vi = row?.vi, let en = row?.en { failure = Phrase(vi: vi, en: en) }
            return RepositoryView(
                name: setting.name, location: setting.location, isAppendOnly: setting.isAppendOnly, identity: row?.identity,
                snapshots: receipts.count, held: held, waiting: receipts.count { $0.standing.needsWord },
                rejected: receipts.count { $0.standing == .rejected },
                keys: try ReceiptTable.keys(of: setting.name, in: database).count, removable: removable,
                forgot: row?.forgot.map(viewTime(milliseconds:)), pruned: row?.pruned.map(viewTime(milliseconds:)),
                nextPrune: setting.pruneSchedule.map {
                    viewTime($0.next(after: max(now, starts[JobKey(kind: .prune, name: setting.name)] ?? now)))
                }, failure: failure, freeBytes: measured?.newest?.freeBytes, totalBytes: measured?.newest?.totalBytes,
                daysUntilFull: measured.flatMap { SpaceTrend.daysUntilFull($0.samples) }.map { Int($0) })
        }
    }
}
