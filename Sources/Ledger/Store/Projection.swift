package import Platform

/// Tables that follow from the events alone. They may be dropped and built again at any time.
package protocol Projection: Sendable {
    /// A name of its own, for ever.
    var name: String { get }
    /// `CREATE TABLE IF NOT EXISTS …`, also of indexes. When it changes, all projections are built again.
    var schema: String { get }
    /// Every table that ``schema`` creates, those that others refer to first.
    var tables: [String] { get }
    /// Enters one event, in the transaction that appends it. Must follow from `event` and the projections alone: no clock, no chance.
    func apply(_ event: Event, to database: Database) throws
}

/// Building all projections from the events.
enum ProjectionBuild {
    private static let pageSize = 512

    /// Drops every projection table and applies every event again. Belongs into a transaction.
    static func rebuild(_ projections: [any Projection], in database: Database) throws {
        for projection in projections.reversed() {
            for table in projection.tables.reversed() { try database.execute("DROP TABLE IF EXISTS \(quoted(table))") }
        }
        try database.execute("DELETE FROM projections")
        for projection in projections {
            try database.execute(projection.schema)
            try database.run(
                "INSERT INTO projections (name, fingerprint) VALUES (?1, ?2)", .text(projection.name),
                .text(try fingerprint(projection)))
        }
        var last: Int64 = -1
        while true {
            let page = try EventTable.events(in: database, after: last, limit: pageSize)
            for event in page {
                for projection in projections { try projection.apply(event, to: database) }
                last = event.sequence
            }
            if page.count < pageSize { return }
        }
    }

    /// True when the tables in the database are those of `projections`, by name and schema.
    static func isCurrent(_ projections: [any Projection], in database: Database) throws -> Bool {
        var stored: [String: String] = [:]
        try database.query("SELECT name, fingerprint FROM projections") { row throws(DatabaseError) in stored[row.text(0)] = row.text(1) }
        if stored.count != projections.count { return false }
        return try projections.allSatisfy { stored[$0.name] == (try fingerprint($0)) }
    }

    private static func fingerprint(_ projection: any Projection) throws(CryptoError) -> String {
        try SHA256.hash(Array(projection.schema.utf8)).hex
    }

    static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
