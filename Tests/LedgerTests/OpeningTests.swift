import Ledger
import Platform
import TestSupport
import Testing

/// Every state that is no sound ledger is refused by name, and the file stays as it was.
@Suite struct OpeningTests {
    /// A closed ledger of `count` events with a checkpoint.
    private func make(_ directory: FilePath, count: Int = 20) async throws -> String {
        let ledger = try LedgerFixture.open(directory)
        try await LedgerFixture.append(count, to: ledger, note: "văn bản")
        let note = try await ledger.checkpoint()
        ledger.close()
        return note
    }

    private func refusal(
        _ directory: FilePath, keyByte: UInt8 = 7, origin: String = LedgerFixture.origin, outside: [String] = []
    ) async throws -> LedgerError.Code? {
        let path = directory / "ledger.db"
        let before = try FileStatus.exists(path) ? try DurableFiles.read(path, limit: 1 << 26) : nil
        let code = try await ledgerCode {
            try LedgerFixture.open(directory, keyByte: keyByte, origin: origin, outside: outside).close()
        }
        let after = try FileStatus.exists(path) ? try DurableFiles.read(path, limit: 1 << 26) : nil
        #expect(before == after)
        return code
    }

    @Test func `a fresh directory gets a ledger, and opening it again changes nothing`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory / "state")
            #expect(try await refusal(directory / "state") == nil)
        }
    }

    @Test func `a file of no bytes is truncated, not new`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory)
            try DurableFiles.replace(directory / "ledger.db", [])
            #expect(try await refusal(directory) == .truncated)
            try DurableFiles.remove(directory / "ledger.id")
            #expect(try await refusal(directory) == .truncated)
        }
    }

    @Test func `a ledger cut at any page is refused`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory, count: 200)
            let bytes = try DurableFiles.read(directory / "ledger.db", limit: 1 << 26)
            for size in [99, 100, 4096, bytes.count / 2, bytes.count - 4096, bytes.count - 1] {
                try DurableFiles.replace(directory / "ledger.db", Array(bytes.prefix(size)))
                #expect(try await refusal(directory) == .truncated, "\(size) bytes")
            }
        }
    }

    @Test func `overwritten pages are damage`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory, count: 200)
            var bytes = try DurableFiles.read(directory / "ledger.db", limit: 1 << 26)
            for index in 8192..<16384 { bytes[index] = 0xA5 }
            try DurableFiles.replace(directory / "ledger.db", bytes)
            #expect(try await refusal(directory) == .damaged)
        }
    }

    @Test func `another program's database and other files are refused`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            do { try Database(directory / "ledger.db", access: .create).execute("CREATE TABLE t (x)") }
            #expect(try await refusal(directory) == .foreignDatabase)
            try DurableFiles.replace(directory / "ledger.db", [UInt8](repeating: 0x20, count: 8192))
            #expect(try await refusal(directory) == .notADatabase)
            try DurableFiles.remove(directory / "ledger.db")
            try DurableFiles.makeDirectories(directory / "ledger.db")
            #expect(try await ledgerCode { _ = try LedgerFixture.open(directory) } == .notADatabase)
        }
    }

    @Test(arguments: ["ledger.id", "ledger.checkpoint", "ledger.db-wal", "batches/x"])
    func `a missing database is lost when anything of it is left`(_ trace: String) async throws {
        try await withTemporaryDirectory("ledger") { directory in
            try DurableFiles.makeDirectories((directory / trace).parent)
            try DurableFiles.create(directory / trace, [1])
            #expect(try await refusal(directory) == .lost)
            #expect(try !FileStatus.exists(directory / "ledger.db"))
        }
    }

    @Test func `another key and another origin are refused`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory)
            #expect(try await refusal(directory, keyByte: 8) == .wrongKey)
            #expect(try await refusal(directory, origin: "sentinel.local/OTHER") == .wrongOrigin)
            #expect(try await refusal(directory, origin: "no spaces") == .malformed)
        }
    }

    @Test func `a database of another installation is refused`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory / "a")
            _ = try await make(directory / "b")
            try DurableFiles.replace(directory / "a" / "ledger.db", DurableFiles.read(directory / "b" / "ledger.db", limit: 1 << 26))
            try DurableFiles.remove(directory / "a" / "ledger.checkpoint")
            #expect(try await refusal(directory / "a") == .wrongLedger)
        }
    }

    @Test func `an older copy of the database is a rollback`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory)
            let old = try DurableFiles.read(directory / "ledger.db", limit: 1 << 26)
            let note = try await make(directory)
            try DurableFiles.replace(directory / "ledger.db", old)
            #expect(try await refusal(directory) == .rolledBack)
            // Everything on the host put back: only a note from outside can tell.
            try DurableFiles.remove(directory / "ledger.checkpoint")
            #expect(try await refusal(directory) == nil)
            #expect(try await refusal(directory, outside: [note]) == .rolledBack)
        }
    }

    @Test func `a ledger with another history than a checkpoint is inconsistent`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let note = try await make(directory / "a")
            _ = try await make(directory / "b", count: 25)
            #expect(try await refusal(directory / "b", outside: [note]) == .inconsistent)
            #expect(try await refusal(directory / "b", outside: ["rubbish"]) == .inconsistent)
        }
    }

    @Test(arguments: [
        "DELETE FROM events WHERE sequence = 19", "DELETE FROM events WHERE sequence = 4", "DELETE FROM nodes WHERE level = 0 AND place = 19",
        "UPDATE events SET leaf = x'7b7d' WHERE sequence = 19", "UPDATE nodes SET hash = zeroblob(32) WHERE level = 1 AND place = 9",
        "UPDATE nodes SET hash = zeroblob(3) WHERE level = 4 AND place = 0", "DELETE FROM meta",
    ])
    func `a right edge that does not fit is refused`(_ sql: String) async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory)
            try LedgerFixture.tamper(directory, sql)
            let code = try await refusal(directory)
            #expect(code == .damaged || code == .inconsistent || code == .rolledBack, "\(String(describing: code))")
        }
    }

    @Test func `a newer format is refused`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory)
            try LedgerFixture.tamper(directory, "PRAGMA user_version=2")
            #expect(try await refusal(directory) == .unsupportedVersion)
        }
    }

    @Test func `two processes cannot have it open`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            #expect(try await ledgerCode { _ = try LedgerFixture.open(directory) } == .locked)
            ledger.close()
            #expect(try await ledgerCode { try LedgerFixture.open(directory).close() } == nil)
        }
    }

    @Test func `the marker lost in a crash is written again`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory)
            try DurableFiles.remove(directory / "ledger.id")
            #expect(try await refusal(directory) == nil)
            #expect(try FileStatus.exists(directory / "ledger.id"))
        }
    }

    @Test func `leftovers of a crash are removed`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            try DurableFiles.create(directory / "ledger.new-0f", [1])
            try DurableFiles.create(directory / "ledger.reserve-tmp-1", [1])
            _ = try await make(directory)
            #expect(try !FileStatus.exists(directory / "ledger.new-0f"))
            #expect(try !FileStatus.exists(directory / "ledger.reserve-tmp-1"))
        }
    }
}
