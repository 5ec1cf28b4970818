package import Platform

/// The approved and the observed state of all watched files, in one SQLite file (`baseline.db`).
///
/// The approved table is a projection of the ledger's accept events: it is replayed when rows are missing, and its root is compared with
/// what the newest event says. It is never changed in another way. Thread-safe; several processes may have it open.
package final class BaselineStore: Sendable {
    package let path: FilePath
    let database: Monitor<Database>
    private static let layoutVersion: Int64 = 1

    /// Opens the baseline, making an empty one when none is there.
    ///
    /// - Throws: ``DatabaseError``, or ``IntegrityError`` `.unsupported` for a layout of a newer version.
    package convenience init(_ path: FilePath) throws {
        let database = try Database(path, access: .create)
        let version = try database.first("PRAGMA user_version") { $0.integer(0) } ?? 0
        if version > Self.layoutVersion { throw Self.unsupported(path, version) }
        if version == 0 {
            try database.transaction {
                try database.execute(Self.schema)
                try database.execute("PRAGMA user_version=\(Self.layoutVersion)")
            }
        }
        self.init(path, database)
    }

    /// Opens a baseline, or a copy of one, that is only read.
    package convenience init(readOnly path: FilePath) throws {
        let database = try Database(path, access: .readOnly)
        let version = try database.first("PRAGMA user_version") { $0.integer(0) } ?? 0
        if version != Self.layoutVersion { throw Self.unsupported(path, version) }
        self.init(path, database)
    }

    private init(_ path: FilePath, _ database: sending Database) {
        self.path = path
        self.database = Monitor(database)
    }

    // key: the path in tree order (FilePath.treeKey); record: the attributes of FileRecord+Encoding.
    private static let schema = """
        CREATE TABLE IF NOT EXISTS approved(key BLOB PRIMARY KEY NOT NULL, record BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS observed(key BLOB PRIMARY KEY NOT NULL, record BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY NOT NULL, number INTEGER, bytes BLOB) STRICT, WITHOUT ROWID;
        """

    private static func unsupported(_ path: FilePath, _ version: Int64) -> IntegrityError {
        IntegrityError(
            code: .unsupported,
            message: Phrase(
                vi: "'\(path)' có cấu trúc phiên bản \(version), bản này chỉ hiểu \(layoutVersion)",
                en: "'\(path)' has layout version \(version), this program knows \(layoutVersion)"),
            hint: Phrase(vi: "nâng cấp Sentinel", en: "upgrade Sentinel"))
    }

    /// The records of a table in tree order.
    ///
    /// - Parameters:
    ///   - area: Only this path and what lies below it; everything when nil.
    ///   - isSnapshot: All of them as of one moment; else later ones may show later changes, and no log of the database is held back.
    package func records(
        _ table: BaselineTable, below area: FilePath? = nil, isSnapshot: Bool = true
    ) throws -> any RecordSource {
        try RecordCursor(path, table, area: area, isSnapshot: isSnapshot)
    }

    /// The record of one path.
    package func record(_ table: BaselineTable, _ path: FilePath) throws -> FileRecord? {
        try database.read { try Self.record($0, table, path) }
    }

    /// The number of records of a table.
    package func count(_ table: BaselineTable) throws -> Int {
        try database.read { database in
            Int(try database.first("SELECT count(*) FROM \(table.rawValue)") { $0.integer(0) } ?? 0)
        }
    }

    static func record(_ database: Database, _ table: BaselineTable, _ path: FilePath) throws -> FileRecord? {
        let sql =
            table == .approved ? "SELECT record FROM approved WHERE key = ?1" : "SELECT record FROM observed WHERE key = ?1"
        guard let bytes = try database.first(sql, .blob(path.treeKey), read: { $0.blob(0) }) else { return nil }
        do throws(DecodingProblem) {
            return try FileRecord(path: path, attributeBytes: bytes)
        } catch {
            throw IntegrityError.corrupt(Phrase(vi: "dòng cơ sở", en: "baseline row"), error.what)
        }
    }

    static func put(_ database: Database, _ table: BaselineTable, _ path: FilePath, _ record: FileRecord?) throws(DatabaseError) {
        if let record {
            try database.run(
                table == .approved
                    ? "INSERT INTO approved(key, record) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET record = excluded.record"
                    : "INSERT INTO observed(key, record) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET record = excluded.record",
                .blob(path.treeKey), .blob(record.attributeBytes))
        } else {
            try database.run(
                table == .approved ? "DELETE FROM approved WHERE key = ?1" : "DELETE FROM observed WHERE key = ?1",
                .blob(path.treeKey))
        }
    }

    static func number(_ database: Database, _ name: String) throws(DatabaseError) -> Int64? {
        try database.first("SELECT number FROM meta WHERE name = ?1", .text(name)) { $0.integer(0) }
    }

    static func set(_ database: Database, _ name: String, number: Int64? = nil, bytes: [UInt8]? = nil) throws(DatabaseError) {
        try database.run(
            "INSERT INTO meta(name, number, bytes) VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET number = excluded.number, bytes = excluded.bytes",
            .text(name), SQLValue(number), bytes.map { .blob($0) } ?? .null)
    }
}
