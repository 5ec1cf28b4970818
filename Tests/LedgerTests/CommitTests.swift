import Ledger
import Platform
import TestSupport
import Testing

@Suite struct CommitTests {
    @Test func `events come back as they were appended`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let moment = Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_789)
            let draft = EventDraft(
                kind: "incident.opened", subject: "INC-1", actor: .person("an", uid: 1001, pid: 42), moment: moment,
                facts: ["severity": "high", "list": [1, "hai", nil]], texts: ["note": "Mất điện tại phòng máy", "empty": ""])
            let ledger = try LedgerFixture.open(directory)
            let appended = try await ledger.commit { try $0.append(draft) }
            #expect(appended.sequence == 0)
            #expect(appended.moment == Timestamp(seconds: 1_700_000_000, nanoseconds: 123_000_000))
            #expect(try await ledger.events() == [appended])
            ledger.close()
            let again = try LedgerFixture.open(directory)
            #expect(try await again.events() == [appended])
            #expect(appended.text("note") == "Mất điện tại phòng máy")
            again.close()
        }
    }

    @Test func `questions by kind, subject, place and number are answered`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            try await ledger.commit { transaction in
                for index in 0..<20 { try transaction.append(LedgerFixture.draft(index % 2 == 0 ? "a.even" : "a.odd", index)) }
            }
            #expect(try await ledger.events(after: 17).map(\.sequence) == [18, 19])
            #expect(try await ledger.events(limit: 3, kinds: ["a.odd"]).map(\.sequence) == [1, 3, 5])
            #expect(try await ledger.events(kinds: ["a.odd", "a.even"], subject: "thing-3").map(\.sequence) == [3, 8, 13, 18])
            #expect(try await ledger.events(kinds: []).isEmpty)
            #expect(try await ledger.read { try EventTable.event(99, in: $0) } == nil)
            ledger.close()
        }
    }

    @Test func `a header beyond 4 KiB is refused and its largest field named`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            var draft = LedgerFixture.draft()
            draft.facts["long"] = .string(String(repeating: "x", count: 5000))
            let long = draft
            do {
                try await ledger.commit { try $0.append(long) }
                Issue.record("accepted")
            } catch let error as LedgerError {
                #expect(error.code == .leafTooLarge)
                #expect(error.message.en.contains("facts.long"))
            }
            // The refusal comes before anything is written, so a body may go on after it.
            let event = try await ledger.commit { transaction in
                do {
                    try transaction.append(long)
                } catch let error as LedgerError where error.code == .leafTooLarge {
                    return try transaction.append(LedgerFixture.draft("test.shortened"))
                }
                throw BodyFailure()
            }
            #expect(event.sequence == 0)
            ledger.close()
        }
    }

    @Test(arguments: ["", "has space", "nhãn", String(repeating: "k", count: 65)])
    func `a kind of another form is refused`(_ kind: String) async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            #expect(try await ledgerCode { _ = try await ledger.commit { try $0.append(LedgerFixture.draft(kind)) } } == .invalidEvent)
            ledger.close()
        }
    }

    @Test func `a body that throws undoes itself alone`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            let gate = Gate(ledger)
            try await gate.waitUntilHeld()
            async let results = withTaskGroup(of: Result<Int64, any Error>.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        do {
                            return .success(
                                try await ledger.commit { transaction in
                                    let event = try transaction.append(LedgerFixture.draft("test.happened", index, note: "n\(index)"))
                                    if index % 4 == 0 { throw BodyFailure() }
                                    return event.sequence
                                })
                        } catch {
                            return .failure(error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            try await Task.sleep(for: .milliseconds(100))
            gate.open()
            let all = await results
            let sequences = all.compactMap { try? $0.get() }.sorted()
            #expect(sequences == Array(0..<30))
            #expect(ledger.statistics.failedBodies == 10)
            #expect(try await ledger.read { try LedgerFixture.dump($0) }.count == 31)
            #expect(try await ledger.verify().isIntact)
            ledger.close()
        }
    }

    @Test func `an error inside a projection cannot be swallowed by the body`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            await #expect(throws: ProjectionRefusal.self) {
                try await ledger.commit { transaction in
                    try transaction.append(LedgerFixture.draft())
                    _ = try? transaction.append(LedgerFixture.draft("test.refused"))
                }
            }
            #expect(try await ledger.events().isEmpty)
            #expect(try await ledger.verify().isIntact)
            ledger.close()
        }
    }

    @Test func `bodies that wait together share a COMMIT`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            let gate = Gate(ledger)
            try await gate.waitUntilHeld()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<50 {
                    group.addTask { _ = try await ledger.commit { try $0.append(LedgerFixture.draft("test.happened", index)) } }
                }
                try await Task.sleep(for: .milliseconds(300))
                #expect(ledger.statistics.commits == 0)
                gate.open()
                try await group.waitForAll()
            }
            #expect(ledger.statistics.bodies == 51)
            #expect(ledger.statistics.commits <= 5, "\(ledger.statistics.commits) COMMITs for 51 bodies")
            ledger.close()
        }
    }

    @Test func `reading does not wait for a commit`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            try await LedgerFixture.append(3, to: ledger)
            let gate = Gate(ledger)
            try await gate.waitUntilHeld()
            #expect(try await ledger.events().count == 3)
            gate.open()
            ledger.close()
        }
    }

    @Test func `the queue is bounded, and a closed ledger says so`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory, waitingLimit: 4)
            let gate = Gate(ledger)
            try await gate.waitUntilHeld()
            let codes = try await withThrowingTaskGroup(of: LedgerError.Code?.self) { group in
                for index in 0..<10 {
                    group.addTask {
                        try await ledgerCode { _ = try await ledger.commit { try $0.append(LedgerFixture.draft("test.happened", index)) } }
                    }
                }
                try await Task.sleep(for: .milliseconds(200))
                gate.open()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == .overloaded }.count == 6)
            #expect(try await ledger.events().count == 4)
            ledger.close()
            #expect(try await ledgerCode { try await ledger.commit { _ in } } == .closed)
            #expect(try await ledgerCode { _ = try await ledger.events() } == .closed)
            ledger.close()
        }
    }

    @Test func `a body that gives up the transaction harms nobody`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            try await LedgerFixture.append(5, to: ledger)
            await #expect(throws: (any Error).self) {
                try await ledger.commit { transaction in
                    try transaction.append(LedgerFixture.draft())
                    try transaction.database.execute("ROLLBACK")
                    try transaction.append(LedgerFixture.draft())
                }
            }
            try await LedgerFixture.append(5, to: ledger)
            #expect(try await ledger.events().count == 10)
            #expect(try await ledger.verify().isIntact)
            ledger.close()
        }
    }

    @Test func `a full disk takes the reserve, and then is an error that loses nothing`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            try await LedgerFixture.append(1, to: ledger)
            #expect(try FileStatus.exists(directory / "ledger.reserve"))
            // SQLite answers "full" beyond this number of pages, as it does when the disk is.
            try await ledger.commit { transaction in
                let pages = try transaction.database.first("PRAGMA page_count") { row throws(DatabaseError) in row.integer(0) } ?? 0
                try transaction.database.execute("PRAGMA max_page_count=\(pages + 20)")
            }
            let code = try await ledgerCode { try await LedgerFixture.append(2000, to: ledger, note: String(repeating: "x", count: 500)) }
            #expect(code == .noSpace)
            #expect(try !FileStatus.exists(directory / "ledger.reserve"))
            #expect(!ledger.statistics.hasReserve)
            try await LedgerFixture.append(1, to: ledger)
            #expect(try await ledger.events().count == 2)
            #expect(try await ledger.verify().isIntact)
            ledger.close()
            let again = try LedgerFixture.open(directory)
            #expect(try FileStatus.exists(directory / "ledger.reserve"))
            again.close()
        }
    }

    @Test func `appends can be measured`() async throws {
        try await withTemporaryDirectory("ledger") { directory in
            let ledger = try LedgerFixture.open(directory)
            let single = try await ledger.measureAppends(50)
            let batched = try await ledger.measureAppends(1001, perCommit: 100, writers: 4)
            #expect(single > 0 && batched > 0)
            #expect(try await ledger.events().count == 1051)
            ledger.close()
        }
    }
}

/// A body that holds the writing thread until it is let go.
final class Gate: Sendable {
    private struct State { var isHeld = false; var isOpen = false }
    private let state: Monitor<State>

    init(_ ledger: Ledger) {
        let state = Monitor(State())
        self.state = state
        Task {
            try await ledger.commit { transaction in
                try transaction.database.execute("CREATE TABLE IF NOT EXISTS gate (x INTEGER) STRICT")
                state.change { $0.isHeld = true }
                state.wait { $0.isOpen ? () : nil }
            }
        }
    }

    func waitUntilHeld() async throws {
        while !state.read({ $0.isHeld }) { try await Task.sleep(for: .milliseconds(2)) }
    }

    func open() { state.change { $0.isOpen = true } }
}
