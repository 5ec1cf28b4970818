internal import Ledger
internal import Platform

/// An open incident under which no new snapshot is taken for good: suspected mass encryption, tampering, anything critical.
enum Alarm {
    /// The rules whose incidents are alarms whatever their severity.
    static var rules: [String] { Correlation.rules.filter(\.holdsSnapshots).map(\.name) }

    /// The incident that is an alarm now, the worst first; nil when there is none.
    static func current(in database: Database) throws -> String? { try overlapping(nil, in: database) }

    /// The alarm that was open at some time since `start`: one that opened and was closed meanwhile counts.
    static func since(_ start: Timestamp, in database: Database) throws -> String? { try overlapping(start, in: database) }

    private static func overlapping(_ start: Timestamp?, in database: Database) throws -> String? {
        let marks = rules.indices.map { "?\($0 + 3)" }.joined(separator: ",")
        var found: String?
        // A resolved incident is one that people have dealt with.
        try database.query(
            """
            SELECT id FROM incident WHERE (severity >= ?1 OR rule IN (\(marks)))
              AND (status='open' OR coalesce(resolved, closed, 0) >= ?2) ORDER BY severity DESC, sequence LIMIT 1
            """,
            [SQLValue(Severity.critical.rank), SQLValue(start?.millisecondsSinceEpoch ?? Int64.max)] + rules.map { SQLValue($0) }
        ) { row throws(DatabaseError) in found = row.text(0) }
        return found
    }
}
