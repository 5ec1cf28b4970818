package import Platform

/// Reading events out of an open ledger database.
package enum EventTable {
    /// Events in one answer, at most.
    package static let pageLimit = 10_000
    /// Kinds in one question, at most.
    package static let kindLimit = 64

    /// Events in the order of the ledger.
    ///
    /// - Parameters:
    ///   - sequence: Only events after this one; -1 for all.
    ///   - limit: At most this many; capped at ``pageLimit``.
    ///   - kinds: Only these kinds, at most ``kindLimit``; nil for all.
    ///   - subject: Only events on this subject.
    package static func events(
        in database: Database, after sequence: Int64, limit: Int, kinds: [String]? = nil, subject: String? = nil
    ) throws -> [Event] {
        var sql = "SELECT sequence, leaf FROM events WHERE sequence > ?1"
        var values: [SQLValue] = [.integer(sequence)]
        if let kinds {
            if kinds.count > kindLimit { throw Leaf.invalid("kind", "\(kinds.count)") }
            if kinds.isEmpty { return [] }
            let marks = kinds.indices.map { "?\($0 + 2)" }.joined(separator: ",")
            sql += " AND kind IN (\(marks))"
            values += kinds.map { .text($0) }
        }
        if let subject {
            values.append(.text(subject))
            sql += " AND subject = ?\(values.count)"
        }
        values.append(SQLValue(max(0, min(limit, pageLimit))))
        sql += " ORDER BY sequence LIMIT ?\(values.count)"
        var leaves: [[UInt8]] = []
        try database.query(sql, values) { row throws(DatabaseError) in leaves.append(row.blob(1)) }
        return try leaves.map { try event(of: Leaf(decoding: $0), in: database) }
    }

    /// The event at `sequence`; nil when there is none.
    package static func event(_ sequence: Int64, in database: Database) throws -> Event? {
        try leafBytes(sequence, in: database).map { try event(of: Leaf(decoding: $0), in: database) }
    }

    /// The number of events.
    package static func count(in database: Database) throws(DatabaseError) -> Int64 {
        try database.first("SELECT max(sequence) FROM events") { row throws(DatabaseError) in row.optionalInteger(0) ?? -1 }.map { $0 + 1 } ?? 0
    }

    /// When the newest event of a kind happened; nil when there is none.
    package static func newest(kind: String, in database: Database) throws(DatabaseError) -> Timestamp? {
        try database.first("SELECT time FROM events WHERE kind = ?1 ORDER BY sequence DESC LIMIT 1", .text(kind)) {
            row throws(DatabaseError) in Timestamp(millisecondsSinceEpoch: row.integer(0))
        }
    }

    static func leafBytes(_ sequence: Int64, in database: Database) throws(DatabaseError) -> [UInt8]? {
        try database.first("SELECT leaf FROM events WHERE sequence = ?1", .integer(sequence)) { row throws(DatabaseError) in row.blob(0) }
    }

    static func event(of leaf: Leaf, in database: Database) throws -> Event {
        var texts: [String: String?] = leaf.textHashes.mapValues { _ in nil }
        if !texts.isEmpty {
            let rows = try database.all(
                "SELECT field, payload FROM payloads WHERE sequence = ?1 AND payload IS NOT NULL", .integer(leaf.sequence)
            ) { row throws(DatabaseError) in (row.text(0), row.blob(1)) }
            for (field, payload) in rows where leaf.textHashes[field] != nil {
                texts[field] = .some(String(decoding: payload, as: UTF8.self))
            }
        }
        return Event(
            sequence: leaf.sequence, moment: Timestamp(millisecondsSinceEpoch: leaf.milliseconds), kind: leaf.kind,
            subject: leaf.subject, actor: leaf.actor, facts: leaf.facts, texts: texts)
    }
}
