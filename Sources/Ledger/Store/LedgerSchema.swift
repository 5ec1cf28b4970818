internal import Platform

/// The tables of `ledger.db`.
enum LedgerSchema {
    /// "SNTL": says in the file's header whose SQLite file it is.
    static let applicationID: UInt32 = 0x534E_544C
    static let version: Int64 = 1

    static let sql = """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
        CREATE TABLE events (
            sequence INTEGER PRIMARY KEY, leaf BLOB NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL,
            subject TEXT NOT NULL) STRICT;
        CREATE INDEX events_kind ON events (kind, sequence);
        CREATE INDEX events_subject ON events (subject, sequence);
        CREATE TABLE payloads (
            sequence INTEGER NOT NULL, field TEXT NOT NULL, salt BLOB, payload BLOB, PRIMARY KEY (sequence, field)) STRICT;
        CREATE TABLE nodes (
            level INTEGER NOT NULL, place INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, place)) WITHOUT ROWID, STRICT;
        CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, time INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
        CREATE TABLE projections (name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL) WITHOUT ROWID, STRICT;
        """

    /// Makes the tables of an empty ledger in an empty database.
    static func create(in database: Database, identity: LedgerIdentity) throws {
        try database.execute("PRAGMA application_id=\(applicationID); PRAGMA user_version=\(version)")
        try database.transaction {
            try database.execute(sql)
            for (name, value) in [("log", identity.log), ("origin", identity.origin), ("key", identity.key)] {
                try database.run("INSERT INTO meta (name, value) VALUES (?1, ?2)", .text(name), .text(value))
            }
        }
    }

    /// The identity that the database was created with; nil when a part is missing.
    static func identity(in database: Database) throws(DatabaseError) -> LedgerIdentity? {
        var values: [String: String] = [:]
        try database.query("SELECT name, value FROM meta") { row throws(DatabaseError) in values[row.text(0)] = row.text(1) }
        guard let log = values["log"], let origin = values["origin"], let key = values["key"] else { return nil }
        return LedgerIdentity(log: log, origin: origin, key: key)
    }
}

/// Which ledger this is: written into the database and into the marker file beside it.
package struct LedgerIdentity: Sendable, Hashable {
    /// 32 hex digits, drawn when the ledger was created.
    package let log: String
    package let origin: String
    /// The verification key, as a vkey.
    package let key: String

    var json: JSONValue { ["v": 1, "log": .string(log), "origin": .string(origin), "key": .string(key)] }

    init(log: String, origin: String, key: String) {
        self.log = log
        self.origin = origin
        self.key = key
    }

    init?(_ json: JSONValue) {
        guard let log = json["log"]?.string, let origin = json["origin"]?.string, let key = json["key"]?.string else { return nil }
        self.init(log: log, origin: origin, key: key)
    }
}
