import Ledger
import Platform
import TestSupport
import Testing

@Suite struct VerificationTests {
    /// A closed ledger of 40 events, 20 of them under a checkpoint, one with a batch.
    private func make(_ directory: FilePath) async throws -> (vkey: String, batch: Digest) {
        let ledger = try LedgerFixture.open(directory)
        try await LedgerFixture.append(20, to: ledger, note: "văn bản")
        _ = try await ledger.checkpoint()
        try await LedgerFixture.append(19, to: ledger, note: "thêm")
        let batch = try BatchStore(directory: ledger.files.batches).write(Array("rows".utf8))
        try await ledger.commit { transaction in
            var draft = LedgerFixture.draft("baseline.accepted")
            draft.facts[Event.batchFact] = .string(batch.hex)
            try transaction.append(draft)
        }
        _ = try await ledger.checkpoint()
        let vkey = ledger.verificationKey
        ledger.close()
        return (vkey, batch)
    }

    private func verify(_ directory: FilePath, _ vkey: String, outside: [String] = []) throws -> VerificationReport {
        try withTemporaryDirectory("scratch") { scratch in
            let report = try LedgerVerifier.verify(
                directory: directory, vkey: vkey, scratch: scratch, outsideCheckpoints: outside)
            #expect(directoryEntries(scratch).isEmpty)
            return report
        }
    }

    @Test func `a sound ledger has no problems, and everything was counted`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let (vkey, _) = try await make(directory)
            let report = try verify(directory, vkey)
            #expect(report.isIntact, "\(report.problems)")
            #expect(report.events == 40 && report.texts == 39 && report.batches == 1 && report.confirmedEvents == 40)
            // Two rows and the file.
            #expect(report.checkpoints == 3)
        }
    }

    @Test func `the offline verifier sees what only the write-ahead log holds, and changes nothing`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            try await LedgerFixture.append(7, to: ledger)
            let before = try DurableFiles.read(directory / "ledger.db-wal", limit: 1 << 26)
            #expect(!before.isEmpty)
            let names = Set(directoryEntries(directory))
            #expect(try verify(directory, ledger.verificationKey).events == 7)
            #expect(try DurableFiles.read(directory / "ledger.db-wal", limit: 1 << 26) == before)
            #expect(Set(directoryEntries(directory)) == names)
            ledger.close()
        }
    }

    @Test(arguments: [
        ("UPDATE events SET leaf = replace(leaf, 'test', 'tost') WHERE sequence = 11", VerificationProblem.Kind.node),
        ("UPDATE events SET leaf = x'7b7d' WHERE sequence = 11", .leaf),
        ("UPDATE events SET kind = 'other' WHERE sequence = 11", .leaf),
        ("UPDATE events SET subject = 'other' WHERE sequence = 11", .leaf),
        ("UPDATE events SET time = 5 WHERE sequence = 11", .leaf),
        ("DELETE FROM events WHERE sequence = 11", .sequence),
        ("UPDATE nodes SET hash = zeroblob(32) WHERE level = 2 AND place = 1", .node),
        ("DELETE FROM nodes WHERE level = 0 AND place = 11", .node),
        ("INSERT INTO nodes VALUES (0, 40, zeroblob(32))", .node),
        ("UPDATE payloads SET payload = 'x' WHERE sequence = 11", .payload),
        ("UPDATE payloads SET salt = zeroblob(16) WHERE sequence = 11", .payload),
        ("DELETE FROM payloads WHERE sequence = 11", .payload),
        ("INSERT INTO payloads VALUES (11, 'more', x'00', x'00')", .payload),
        ("INSERT INTO payloads VALUES (99, 'note', x'00', x'00')", .payload),
        ("UPDATE payloads SET salt = NULL, payload = NULL WHERE sequence = 11", .redaction),
        ("UPDATE payloads SET salt = NULL WHERE sequence = 11", .payload),
        ("UPDATE checkpoints SET note = replace(note, 'TEST', 'TOST') WHERE size = 20", .checkpoint),
        ("UPDATE checkpoints SET size = 21 WHERE size = 20", .checkpoint),
        ("UPDATE meta SET value = 'x' WHERE name = 'key'", .identity),
    ])
    func `every tampering is found`(_ sql: String, _ kind: VerificationProblem.Kind) async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let (vkey, _) = try await make(directory)
            try LedgerFixture.tamper(directory, sql.blobCast())
            let report = try verify(directory, vkey)
            #expect(report.problems.contains { $0.kind == kind }, "\(report.problems)")
        }
    }

    @Test func `events removed from the end are missed by the checkpoint`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let (vkey, _) = try await make(directory)
            try LedgerFixture.tamper(
                directory,
                "DELETE FROM events WHERE sequence >= 32; DELETE FROM payloads WHERE sequence >= 32; DELETE FROM nodes WHERE level = 0 AND place >= 32; DELETE FROM checkpoints WHERE size > 32"
            )
            try LedgerFixture.tamper(directory, "DELETE FROM nodes WHERE (place + 1) << level > 32")
            let report = try verify(directory, vkey)
            #expect(report.problems.map(\.kind) == [.checkpoint], "\(report.problems)")
        }
    }

    @Test func `a missing or damaged batch is found`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let (vkey, batch) = try await make(directory)
            let path = directory / "batches" / batch.hex
            try DurableFiles.replace(path, Array("other".utf8))
            #expect(try verify(directory, vkey).problems.map(\.kind) == [.batch])
            try DurableFiles.remove(path)
            #expect(try verify(directory, vkey).problems.map(\.sequence) == [39])
        }
    }

    @Test func `with another key nothing is confirmed`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            _ = try await make(directory)
            let other = try NoteVerifier(name: LedgerFixture.origin, key: LedgerFixture.key(9).verificationKey)
            let report = try verify(directory, other.text)
            #expect(report.confirmedEvents == 0)
            #expect(report.problems.contains { $0.kind == .identity })
        }
    }

    @Test func `a damaged file gives problems, a missing one an error`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let (vkey, _) = try await make(directory)
            var bytes = try DurableFiles.read(directory / "ledger.db", limit: 1 << 26)
            for index in 4096..<12288 { bytes[index] = 0x5A }
            try DurableFiles.replace(directory / "ledger.db", bytes)
            #expect(try !verify(directory, vkey).isIntact)
            try DurableFiles.remove(directory / "ledger.db")
            #expect(try await ledgerCode { _ = try verify(directory, vkey) } == .lost)
        }
    }

    @Test func `proofs and consistency between checkpoints verify with the key alone`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            let key = try NoteVerifier(vkey: ledger.verificationKey)
            var checkpoints: [Checkpoint] = [try Checkpoint(note: await ledger.checkpoint(), key: key)]
            for count in [1, 4, 9] {
                try await LedgerFixture.append(count, to: ledger)
                checkpoints.append(try Checkpoint(note: await ledger.checkpoint(), key: key))
            }
            #expect(checkpoints.map(\.size) == [0, 1, 5, 14])
            #expect(try await ledger.checkpoint() == ledger.latestCheckpoint())
            #expect(try DurableFiles.read(directory / "ledger.checkpoint", limit: 4096) == Array(try await ledger.checkpoint().utf8))
            var hasher = try MerkleHasher()
            for old in checkpoints {
                for new in checkpoints where new.size >= old.size {
                    let hashes = try await ledger.consistencyProof(from: old.size, to: new.size)
                    #expect(try MerkleProof.isConsistent(old.root, of: old.size, with: new.root, of: new.size, hashes: hashes, &hasher))
                }
            }
            try await LedgerFixture.append(3, to: ledger)
            for sequence in Int64(0)..<17 {
                let proof = try TransparencyProof(parsing: await ledger.proof(of: sequence))
                #expect(proof.index == sequence)
                try proof.verify(key: key)
                #expect(try await ledgerCode { try proof.verify(leaf: Array("other".utf8), key: key) } == .unauthentic)
            }
            #expect(try await ledgerCode { _ = try await ledger.proof(of: 17) } == .unknown)
            ledger.close()
        }
    }

    @Test func `a tree that contradicts its checkpoint is never signed`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            try await LedgerFixture.append(8, to: ledger)
            _ = try await ledger.checkpoint()
            try await LedgerFixture.append(1, to: ledger)
            try await ledger.commit { try $0.database.execute("UPDATE nodes SET hash = zeroblob(32) WHERE level = 3") }
            #expect(try await ledgerCode { _ = try await ledger.checkpoint() } == .inconsistent)
            ledger.close()
        }
    }

    @Test func `a batch is written once, read back and checked`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let store = BatchStore(directory: directory / "batches")
            let id = try store.write([1, 2, 3])
            #expect(try store.write([1, 2, 3]) == id)
            #expect(try store.read(id, limit: 3) == [1, 2, 3])
            #expect(throws: SystemError.self) { try store.read(id, limit: 2) }
            #expect(try await ledgerCode { _ = try store.read(.zero, limit: 9) } == .unknown)
            try DurableFiles.replace(store.path(of: id), [9])
            #expect(try await ledgerCode { _ = try store.read(id, limit: 9) } == .damaged)
            #expect(try store.write([1, 2, 3]) == id)
            #expect(try store.read(id, limit: 3) == [1, 2, 3])
        }
    }
}

extension String {
    /// SQLite's replace() gives text; the leaf is a blob.
    fileprivate func blobCast() -> String {
        hasPrefix("UPDATE events SET leaf = replace")
            ? "UPDATE events SET leaf = CAST(replace(CAST(leaf AS TEXT), 'test', 'tost') AS BLOB) WHERE sequence = 11"
            : hasPrefix("UPDATE payloads SET payload = 'x'") ? "UPDATE payloads SET payload = x'78' WHERE sequence = 11" : self
    }
}
