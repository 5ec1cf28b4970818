internal import Glibc
internal import IntegrityEngine
internal import Platform
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite struct ScannerTests {
    @Test func `every kind of entry is found, with its hash and target, in tree order`() throws {
        try withTemporaryDirectory("scan") { root in
            try Tree.makeDirectory(root / "d")
            try Tree.write(root / "d" / "f", "content")
            try Tree.write(root / "empty", "")
            try Tree.write(root / "d-x", "sibling")
            try Tree.link(root / "link", to: "d/f")
            try Tree.link(root / "dir-link", to: "d")
            try Tree.pipe(root / "pipe")
            let hostile = root.appending([0xFF, 0x0A, 0x1B, 0x5B])
            try Tree.write(hostile, "x")

            var order: [FilePath] = []
            var records: [FilePath: FileRecord] = [:]
            let report = try Scanner().scan([try WatchRule(path: root)]) { item in
                guard case .record(let record) = item else { return }
                order.append(record.path)
                records[record.path] = record
            }
            #expect(order == order.sorted { $0.precedesInTree($1) })
            #expect(Set(order) == [root, root / "d", root / "d" / "f", root / "empty", root / "d-x", root / "link", root / "dir-link", root / "pipe", hostile])
            #expect(records[root / "d" / "f"]?.content == .sha256(try SHA256.hash(Array("content".utf8))))
            #expect(records[root / "empty"]?.content == .sha256(try SHA256.hash([])))
            #expect(records[root / "link"]?.linkTarget == Array("d/f".utf8))
            #expect(records[root / "link"]?.kind == .symlink)
            #expect(records[root / "pipe"]?.kind == .fifo)
            #expect(records[root / "d"]?.kind == .directory)
            #expect(report.findingCount == 0 && report.isComplete)
            #expect(report.files == 4 && report.directories == 2 && report.others == 3)
        }
    }

    @Test func `extended attributes change the record`() async throws {
        let command = try #require(availableCommand("python3"))
        try await withTemporaryDirectory("xattr") { root in
            let file = root / "f"
            try Tree.write(file, "x")
            let before = try #require(try record(of: file))
            let set = "import os,sys; os.setxattr(sys.argv[1], b'user.note', b'v')"
            let result = try await runProcess([command, "-c", set, try #require(file.utf8)])
            try #require(result.status == 0, "\(result)")
            let after = try #require(try record(of: file))
            #expect(after.differences(from: before).contains(Attribute.extendedAttributes))
            #expect(!after.differences(from: before).contains(Attribute.content))
        }
    }

    @Test func `what is excluded is not entered, except on the way to another root`() throws {
        try withTemporaryDirectory("exclude") { root in
            for name in ["keep", "cache", "cache/deep"] { try Tree.makeDirectory(root / name) }
            for name in ["keep/a", "keep/a.tmp", "cache/b", "cache/deep/c"] { try Tree.write(root / name, name) }
            let rules = [
                try WatchRule(path: root, excludes: ["cache", "*.tmp"]), try WatchRule(path: root / "cache" / "deep"),
            ]
            #expect(
                Set(try scanned(rules).records.keys)
                    == [root, root / "keep", root / "keep" / "a", root / "cache" / "deep", root / "cache" / "deep" / "c"])
        }
    }

    @Test func `file systems of the kernel are not entered`() throws {
        let result = try scanned([try WatchRule(path: "/proc")])
        #expect(Array(result.records.keys) == ["/proc"])
    }

    @Test func `a missing root is a finding, not an error`() throws {
        try withTemporaryDirectory("missing") { root in
            let result = try scanned([try WatchRule(path: root / "nothing")])
            #expect(result.records.isEmpty)
            #expect(result.report.findings.map(\.kind) == [.missingRoot])
        }
    }

    @Test func `a file that changes under the hash is reported as unstable, never with a hash`() throws {
        try withTemporaryDirectory("unstable") { root in
            let file = root / "busy"
            // Sparse: long enough to hash that the writer is sure to come in between.
            try Tree.write(file, "")
            try systemCall("truncate", path: file) { unsafe file.withCString { unsafe truncate($0, 64 << 20) } }
            let over = SharedFlag()
            let writer = try WorkerThread(name: "writer") {
                var size = off_t(64 << 20)
                while !over.isSet {
                    size += 1
                    _ = unsafe file.withCString { unsafe truncate($0, size) }
                    usleep(2000)
                }
            }
            let result = try scanned([try WatchRule(path: file)])
            over.set()
            writer.join()
            #expect(result.records[file]?.content == .notHashed(.unstable))
            #expect(result.report.findings.map(\.kind) == [.unstable])
        }
    }

    @Test func `a metadata pass hashes only what was touched, a full pass everything`() throws {
        try withTemporaryDirectory("reuse") { root in
            try Tree.write(root / "a", "one")
            try Tree.write(root / "b", "two")
            let rules = RuleSet([try WatchRule(path: root)])
            var known: [FileRecord] = []
            _ = try Scanner().scan(rules) { if case .record(let record) = $0 { known.append(record) } }
            try Tree.write(root / "b", "TWO")
            try Tree.setModified(root / "b", 1_000_000)
            var after: [FilePath: FileRecord] = [:]
            let report = try Scanner().scan(rules, reuse: RecordList(known)) {
                if case .record(let record) = $0 { after[record.path] = record }
            }
            #expect(report.reusedHashes == 1 && report.hashedFiles == 1)
            #expect(after[root / "b"]?.content == .sha256(try SHA256.hash(Array("TWO".utf8))))
            #expect(after[root / "a"] == known.first { $0.path == root / "a" })
        }
    }

    @Test func `a scan of many directories holds few descriptors and can be cancelled`() throws {
        try withTemporaryDirectory("wide") { root in
            for index in 0..<600 {
                try Tree.makeDirectory(root / "d\(index)")
                try Tree.write(root / "d\(index)" / "f", "x")
            }
            var count = 0
            _ = try Scanner().scan([try WatchRule(path: root)]) { _ in
                count += 1
                // The thread that emits is the slow one here: everything else runs ahead as far as it may.
                if count % 100 == 0 { usleep(1000) }
            }
            #expect(count == 1201)
            var options = Scanner.Options()
            options.isCancelled = { true }
            #expect(try Scanner(options).scan([try WatchRule(path: root)]) { _ in }.isComplete == false)
        }
    }

    @Test func `an error of the receiver ends the scan`() throws {
        try withTemporaryDirectory("receiver") { root in
            for index in 0..<200 { try Tree.write(root / "\(index)", "x") }
            #expect(throws: SystemError.self) {
                try Scanner().scan([try WatchRule(path: root)]) { _ in throw SystemError("test", EIO) }
            }
        }
    }

    @Test(.enabled(if: isRoot)) func `what another user may not read is unexamined, not removed`() async throws {
        let directory = try TemporaryDirectory("unreadable")
        let root = directory.path
        try Tree.setMode(root, 0o755)
        try Tree.makeDirectory(root / "closed")
        try Tree.write(root / "closed" / "f", "secret")
        try Tree.write(root / "file", "secret")
        try Tree.write(root / "open", "x")
        try Tree.setMode(root / "closed", 0o700)
        try Tree.setMode(root / "file", 0o600)
        let text = try #require(root.utf8)
        var known: [FileRecord] = []
        _ = try Scanner().scan([try WatchRule(path: root)]) { if case .record(let record) = $0 { known.append(record) } }
        let batch = try AcceptBatch.encode(known.map { AcceptedRow($0) })
        await #expect(processExitsWith: .exitCode(0)) { [text = text as String, batch = batch as [UInt8]] in
            guard setgroups(0, nil) == 0, setgid(65534) == 0, setuid(65534) == 0 else { exit(2) }
            let root = FilePath(text)
            let rules = RuleSet([try WatchRule(path: root)])
            let known = try AcceptBatch.decode(batch).compactMap(\.record)
            var comparison = Comparison(before: RecordList(known), rules: rules, significance: .approved)
            var changes: [Change] = []
            var records: [FilePath: FileRecord] = [:]
            let report = try Scanner().scan(rules) { item in
                if case .record(let record) = item { records[record.path] = record }
                try comparison.take(item) { changes.append($0) }
            }
            try comparison.finish { changes.append($0) }
            printToStandardError("\(changes) \(report.findings) \(comparison.counts)")
            guard changes.isEmpty, comparison.counts.unexamined == 1, report.findingCount == 2,
                records[root / "file"]?.content == .notHashed(.permission),
                records[root / "closed"]?.content == .notHashed(.permission)
            else { exit(3) }
            exit(0)
        }
    }
}

/// A flag that threads share.
final class SharedFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
    func clear() { flag.store(false, ordering: .releasing) }
}
