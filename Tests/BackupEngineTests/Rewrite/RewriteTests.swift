import BackupEngine
import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct RewriteTests {
    private func snapshotBytes(_ repository: Repository, _ id: Digest) throws -> String {
        String(decoding: try repository.store.loadDocument(.snapshot, id), as: UTF8.self)
    }

    @Test func `tags change, the first ID is remembered, and everything else keeps its bytes`() throws {
        try withTemporaryDirectory("tags") { root in
            let repository = try makeStore(root / "repo")
            let (_, _, tree) = try fillStore(repository)
            let text =
                "{\"time\":\"2026-03-01T10:00:00.5-03:30\",\"tree\":\"\(tree.hex)\",\"paths\":[\"/a\"],\"hostname\":\"h\",\"label\":\"rustic's\",\"tags\":[\"x\"],\"program_version\":\"other 1\",\"summary\":{\"backup_start\":\"2026-03-01T10:00:00+05:45\",\"new_counter\":7}}"
            let id = try repository.store.saveDocument(.snapshot, Array(text.utf8))
            let first = try #require(try repository.changeTags(of: repository.loadSnapshot(id), .change(adding: ["y", "x"], removing: ["q"])))
            #expect(first.old == id)
            let expected = text.replacingFirst("[\"x\"]", "[\"x\",\"y\"],\"original\":\"\(id.hex)\"")
            #expect(try snapshotBytes(repository, first.new) == expected)
            let second = try #require(try repository.changeTags(of: repository.loadSnapshot(first.new), .set([])))
            #expect(try snapshotBytes(repository, second.new) == text.replacingFirst("\"tags\":[\"x\"]", "\"original\":\"\(id.hex)\""))
            #expect(try repository.changeTags(of: repository.loadSnapshot(second.new), .change(adding: [], removing: ["x"])) == nil)
            #expect(try repository.listSnapshots().count == 2)
        }
    }

    @Test func `excluded files go, untouched nodes keep their bytes, and restic reads the result`() async throws {
        try await withTemporaryDirectory("rewrite") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            let blob = try storeData(Array("nội dung".utf8), in: repository)
            // A field that no known version writes, an offset that no zone has, spaces: all of it must survive.
            let odd =
                "{\"name\":\"keep \\\\u00a0.txt\",\"type\":\"file\",\"mode\":420,\"mtime\":\"2026-01-01T00:00:00.123456789-03:30\",\"atime\":\"2026-01-01T00:00:00+14:00\",\"ctime\":\"2026-01-01T00:00:00Z\",\"uid\":0,\"gid\":0,\"size\":10,\"x_unknown\":{\"a\":[1, 2]},\"content\":[\"\(blob.hex)\"]}"
            let gone = odd.replacingFirst("keep \\\\u00a0.txt", "gone.tmp")
            let subtree = try storeRaw("{\"nodes\":[\(gone),\(odd)]}\n", repository)
            let other = try storeRaw("{\"nodes\":[\(odd)]}\n", repository)
            func directory(_ name: String, _ tree: Digest) -> String {
                "{\"name\":\"\(name)\",\"type\":\"dir\",\"mode\":2147484141,\"mtime\":\"2026-01-01T00:00:00Z\",\"atime\":\"2026-01-01T00:00:00Z\",\"ctime\":\"2026-01-01T00:00:00Z\",\"uid\":0,\"gid\":0,\"content\":null,\"subtree\":\"\(tree.hex)\"}"
            }
            let top = try storeRaw("{\"nodes\":[\(directory("a", subtree)),\(directory("b", other))]}\n", repository)
            let id = try repository.saveSnapshot(snapshot(of: top, tags: ["t"]))
            try repository.loadIndex()

            var request = RewriteRequest()
            request.excludes = ["*.tmp"]
            var rewriter = try SnapshotRewriter(repository, request)
            let before = try repository.loadSnapshot(id)
            guard case .changed(let changed) = try rewriter.rewrite(before), let new = changed else {
                Issue.record("not changed")
                return
            }
            let snapshot = try repository.loadSnapshot(new)
            #expect(snapshot.original == id && snapshot.tags == ["t", "rewrite"] && snapshot.time == before.time)
            try repository.loadIndex()
            let rewritten = String(decoding: try repository.loadBlob(.tree, snapshot.tree), as: UTF8.self)
            #expect(rewritten == "{\"nodes\":[\(directory("a", other)),\(directory("b", other))]}\n")
            // A second time nothing is left to do.
            #expect(try rewriter.rewrite(snapshot) == .unchanged)
            for peer in Peer.restics {
                let list = try await runProcess(
                    [try peer.program(), "--no-cache", "ls", new.hex],
                    environment: inheritedEnvironment([
                        "RESTIC_REPOSITORY": path.utf8, "RESTIC_PASSWORD": String(decoding: storePassword, as: UTF8.self),
                    ]), timeLimitSeconds: 60)
                #expect(list.status == 0 && list.text.contains("/b/keep") && !list.text.contains("gone"), "\(list)")
            }
            let check = try await restic(path, ["check", "--read-data"])
            #expect(check.status == 0, "\(check)")
        }
    }

    @Test func `host and time are replaced, the old snapshot goes or is held, a dry run changes nothing`() throws {
        try withTemporaryDirectory("metadata") { root in
            let repository = try makeStore(root / "repo")
            let (id, _, tree) = try fillStore(repository)
            try repository.loadIndex()
            var request = RewriteRequest()
            request.newHostname = "máy khác"
            request.newTime = Timestamp(seconds: 1_700_000_000)
            request.forgetsOld = true
            request.isDryRun = true
            let before = try repository.loadSnapshot(id)
            var dry = try SnapshotRewriter(repository, request)
            #expect(try dry.rewrite(before) == .wouldChange)
            #expect(try repository.listSnapshots().map(\.id) == [id])
            request.isDryRun = false
            var rewriter = try SnapshotRewriter(repository, request)
            let reason = Phrase(vi: "sự cố", en: "incident")
            guard case .changedAndHeld(let held?, reason) = try rewriter.rewrite(before, willRemove: { _ in .held(reason) }) else {
                Issue.record("not held")
                return
            }
            #expect(try repository.loadSnapshot(held).tags == ["rewrite"])
            guard case .changed(let new?) = try rewriter.rewrite(before) else {
                Issue.record("not changed")
                return
            }
            let after = try repository.loadSnapshot(new)
            #expect(after.hostname == "máy khác" && after.time.seconds == 1_700_000_000 && after.tree == tree && after.tags.isEmpty)
            #expect(code { _ = try repository.loadSnapshot(id) } == .missing)
            #expect(code { _ = try SnapshotRewriter(repository, RewriteRequest()) } == .invalidArgument)
        }
    }

    @Test func `a summary is made once, with the sums of the tree`() throws {
        try withTemporaryDirectory("summary") { root in
            let repository = try makeStore(root / "repo")
            let (id, _, _) = try fillStore(repository)
            try repository.loadIndex()
            var request = RewriteRequest()
            request.addsSummary = true
            request.forgetsOld = true
            var rewriter = try SnapshotRewriter(repository, request)
            guard case .changed(let new?) = try rewriter.rewrite(try repository.loadSnapshot(id)) else {
                Issue.record("not changed")
                return
            }
            let summary = try #require(try repository.loadSnapshot(new).summary)
            #expect(summary.totalFilesProcessed == 3 && summary.totalBytesProcessed > 100_000)
            #expect(try snapshotBytes(repository, new).contains("\"backup_start\":\"0001-01-01T00:00:00Z\""))
            #expect(try rewriter.rewrite(try repository.loadSnapshot(new)) == .unchanged)
        }
    }

    @Test func `ours and restic's rewrite leave the same tree`() async throws {
        try await withTemporaryDirectory("same") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            let source = root / "source"
            for name in ["a/b", "c"] { try DurableFiles.makeDirectories(source / name) }
            for name in ["a/1.tmp", "a/b/2.tmp", "a/b/3.txt", "c/4.tmp", "5.txt"] { try DurableFiles.create(source / name, Array(name.utf8)) }
            let program = try Peer.newestRestic.program()
            let environment = inheritedEnvironment([
                "RESTIC_REPOSITORY": path.utf8, "RESTIC_PASSWORD": String(decoding: storePassword, as: UTF8.self),
            ])
            func run(_ arguments: [String]) async throws {
                let output = try await runProcess([program, "--no-cache"] + arguments, environment: environment, timeLimitSeconds: 60)
                #expect(output.status == 0, "\(output)")
            }
            try await run(["backup", try #require(source.utf8)])
            let original = try #require(try repository.listSnapshots().first)
            for excludes in [["*.tmp"], ["b"], ["/**/a/*.tmp", "c"], ["*"]] {
                try await run(["rewrite", original.id.hex] + excludes.flatMap { ["--exclude", $0] })
                let theirs = try #require(try repository.listSnapshots().first { $0.id != original.id })
                try repository.loadIndex()
                var request = RewriteRequest()
                request.excludes = excludes
                var rewriter = try SnapshotRewriter(repository, request)
                guard case .changed(let new?) = try rewriter.rewrite(original) else {
                    Issue.record("not changed: \(excludes)")
                    continue
                }
                let ours = try repository.loadSnapshot(new)
                #expect(ours.tree == theirs.tree && ours.tags == theirs.tags && ours.original == theirs.original, "\(excludes)")
                #expect(ours.summary?.totalFilesProcessed == theirs.summary?.totalFilesProcessed, "\(excludes)")
                _ = try repository.removeSnapshots([ours, theirs])
            }
        }
    }
}

private func storeRaw(_ text: String, _ repository: Repository) throws -> Digest {
    let bytes = Array(text.utf8)
    let id = try SHA256.hash(bytes)
    _ = try repository.storeBlob(.tree, id, bytes)
    return id
}

extension String {
    fileprivate func replacingFirst(_ old: String, _ new: String) -> String {
        guard let range = self.firstRange(of: old) else { return self }
        return replacingCharacters(in: range, with: new)
    }

    private func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
