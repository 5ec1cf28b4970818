internal import Ledger
package import Platform

/// How far a step of a running playbook has come.
package enum StepState: String, Sendable, Codable, CaseIterable {
    /// Not reached yet; may never be, on another branch.
    case waiting
    /// Its turn.
    case ready
    case started, done, skipped

    package var title: Phrase {
        switch self {
        case .waiting: Phrase(vi: "chưa đến lượt", en: "waiting")
        case .ready: Phrase(vi: "đến lượt", en: "ready")
        case .started: Phrase(vi: "đang làm", en: "started")
        case .done: Phrase(vi: "xong", en: "done")
        case .skipped: Phrase(vi: "bỏ qua", en: "skipped")
        }
    }
}

/// One attached playbook, as its table has it.
struct PlaybookRunRow {
    var run: Int64
    var playbook: String
    var version: String
    /// Of the preserved definition.
    var digest: Digest
    var attached: Timestamp
    var superseded: Timestamp?
}

/// One reached step, as its table has it.
struct StepRow {
    var step: String
    var state: StepState
    var since: Timestamp
    var started: Timestamp?
    var startedBy: String?
    var ended: Timestamp?
    var endedBy: String?
    var timesDone: Int64
}

/// Attaches playbooks to incidents and reads how far they have come.
enum PlaybookRuns {
    /// Attaches a playbook; one that runs already is superseded, its history stays. The same playbook is not attached twice.
    static func attach(
        _ playbook: Playbook, to incident: String, actor: Actor, now: Timestamp, in transaction: LedgerTransaction
    ) throws {
        let current = try current(of: incident, in: transaction.database)
        if let current, current.digest == playbook.digest { return }
        let count = try transaction.database.first(
            "SELECT coalesce(max(run), 0) FROM playbook_run WHERE incident=?1", SQLValue(incident)
        ) { row throws(DatabaseError) in row.integer(0) }
        try transaction.append(
            EventDraft(
                kind: EventKind.playbookAttached, subject: incident, actor: actor, moment: now,
                facts: [
                    "run": JSONValue((count ?? 0) + 1), "playbook": JSONValue(playbook.id),
                    "version": JSONValue(playbook.versionText), "digest": JSONValue(playbook.digest.hex),
                    Event.batchFact: JSONValue(playbook.digest.hex),
                    "first": .array(playbook.firstSteps.map { JSONValue($0.id) }),
                ]))
    }

    /// The run that is not superseded.
    static func current(of incident: String, in database: Database) throws -> PlaybookRunRow? {
        try all(of: incident, in: database).last { $0.superseded == nil }
    }

    static func all(of incident: String, in database: Database) throws -> [PlaybookRunRow] {
        try database.all(
            "SELECT run, playbook, version, digest, attached, superseded FROM playbook_run WHERE incident=?1 ORDER BY run",
            SQLValue(incident)
        ) { row throws(DatabaseError) in
            PlaybookRunRow(
                run: row.integer(0), playbook: row.text(1), version: row.text(2), digest: Digest(hex: row.text(3)) ?? .zero,
                attached: Timestamp(millisecondsSinceEpoch: row.integer(4)),
                superseded: row.optionalInteger(5).map(Timestamp.init(millisecondsSinceEpoch:)))
        }
    }

    static func steps(of incident: String, run: Int64, in database: Database) throws -> [String: StepRow] {
        let rows = try database.all(
            """
            SELECT step, state, since, started, started_by, ended, ended_by, times_done
            FROM playbook_step WHERE incident=?1 AND run=?2
            """, SQLValue(incident), SQLValue(run)
        ) { row throws(DatabaseError) in
            StepRow(
                step: row.text(0), state: StepState(rawValue: row.text(1)) ?? .ready,
                since: Timestamp(millisecondsSinceEpoch: row.integer(2)),
                started: row.optionalInteger(3).map(Timestamp.init(millisecondsSinceEpoch:)), startedBy: row.optionalText(4),
                ended: row.optionalInteger(5).map(Timestamp.init(millisecondsSinceEpoch:)), endedBy: row.optionalText(6),
                timesDone: row.integer(7))
        }
        return Dictionary(rows.map { ($0.step, $0) }, uniquingKeysWith: { $1 })
    }

    /// True when somebody has started, done or skipped a mandatory step, in any run of the incident.
    static func hasBegunMandatoryStep(of incident: String, in database: Database) throws -> Bool {
        try database.first(
            "SELECT 1 FROM playbook_step WHERE incident=?1 AND mandatory=1 AND (state <> 'ready' OR times_done > 0)",
            SQLValue(incident)
        ) { row throws(DatabaseError) in row.integer(0) } != nil
    }
}
