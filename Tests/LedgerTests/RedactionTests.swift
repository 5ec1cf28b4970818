import Ledger
import Platform
import TestSupport
import Testing

@Suite struct RedactionTests {
    private static let an = Actor.person("an", uid: 1001)
    private static let binh = Actor.person("binh", uid: 1002)

    @Test func `an erased text is gone from every file, and all proofs still hold`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            let key = try NoteVerifier(vkey: ledger.verificationKey)
            try await LedgerFixture.append(5, to: ledger, note: "Nguyễn-bí-mật")
            let proof = try await ledger.proof(of: 3)
            let before = try await ledger.checkpoint()
            let record = try await ledger.redact(sequence: 3, field: "note", by: [Self.an, Self.binh])
            #expect(record.kind == "ledger.redacted" && record.facts["sequence"] == 3)
            let event = try #require(try await ledger.events(after: 2, limit: 1).first)
            #expect(event.isRedacted("note") && event.text("note") == nil)
            try TransparencyProof(parsing: proof).verify(key: key)
            try TransparencyProof(parsing: try await ledger.proof(of: 3)).verify(key: key)
            let report = try await ledger.verify()
            #expect(report.isIntact && report.redactedTexts == 1 && report.texts == 4, "\(report.problems)")
            #expect(!ledger.statistics.isPurgePending)
            let secret = Array("Nguyễn-bí-mật 3".utf8)
            for name in ["ledger.db", "ledger.db-wal"] where try FileStatus.exists(directory / name) {
                let bytes = try DurableFiles.read(directory / name, limit: 1 << 26)
                #expect(!contains(bytes, secret), "\(name)")
            }
            _ = try Checkpoint(note: before, key: key)
            let rows = try await ledger.read { try LedgerFixture.dump($0) }
            #expect(rows.contains("note 3 -"))
            try await ledger.rebuild()
            #expect(try await ledger.read { try LedgerFixture.dump($0) } == rows)
            ledger.close()
        }
    }

    @Test(arguments: [
        [], [an], [an, an], [an, Actor.person("an2", uid: 1001)], [an, Actor.person("root", uid: 0)], [an, Actor.system("core")],
        [an, Actor(kind: .person, name: "x")],
    ])
    func `without two persons nothing is erased`(_ actors: [Actor]) async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            try await LedgerFixture.append(1, to: ledger, note: "ở lại")
            #expect(try await ledgerCode { try await ledger.redact(sequence: 0, field: "note", by: actors) } == .refused)
            #expect(try await ledger.events().first?.text("note") == "ở lại 0")
            ledger.close()
        }
    }

    @Test func `what is not there cannot be erased, nor twice`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            try await LedgerFixture.append(1, to: ledger, note: "x")
            let both = [Self.an, Self.binh]
            #expect(try await ledgerCode { try await ledger.redact(sequence: 7, field: "note", by: both) } == .unknown)
            #expect(try await ledgerCode { try await ledger.redact(sequence: 0, field: "other", by: both) } == .unknown)
            try await ledger.redact(sequence: 0, field: "note", by: both)
            #expect(try await ledgerCode { try await ledger.redact(sequence: 0, field: "note", by: both) } == .refused)
            ledger.close()
        }
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard bytes.count >= part.count else { return false }
        return (0...(bytes.count - part.count)).contains { bytes[$0] == part[0] && bytes[$0..<$0 + part.count].elementsEqual(part) }
    }
}
