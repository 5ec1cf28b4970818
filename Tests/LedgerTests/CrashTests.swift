import Glibc
import Ledger
import Platform
import TestSupport
import Testing

/// Child processes that die at a planned moment: what was acknowledged must be there afterwards.
@Suite struct CrashTests {
    /// Commits from eight tasks until the planned fault kills the process; notes each acknowledged sequence in `acks`.
    static func commitUntilKilled(_ directory: String, faults: String) async throws {
        planFaults(faults)
        let directory = FilePath(directory)
        let ledger = try LedgerFixture.open(directory)
        let acks = try FileDescriptor.open(directory / "acks", O_WRONLY | O_APPEND | O_CREAT).release()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for index in 0..<200 {
                        let event = try await ledger.commit { transaction in
                            try transaction.append(LedgerFixture.draft("test.happened", task * 1000 + index, note: "n"))
                        }
                        let line = Array("\(event.sequence) \(task * 1000 + index)\n".utf8)
                        _ = unsafe write(acks, line, line.count)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func checkAfterCrash(_ directory: FilePath) async throws {
        let acknowledged =
            try FileStatus.exists(directory / "acks")
            ? String(decoding: DurableFiles.read(directory / "acks", limit: 1 << 20), as: UTF8.self).split(separator: "\n") : []
        let ledger = try LedgerFixture.open(directory)
        let events = try await ledger.events()
        for line in acknowledged {
            let parts = line.split(separator: " ").compactMap { Int64($0) }
            #expect(events.indices.contains(Int(parts[0])) && events[Int(parts[0])].facts["index"]?.integer == parts[1], "lost \(line)")
        }
        let report = try await ledger.verify()
        #expect(report.isIntact, "\(report.problems)")
        let before = try await ledger.read { try LedgerFixture.dump($0) }
        try await ledger.rebuild()
        #expect(try await ledger.read { try LedgerFixture.dump($0) } == before)
        try await LedgerFixture.append(3, to: ledger)
        #expect(try await ledger.verify().isIntact)
        ledger.close()
    }

    @Test(arguments: ["ledger.before-commit=kill@1", "ledger.before-commit=kill@7", "ledger.committed=kill@1", "ledger.committed=kill@9"])
    func `no acknowledged event is lost when the process is killed`(_ faults: String) async throws {
        try await withTemporaryDirectory("ledger-crash") { directory in
            let path = try #require(directory.utf8)
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, faults = faults as String] in
                try await CrashTests.commitUntilKilled(path, faults: faults)
            }
            try await checkAfterCrash(directory)
        }
    }

    @Test(arguments: ["file.written", "file.synchronised", "file.renamed"], [1, 2, 3])
    func `a crash while the ledger is created leaves none or a whole one`(_ point: String, _ occurrence: Int) async throws {
        try await withTemporaryDirectory("ledger-crash") { directory in
            let path = try #require(directory.utf8)
            let faults = "\(point)=kill@\(occurrence)"
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, faults = faults as String] in
                try await CrashTests.commitUntilKilled(path, faults: faults)
            }
            try await checkAfterCrash(directory)
        }
    }

    /// A failing COMMIT fails every caller in its batch, and memory and disk stay as they were.
    @Test func `a COMMIT that fails leaves nothing behind`() async throws {
        await #expect(processExitsWith: .success) {
            planFaults("ledger.before-commit=fail@2")
            try await withTemporaryDirectory("ledger-fault") { directory in
                let ledger = try LedgerFixture.open(directory)
                try await LedgerFixture.append(5, to: ledger)
                let before = try await ledger.read { try LedgerFixture.dump($0) }
                #expect(try await ledgerCode { try await LedgerFixture.append(6, to: ledger, note: "x") } == .storage)
                #expect(try await ledger.read { try LedgerFixture.dump($0) } == before)
                try await LedgerFixture.append(7, to: ledger, note: "x")
                #expect(try await ledger.events().map(\.sequence) == Array(0..<12))
                #expect(try await ledger.verify().isIntact)
                ledger.close()
            }
        }
    }

    @Test func `with the disk full once the reserve lets the commit through`() async throws {
        await #expect(processExitsWith: .success) {
            planFaults("ledger.before-commit=nospace@1")
            try await withTemporaryDirectory("ledger-fault") { directory in
                let ledger = try LedgerFixture.open(directory)
                try await LedgerFixture.append(5, to: ledger)
                #expect(try await ledger.events().count == 5)
                #expect(try !FileStatus.exists(directory / "ledger.reserve"))
                #expect(try await ledger.verify().isIntact)
                ledger.close()
            }
        }
    }

    @Test func `a checkpoint file that could not be written is written by the next try`() async throws {
        await #expect(processExitsWith: .success) {
            // 1 database, 2 marker, 3 reserve, 4 checkpoint
            planFaults("file.written=fail@4")
            try await withTemporaryDirectory("ledger-fault") { directory in
                let ledger = try LedgerFixture.open(directory)
                try await LedgerFixture.append(5, to: ledger)
                await #expect(throws: SystemError.self) { _ = try await ledger.checkpoint() }
                let note = try await ledger.checkpoint()
                #expect(try DurableFiles.read(directory / "ledger.checkpoint", limit: 4096) == Array(note.utf8))
                ledger.close()
            }
        }
    }
}

/// Sets the faults of this process; before the first of them is looked at.
private func planFaults(_ faults: String) { unsafe setenv("SENTINEL_FAULTS", faults, 1) }
