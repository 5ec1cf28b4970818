package import Ledger
package import Platform

/// One accept: the batch that holds its rows, and the root of the approved state after it.
package struct BaselineAccept: Codable, Sendable, Equatable {
    package var sequence: Int64
    /// RFC 3339.
    package var moment: String
    package var actor: String
    /// Hex digest of the batch file.
    package var batch: String
    package var rows: Int64
    /// Hex digest.
    package var root: String
    /// True for the accept that made the first baseline.
    package var isInitial: Bool
}

/// Writes accepts into the ledger and answers what the baseline has to replay. The ledger commits first; `baseline.db` follows.
package struct BaselineAccepts: Sendable {
    private let ledger: Ledger
    private let now: @Sendable () -> Timestamp

    package init(ledger: Ledger, now: @escaping @Sendable () -> Timestamp = { .now() }) {
        self.ledger = ledger
        self.now = now
    }

    /// Commits an accept. The batch file must have been written durably before.
    ///
    /// - Parameters:
    ///   - previousSequence: The newest accept that the baseline had when the rows were collected (-1: none). Another one
    ///     meanwhile makes the root wrong, so it is refused.
    ///   - note: Why; required, for an accept is a decision.
    /// - Throws: `.invalidArgument` without a note, `.refused` when another accept came between.
    package func accept(
        batch: Digest, rows: Int64, root: Digest, previousSequence: Int64, isInitial: Bool, by actor: Actor, note: String
    ) async throws -> BaselineAccept {
        if note.isEmpty {
            throw IncidentError.missingNote(Phrase(vi: "chấp nhận thay đổi", en: "accept changes"))
        }
        let moment = now()
        try FaultPoint.reach("accept.batch-written")
        let event = try await ledger.commit { transaction in
            let newest = try Self.newestSequence(in: transaction.database)
            if newest != previousSequence {
                throw IncidentError(
                    .refused,
                    Phrase(
                        vi: "trạng thái được phê duyệt vừa được người khác thay đổi",
                        en: "the approved state has just been changed by somebody else"),
                    hint: Phrase(
                        vi: "xem lại 'sentinelctl integrity changes' rồi chấp nhận lại",
                        en: "look at 'sentinelctl integrity changes', then accept again"))
            }
            return try transaction.append(
                EventDraft(
                    kind: EventKind.baselineAccepted, subject: "baseline", actor: actor, moment: moment,
                    facts: [
                        Event.batchFact: JSONValue(batch.hex), "rows": JSONValue(rows), "root": JSONValue(root.hex),
                        "initial": JSONValue(isInitial),
                    ], texts: ["note": note]))
        }
        try FaultPoint.reach("accept.committed")
        return BaselineAccept(
            sequence: event.sequence, moment: viewTime(event.moment), actor: actor.name, batch: batch.hex, rows: rows,
            root: root.hex, isInitial: isInitial)
    }

    /// The accepts after `sequence` (-1: all), oldest first: what a baseline that has come so far lacks.
    package func accepts(after sequence: Int64) async throws -> [BaselineAccept] {
        try await ledger.read { database in
            try database.all(
                "SELECT sequence, moment, actor, batch, rows, root, initial FROM baseline_accept WHERE sequence > ?1 ORDER BY sequence",
                SQLValue(sequence)
            ) { row throws(DatabaseError) in
                BaselineAccept(
                    sequence: row.integer(0), moment: viewTime(milliseconds: row.integer(1)), actor: row.text(2),
                    batch: row.text(3), rows: row.integer(4), root: row.text(5), isInitial: row.integer(6) == 1)
            }
        }
    }

    /// True when some accept led to `root`. A baseline whose root is not known was changed by somebody else.
    package func isKnown(root: Digest) async throws -> Bool {
        try await ledger.read { database in
            try database.first("SELECT 1 FROM baseline_accept WHERE root=?1", SQLValue(root.hex)) {
                row throws(DatabaseError) in row.integer(0)
            } != nil
        }
    }

    /// The sequence of the newest accept; -1 when there is none.
    package func newestSequence() async throws -> Int64 {
        try await ledger.read { try Self.newestSequence(in: $0) }
    }

    private static func newestSequence(in database: Database) throws -> Int64 {
        try database.first("SELECT max(sequence) FROM baseline_accept") { row throws(DatabaseError) in
            row.optionalInteger(0) ?? -1
        } ?? -1
    }
}
