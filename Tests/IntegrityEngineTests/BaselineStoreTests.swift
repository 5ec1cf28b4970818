internal import Glibc
internal import IntegrityEngine
internal import Platform
internal import TestSupport
internal import Testing

@Suite struct BaselineStoreTests {
    private func withStore(_ body: (FilePath, BaselineStore) throws -> Void) throws {
        try withTemporaryDirectory("baseline") { directory in
            try Tree.makeDirectory(directory / "watched")
            try body(directory / "watched", try BaselineStore(directory / "baseline.db"))
        }
    }

    @Test func `approved, changed, accepted again`() throws {
        try withStore { root, store in
            for name in ["same", "edited", "gone", "chmod"] { try Tree.write(root / name, name) }
            let rules = RuleSet([try WatchRule(path: root)])
            let first = try store.acceptCandidates(rules)
            #expect(first.rows.count == 5 && first.changes.allSatisfy { $0.kind == .added })
            try store.apply(batch: try AcceptBatch.encode(first.rows), sequence: 3, expectedRoot: first.root)
            #expect(try store.approvedRoot() == first.root && store.appliedSequence() == 3)
            #expect(try store.compare(.approved, with: rules) { _ in }.counts.isClean)

            let time = try #require(try record(of: root / "edited")).modified
            try Tree.write(root / "edited", "EDITED")
            try Tree.setModified(root / "edited", Int(time.seconds))
            try Tree.remove(root / "gone")
            try Tree.write(root / "new", "new")
            try Tree.setMode(root / "chmod", 0o4755)
            var changes: [FilePath: Change] = [:]
            let result = try store.compare(.approved, with: rules) { changes[$0.path] = $0 }
            #expect(result.counts.added == 1 && result.counts.removed == 1 && result.counts.changed == 2 && result.counts.same == 2)
            #expect(changes[root / "new"]?.kind == .added)
            #expect(changes[root / "gone"]?.kind == .removed)
            #expect(changes[root / "edited"]?.attributes.contains(Attribute.content) == true)
            #expect(changes[root / "chmod"]?.attributes.members == [.permissions, .changed])

            let partial = try store.acceptCandidates(rules, areas: [root / "new", root / "gone"])
            #expect(Set(partial.rows.map(\.path)) == [root / "new", root / "gone"])
            try store.apply(partial.rows, sequence: 9, expectedRoot: partial.root)
            let rest = try store.compare(.approved, with: rules) { _ in }
            #expect(rest.counts.changed == 2 && rest.counts.added == 0 && rest.counts.removed == 0)
            #expect(try store.verifyApproved(partial.root))
        }
    }

    @Test func `replaying an event again changes nothing, also after a wrong root`() throws {
        try withStore { root, store in
            try Tree.write(root / "a", "a")
            let rules = RuleSet([try WatchRule(path: root)])
            let candidate = try store.acceptCandidates(rules)
            #expect(throws: IntegrityError.self) { try store.apply(candidate.rows, sequence: 1, expectedRoot: .zero) }
            #expect(try store.count(.approved) == 0 && store.appliedSequence() == nil)
            #expect(try store.apply(candidate.rows, sequence: 1, expectedRoot: candidate.root))
            #expect(try !store.apply([AcceptedRow(removing: root / "a")], sequence: 1, expectedRoot: .zero))
            #expect(try !store.apply([AcceptedRow(removing: root / "a")], sequence: 0, expectedRoot: nil))
            #expect(try store.approvedRoot() == candidate.root && store.count(.approved) == 2)
            // All events once more from the beginning, as after the loss of the file.
            try store.clearApproved()
            #expect(try store.approvedRoot() == BaselineStore.emptyRoot())
            try store.apply(candidate.rows, sequence: 1, expectedRoot: candidate.root)
            #expect(try store.verifyApproved(candidate.root))
        }
    }

    @Test(arguments: ["baseline.before-commit", "baseline.applied"])
    func `a crash while a batch is applied leaves all of it or nothing`(point: String) async throws {
        let directory = try TemporaryDirectory("crash")
        let path = directory / "baseline.db"
        let text = try #require(path.utf8)
        await #expect(processExitsWith: .signal(SIGKILL)) { [text = text as String, point = point as String] in
            unsafe setenv("SENTINEL_FAULTS", "\(point)=kill", 1)
            let store = try BaselineStore(FilePath(text))
            try store.apply([AcceptedRow(FileRecord(path: "/x", status: FileStatus.ofLink("/")))], sequence: 1, expectedRoot: nil)
        }
        let store = try BaselineStore(path)
        let isApplied = point == "baseline.applied"
        #expect(try store.appliedSequence() == (isApplied ? 1 : nil))
        #expect(try store.count(.approved) == (isApplied ? 1 : 0))
        #expect(try store.verifyApproved(store.approvedRoot()))
        let row = AcceptedRow(FileRecord(path: "/x", status: try FileStatus.ofLink("/")))
        #expect(try store.apply([row], sequence: 1, expectedRoot: nil) == !isApplied)
    }

    @Test func `the root does not depend on the way to the state`() throws {
        var random = SeededRandom(for: "baseline root")
        let records = try (0..<60).map { try madeUpRecord(FilePath("/w/\($0)\($0 % 3 == 0 ? "/x" : "-y")"), &random) }
        try withStore { _, one in
            try withStore { _, other in
                try one.apply(records.map { AcceptedRow($0) }, sequence: 1, expectedRoot: nil)
                var sequence: Int64 = 0
                for record in records.shuffled(using: &random) {
                    let rows = [AcceptedRow(record)] + (random.oneIn(2) ? [AcceptedRow(removing: "/w/never")] : [])
                    let root = try other.approvedRoot(applying: rows)
                    sequence += 1
                    try other.apply(rows, sequence: sequence, expectedRoot: root)
                }
                #expect(try one.approvedRoot() == other.approvedRoot())
            }
        }
    }

    @Test func `a row changed behind our back changes the root`() throws {
        try withStore { root, store in
            try Tree.write(root / "a", "a")
            let candidate = try store.acceptCandidates(RuleSet([try WatchRule(path: root)]))
            try store.apply(candidate.rows, sequence: 1, expectedRoot: candidate.root)
            let database = try Database(store.path, access: .readWrite)
            var forged = try #require(candidate.rows.last?.record)
            forged.permissions ^= 0o4000
            let bytes = forged.canonicalBytes.dropFirst(4 + forged.path.bytes.count)
            try database.run("UPDATE approved SET record = ?2 WHERE key = ?1", .blob(forged.path.treeKey), .blob(Array(bytes)))
            #expect(database.changedRows == 1)
            #expect(try !store.verifyApproved(candidate.root))
            try database.run("UPDATE approved SET record = x'00'")
            #expect(throws: IntegrityError.self) { try store.compare(.approved, with: RuleSet([try WatchRule(path: root)])) { _ in } }
        }
    }

    @Test func `paths that no rule covers any more are not called removed`() throws {
        try withStore { root, store in
            try Tree.write(root / "a", "a")
            try Tree.write(root / "b.log", "b")
            let candidate = try store.acceptCandidates(RuleSet([try WatchRule(path: root)]))
            try store.apply(candidate.rows, sequence: 1, expectedRoot: candidate.root)
            let narrower = RuleSet([try WatchRule(path: root, excludes: ["*.log"])])
            let counts = try store.compare(.approved, with: narrower) { _ in }.counts
            #expect(counts.isClean && counts.uncovered == 1 && counts.same == 2)
        }
    }

    @Test func `a fingerprint is that of the difference, not of its finding`() throws {
        var random = SeededRandom(for: "fingerprint")
        let record = try madeUpRecord("/a", &random)
        var other = record
        other.permissions ^= 1
        let one = try #require(Change(path: "/a", before: record, after: other, significance: .observed))
        let same = try #require(Change(path: "/a", before: record, after: other, significance: .exact))
        let back = try #require(Change(path: "/a", before: other, after: record, significance: .observed))
        #expect(try one.fingerprint() == same.fingerprint())
        #expect(try one.fingerprint() != back.fingerprint())
    }
}
