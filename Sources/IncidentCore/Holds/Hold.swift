internal import Ledger
package import Platform

/// One hold, as people see it.
package struct HoldView: Codable, Sendable, Equatable {
    package var id: String
    package var job: String
    package var incident: String?
    package var reason: Phrase
    /// RFC 3339.
    package var placed: String
    /// Snapshots that were known when it was placed.
    package var snapshots: Int
    /// RFC 3339; nil while the hold stands.
    package var released: String?
    package var releasedBy: String?
}

/// What is known of a snapshot that somebody is about to delete.
package struct DeletionQuestion: Sendable, Equatable {
    /// `original ?? id`: the name that survives rewriting.
    package var original: Digest
    package var tree: Digest
    /// When it was taken, or received where that is earlier: a forged time takes no snapshot out of a hold.
    package var time: Timestamp
    /// The job, by its `job:NAME` tag; nil for snapshots of other origin.
    package var job: String?

    package init(original: Digest, tree: Digest, time: Timestamp, job: String?) {
        self.original = original
        self.tree = tree
        self.time = time
        self.job = job
    }
}

/// Places, releases and asks for holds, inside a ledger transaction or a read.
package enum Holds {
    /// Places a hold on every snapshot of `job` until now, unless `incident` has one on it already.
    ///
    /// - Returns: The identity of the hold; nil when there was one.
    static func place(
        job: String, incident: String, reason: Phrase, now: Timestamp, actor: Actor, in transaction: LedgerTransaction
    ) throws -> String? {
        let existing = try transaction.database.first(
            "SELECT id FROM hold WHERE job=?1 AND incident=?2 AND released IS NULL", SQLValue(job), SQLValue(incident)
        ) { row throws(DatabaseError) in row.text(0) }
        if existing != nil { return nil }
        let count = try transaction.database.first("SELECT count(*) FROM hold") { row throws(DatabaseError) in row.integer(0) } ?? 0
        let id = "hold-\(padded(Int(count) + 1, 4))"
        _ = try transaction.append(
            EventDraft(
                kind: EventKind.holdPlaced, subject: id, actor: actor, moment: now,
                facts: [
                    "job": JSONValue(job), "incident": JSONValue(incident), "reason": reason.json(),
                    "coversUntil": JSONValue(now.millisecondsSinceEpoch),
                ]))
        return id
    }

    /// Ends a hold.
    ///
    /// - Throws: `.notFound`, `.refused` when it is released already, `.invalidArgument` without a reason.
    static func release(_ id: String, reason: String, now: Timestamp, actor: Actor, in transaction: LedgerTransaction) throws {
        if reason.isEmpty {
            throw IncidentError.missingNote(Phrase(vi: "bỏ lệnh giữ bản sao lưu", en: "release a hold"))
        }
        let states = try transaction.database.all("SELECT released IS NOT NULL FROM hold WHERE id=?1", SQLValue(id)) {
            row throws(DatabaseError) in row.integer(0) == 1
        }
        guard let isReleased = states.first else {
            let shown = escapedForDisplay(bounded(id, 64))
            throw IncidentError(
                .notFound, Phrase(vi: "không có lệnh giữ '\(shown)'", en: "there is no hold '\(shown)'"),
                hint: Phrase(vi: "xem 'sentinelctl backup holds'", en: "see 'sentinelctl backup holds'"))
        }
        if isReleased {
            throw IncidentError(.refused, Phrase(vi: "lệnh giữ \(id) đã được bỏ", en: "hold \(id) is released already"))
        }
        _ = try transaction.append(
            EventDraft(kind: EventKind.holdReleased, subject: id, actor: actor, moment: now, texts: ["reason": reason]))
    }

    /// The standing holds that forbid deleting `snapshot`. Prune asks this before each deletion.
    package static func covering(_ snapshot: DeletionQuestion, in database: Database) throws -> [HoldView] {
        try views(
            """
            WHERE h.released IS NULL AND (
              EXISTS(SELECT 1 FROM hold_snapshot s WHERE s.hold=h.id AND (s.original=?1 OR s.tree=?2))
              OR (h.job=?3 AND h.covers_until >= ?4))
            """,
            [
                SQLValue(snapshot.original.hex), SQLValue(snapshot.tree.hex), SQLValue(snapshot.job),
                SQLValue(snapshot.time.millisecondsSinceEpoch),
            ], in: database)
    }

    /// All holds, the standing ones first.
    package static func list(includingReleased: Bool, in database: Database) throws -> [HoldView] {
        try views(includingReleased ? "" : "WHERE h.released IS NULL", [], in: database)
    }

    private static func views(_ condition: String, _ values: [SQLValue], in database: Database) throws -> [HoldView] {
        var result: [HoldView] = []
        try database.query(
            """
            SELECT h.id, h.job, h.incident, h.reason_vi, h.reason_en, h.placed, h.released, h.released_by,
              (SELECT count(*) FROM hold_snapshot s WHERE s.hold=h.id)
            FROM hold h \(condition) ORDER BY h.released IS NOT NULL, h.sequence
            """, values
        ) { row throws(DatabaseError) in
            result.append(
                HoldView(
                    id: row.text(0), job: row.text(1), incident: row.optionalText(2),
                    reason: Phrase(vi: row.text(3), en: row.text(4)), placed: viewTime(milliseconds: row.integer(5)),
                    snapshots: Int(row.integer(8)), released: row.optionalInteger(6).map(viewTime(milliseconds:)),
                    releasedBy: row.optionalText(7)))
        }
        return result
    }
}
