import Ledger
import Platform
import Testing

/// A ledger's surroundings for tests: one key, one origin, two projections.
enum LedgerFixture {
    static let origin = "sentinel.local/TEST"
    static let projections: [any Projection] = [KindCount(), NoteText()]

    static func key(_ byte: UInt8 = 7) throws -> SigningKey {
        try SigningKey(seed: [UInt8](repeating: byte, count: SigningKey.seedByteCount))
    }

    static func open(
        _ directory: FilePath, keyByte: UInt8 = 7, origin: String = origin, projections: [any Projection] = projections,
        outside: [String] = [], waitingLimit: Int = 4096
    ) throws -> Ledger {
        try Ledger.open(
            directory: directory, key: key(keyByte), origin: origin, projections: projections,
            outsideCheckpoints: outside, waitingLimit: waitingLimit)
    }

    static func draft(_ kind: String = "test.happened", _ index: Int = 0, note: String? = nil) -> EventDraft {
        EventDraft(
            kind: kind, subject: "thing-\(index % 5)", actor: .system("test"), facts: ["index": JSONValue(index)],
            texts: note.map { ["note": $0] } ?? [:])
    }

    static func append(_ count: Int, to ledger: Ledger, note: String? = nil) async throws {
        try await ledger.commit { transaction in
            for index in 0..<count { try transaction.append(draft("test.happened", index, note: note.map { "\($0) \(index)" })) }
        }
    }

    /// Changes the database behind the ledger's back, with the ledger closed.
    static func tamper(_ directory: FilePath, _ sql: String) throws {
        try Database(directory / "ledger.db", access: .readWrite).execute(sql)
    }

    /// What every projection table holds, row by row.
    static func dump(_ database: Database) throws -> [String] {
        try database.all("SELECT 'count ' || kind || ' ' || total FROM kind_count ORDER BY kind") { row throws(DatabaseError) in row.text(0) }
            + database.all("SELECT 'note ' || sequence || ' ' || coalesce(note, '-') FROM note_text ORDER BY sequence") {
                row throws(DatabaseError) in row.text(0)
            }
    }
}

/// Counts events by kind.
struct KindCount: Projection {
    let name = "kind-count"
    let schema = "CREATE TABLE IF NOT EXISTS kind_count (kind TEXT PRIMARY KEY, total INTEGER NOT NULL) STRICT"
    let tables = ["kind_count"]

    func apply(_ event: Event, to database: Database) throws {
        if event.kind == "test.refused" { throw ProjectionRefusal() }
        try database.run(
            "INSERT INTO kind_count VALUES (?1, 1) ON CONFLICT (kind) DO UPDATE SET total = total + 1", .text(event.kind))
    }
}

/// Keeps a copy of each note, as a list for people would.
struct NoteText: Projection {
    let name = "note-text"
    let schema = """
        CREATE TABLE IF NOT EXISTS note_text (sequence INTEGER PRIMARY KEY, note TEXT) STRICT;
        CREATE INDEX IF NOT EXISTS note_text_note ON note_text (note);
        """
    let tables = ["note_text"]

    func apply(_ event: Event, to database: Database) throws {
        guard event.texts.keys.contains("note") else { return }
        try database.run("INSERT INTO note_text VALUES (?1, ?2)", .integer(event.sequence), SQLValue(event.text("note")))
    }
}

struct ProjectionRefusal: Error {}
struct BodyFailure: Error, Equatable {}

/// The code of the `LedgerError` that `body` throws; nil when it throws nothing.
func ledgerCode(_ body: () async throws -> Void) async throws -> LedgerError.Code? {
    do {
        try await body()
        return nil
    } catch let error as LedgerError {
        #expect(!error.message.vi.isEmpty && !error.message.en.isEmpty)
        return error.code
    }
}
