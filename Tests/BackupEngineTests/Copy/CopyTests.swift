import BackupEngine
import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct CopyTests {
    private func copy(_ source: Repository, to target: Repository, _ filter: SnapshotFilter = .all) throws -> (copied: [Digest], present: Int) {
        var copied: [Digest] = []
        var present = 0
        try target.copy(
            try source.findSnapshots([], filter: filter), from: source,
            event: { event in
                switch event {
                case .copied(_, let id): copied.append(id)
                case .present: present += 1
                }
            })
        return (copied, present)
    }

    @Test func `snapshots arrive with all their data, once, and are sound for restic`() async throws {
        try await withTemporaryDirectory("copy") { root in
            var random = SeededRandom(for: "copy")
            let from = try PruneFixture(root / "from")
            let to = try PruneFixture(root / "to")
            let first = try from.addSnapshot(day: 1, files: 4, &random)
            try from.addSnapshot(day: 2, files: 3, sharing: Array(first.blobs.prefix(2)), &random)
            // Something that the target has already.
            let present = try from.repository.loadBlob(.data, first.blobs[0])
            try storeData(present, in: to.repository)
            try to.repository.flush()
            #expect(try copy(from.repository, to: to.repository).copied.count == 2)
            #expect(try copy(from.repository, to: to.repository) == (copied: [], present: 2))
            try from.addSnapshot(day: 3, files: 1, sharing: first.blobs, &random)
            let third = try copy(from.repository, to: to.repository)
            #expect(third.copied.count == 1 && third.present == 2)
            let (ours, theirs) = (try to.repository.listSnapshots(), try from.repository.listSnapshots())
            #expect(ours.map(\.tree) == theirs.map(\.tree) && ours.map(\.original) == theirs.map(\.id) && ours.map(\.time) == theirs.map(\.time))
            try await to.requireSound()
            try to.requireReadable()
            let sums = try to.repository.planPrune(PruneOptions()).statistics
            #expect(sums.blobs.duplicate == 0 && sums.blobs.unused == 0, "\(sums)")
            // Copied back they are what is there already.
            #expect(try copy(to.repository, to: from.repository).copied.isEmpty)
        }
    }

    @Test func `what restic copied is recognised, and the other way round`() async throws {
        try await withTemporaryDirectory("copies") { root in
            var random = SeededRandom(for: "copies")
            let from = try PruneFixture(root / "from")
            let to = try PruneFixture(root / "to")
            try from.addSnapshot(day: 1, files: 3, &random)
            try DurableFiles.create(root / "password", storePassword)
            let arguments = [
                "copy", "--from-repo", try #require(from.path.utf8), "--from-password-file", try #require((root / "password").utf8),
            ]
            let theirs = try await to.run(.newestRestic, arguments)
            #expect(theirs.status == 0, "\(theirs)")
            #expect(try copy(from.repository, to: to.repository) == (copied: [], present: 1))
            try from.addSnapshot(day: 2, files: 3, &random)
            #expect(try copy(from.repository, to: to.repository).copied.count == 1)
            for peer in [Peer.restic018, .newestRestic] {
                let again = try await to.run(peer, arguments)
                #expect(again.status == 0 && !again.text.contains("copied from"), "\(again)")
            }
            #expect(try to.repository.listSnapshots().count == 2)
            try await to.requireSound([.newestRestic])
        }
    }

    @Test func `trees of other writers are copied byte for byte, fields of snapshots too`() throws {
        try withTemporaryDirectory("bytes") { root in
            let from = try makeStore(root / "from")
            let to = try makeStore(root / "to")
            let odd = Array("{ \"extra\": 1, \"nodes\": [ ] }".utf8)
            let tree = try SHA256.hash(odd)
            _ = try from.storeBlob(.tree, tree, odd)
            try from.flush()
            let text = "{\"time\":\"2026-03-01T10:00:00.5-03:30\",\"parent\":\"\(tree.hex)\",\"tree\":\"\(tree.hex)\",\"paths\":[\"/a\"],\"label\":\"x\"}"
            let id = try from.store.saveDocument(.snapshot, Array(text.utf8))
            let new = try #require(try copy(from, to: to).copied.first)
            try to.loadIndex()
            #expect(try to.loadBlob(.tree, tree) == odd)
            let expected = "{\"time\":\"2026-03-01T10:00:00.5-03:30\",\"tree\":\"\(tree.hex)\",\"paths\":[\"/a\"],\"original\":\"\(id.hex)\",\"label\":\"x\"}"
            #expect(String(decoding: try to.store.loadDocument(.snapshot, new), as: UTF8.self) == expected)
        }
    }

    @Test func `a source without a blob, or with a damaged one, is an error and no snapshot is saved`() throws {
        try withTemporaryDirectory("lacking") { root in
            var random = SeededRandom(for: "copy lacking")
            let from = try PruneFixture(root / "from")
            let to = try PruneFixture(root / "to")
            try from.addSnapshot(day: 1, files: 2, &random)
            let pack = try #require(try from.packs().max { $0.sizeBytes < $1.sizeBytes }).id
            try rewrite(from.path / "data" / String(pack.hex.prefix(2)) / pack.hex) { $0[50] ^= 1 }
            #expect(code { _ = try copy(from.repository, to: to.repository) } == .corrupt)
            #expect(try to.repository.listSnapshots().isEmpty)
        }
    }

    @Test func `format 1 gets no compressed blobs`() async throws {
        try await withTemporaryDirectory("downgrade") { root in
            var random = SeededRandom(for: "copy to format 1")
            let from = try PruneFixture(root / "from")
            try from.addSnapshot(day: 1, files: 2, &random)
            let made = try await restic(root / "to", ["init", "--repository-version", "1"])
            #expect(made.status == 0, "\(made)")
            let to = try Repository.open(at: root / "to", password: storePassword)
            #expect(try copy(from.repository, to: to).copied.count == 1)
            let check = try await restic(root / "to", ["check", "--read-data"])
            #expect(check.status == 0, "\(check)")
        }
    }

    @Test(arguments: ["pack.published", "index.published", "rewrite.snapshot-saved"])
    func `a copy that dies is completed by the next`(point: String) async throws {
        try await withTemporaryDirectory("cut") { root in
            var random = SeededRandom(for: "copy deaths")
            let from = try PruneFixture(root / "from")
            let to = try PruneFixture(root / "to")
            let first = try from.addSnapshot(day: 1, files: 3, &random)
            try from.addSnapshot(day: 2, files: 3, sharing: [first.blobs[0]], &random)
            let paths = try [#require(from.path.utf8), #require(to.path.utf8)]
            await #expect(processExitsWith: .signal(SIGKILL)) { [one = paths[0] as String, other = paths[1] as String, point = point as String] in
                unsafe setenv("SENTINEL_FAULTS", "\(point)=kill", 1)
                let source = try Repository.open(at: FilePath(one), password: storePassword)
                let target = try Repository.open(at: FilePath(other), password: storePassword)
                try target.copy(try source.listSnapshots(), from: source)
            }
            try await to.requireSound([.newestRestic], point)
            _ = try copy(from.repository, to: to.repository)
            #expect(try to.repository.listSnapshots().count == 2)
            try await to.requireSound([.debianRestic], point)
            try to.requireReadable()
        }
    }
}
