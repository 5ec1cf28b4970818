internal import IntegrityEngine
internal import Platform
internal import TestSupport
internal import Testing

@Suite struct RecordTests {
    @Test func `a record is the same after encoding and decoding`() throws {
        var random = SeededRandom(for: "record round trip")
        for _ in 0..<500 {
            let original = try madeUpRecord(FilePath(bytes: [0x2F] + random.bytes(20).map { $0 | 1 }), &random)
            #expect(try FileRecord(canonicalBytes: original.canonicalBytes) == original)
        }
    }

    @Test func `damaged records are reported, and what decodes encodes to the same bytes`() throws {
        var random = SeededRandom(for: "record corpus")
        let corpus = try (0..<8).map { _ in try madeUpRecord("/etc/passwd", &random).canonicalBytes }
        try fuzz("file record", corpus: corpus) { bytes in
            if let record = try? FileRecord(canonicalBytes: bytes) { #expect(record.canonicalBytes == bytes) }
        }
    }

    @Test func `damaged batches are reported, and what decodes encodes to the same bytes`() throws {
        var random = SeededRandom(for: "batch corpus")
        var rows = try (0..<6).map { AcceptedRow(try madeUpRecord(FilePath("/srv/\($0)"), &random)) }
        rows.append(AcceptedRow(removing: "/srv/gone"))
        let corpus = [try AcceptBatch.encode(rows), try AcceptBatch.encode([])]
        #expect(Set(try AcceptBatch.decode(corpus[0])) == Set(rows))
        try fuzz("accept batch", corpus: corpus) { bytes in
            guard let rows = try? AcceptBatch.decode(bytes) else { return }
            let encoded = try AcceptBatch.encode(rows)
            #expect(encoded == bytes)
        }
    }

    @Test func `a batch with one path twice is refused`() throws {
        #expect(throws: IntegrityError.self) { try AcceptBatch.encode([.init(removing: "/a"), .init(removing: "/a")]) }
    }

    @Test func `tree order puts a directory before its entries and these before its siblings`() {
        let ordered: [FilePath] = ["/", "/a", "/a/b", "/a/b/c", "/a/z", "/a-b", "/a.b", "/b"]
        #expect(Array(ordered.shuffled()).sorted { $0.precedesInTree($1) } == ordered)
        #expect(ordered.map(\.treeKey) == ordered.map(\.treeKey).sorted { $0.lexicographicallyPrecedes($1) })
        for path in ordered { #expect(FilePath(treeKey: path.treeKey) == path) }
        let below = FilePath("/a").treeKeysBelow
        #expect(ordered.filter { below.contains(TreeKeyBound(bytes: $0.treeKey)) } == ["/a/b", "/a/b/c", "/a/z"])
        let all = FilePath("/").treeKeysBelow
        #expect(ordered.filter { all.contains(TreeKeyBound(bytes: $0.treeKey)) }.count == ordered.count - 1)
    }

    @Test func `an unknown hash is different from no other`() throws {
        var random = SeededRandom(for: "unknown hash")
        var one = try madeUpRecord("/a", &random)
        one.kind = .file
        one.content = .sha256(.zero)
        var other = one
        other.content = .notHashed(.permission)
        #expect(Change(path: "/a", before: one, after: other, significance: .approved) == nil)
        other.content = .sha256(try SHA256.hash([1]))
        #expect(Change(path: "/a", before: one, after: other, significance: .approved)?.attributes.members == [.content])
    }

    @Test(arguments: [
        ("*.tmp", "/r/a.tmp", true), ("*.tmp", "/r/x/a.tmp", true), ("*.tmp", "/r/a.tmpx", false),
        ("cache", "/r/x/cache", true), ("x/cache", "/r/x/cache", true), ("x/cache", "/r/y/x/cache", false),
        ("x/*/z", "/r/x/y/z", true), ("x/*/z", "/r/x/y/y/z", false), ("x/**/z", "/r/x/y/y/z", true),
        ("/r/a?", "/r/ab", true), ("/r/a?", "/r/a/b", false), ("[a-c]1", "/r/b1", true), ("[!a-c]1", "/r/b1", false),
        ("\\*", "/r/*", true), ("\\*", "/r/a", false), ("dir/", "/r/dir", true), ("a*b*c", "/r/aXbYbZc", true),
        ("a*b*c", "/r/aXbYbZ", false), ("**", "/r/anything", true),
    ])
    func `patterns match as documented`(pattern: String, path: String, isMatch: Bool) throws {
        #expect(try GlobPattern(pattern).matches(FilePath(path), root: "/r") == isMatch)
    }

    @Test func `bad patterns and relative rules are refused`() {
        for text in ["", "[a", "a\\"] { #expect(throws: IntegrityError.self) { try GlobPattern(text) } }
        #expect(throws: IntegrityError.self) { try WatchRule(path: "etc") }
    }

    @Test func `the deepest rule has a path, and what is left out has none`() throws {
        let rules = RuleSet([
            try WatchRule(path: "/r/", excludes: ["old"]), try WatchRule(path: "/r/old/keep"), try WatchRule(path: "/s"),
        ])
        #expect(rules.rule(of: "/r/a") == 0)
        #expect(rules.rule(of: "/r/old") == nil)
        #expect(rules.rule(of: "/r/old/a") == nil)
        #expect(rules.rule(of: "/r/old/keep/a") == 1)
        #expect(rules.rule(of: "/sx") == nil)
    }
}
