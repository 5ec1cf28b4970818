import Ledger
import Platform
import TestSupport
import Testing

@Suite struct ProjectionTests {
    @Test func `built again, the tables hold what they held`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            try await LedgerFixture.append(1200, to: ledger, note: "ghi chú")
            let before = try await ledger.read { try LedgerFixture.dump($0) }
            #expect(before.count == 1201)
            try await ledger.rebuild()
            #expect(try await ledger.read { try LedgerFixture.dump($0) } == before)
            try await LedgerFixture.append(1, to: ledger, note: "sau")
            #expect(try await ledger.read { try LedgerFixture.dump($0) }.count == 1202)
            ledger.close()
        }
    }

    struct Latest: Projection {
        let name = "latest"
        let schema: String
        let tables = ["latest"]
        func apply(_ event: Event, to database: Database) throws {
            try database.run("INSERT OR REPLACE INTO latest (subject, sequence) VALUES (?1, ?2)", .text(event.subject), .integer(event.sequence))
        }
    }

    @Test func `a projection that is new or changed is built from all events when the ledger opens`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            try await LedgerFixture.append(30, to: ledger)
            ledger.close()
            for column in ["", ", more INTEGER"] {
                let latest = Latest(
                    schema: "CREATE TABLE IF NOT EXISTS latest (subject TEXT PRIMARY KEY, sequence INTEGER NOT NULL\(column)) STRICT")
                let ledger = try LedgerFixture.open(directory, projections: LedgerFixture.projections + [latest])
                let rows = try await ledger.read { database in
                    try database.all("SELECT sequence FROM latest ORDER BY subject") { row throws(DatabaseError) in row.integer(0) }
                }
                #expect(rows == [25, 26, 27, 28, 29])
                ledger.close()
            }
        }
    }

    @Test func `a projection that fails while it is built again leaves the old tables`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory, projections: [])
            try await ledger.commit { _ = try $0.append(LedgerFixture.draft("test.refused")) }
            ledger.close()
            #expect(throws: ProjectionRefusal.self) { _ = try LedgerFixture.open(directory) }
            let again = try LedgerFixture.open(directory, projections: [])
            #expect(try await again.verify().isIntact)
            again.close()
        }
    }
}
