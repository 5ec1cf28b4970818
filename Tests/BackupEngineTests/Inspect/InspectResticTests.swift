import FoundationEssentials
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// What ours shows of a repository that restic wrote, compared with what restic itself shows.
@Suite struct InspectResticTests {
    private struct NodeLine: Decodable, Equatable {
        let name, type, path, permissions, mtime, atime, ctime: String
        let uid, gid: UInt32
        let size: UInt64?
        let mode: UInt32?
        let inode: UInt64?
    }

    private struct ChangeLine: Decodable, Equatable, Comparable {
        let path, modifier: String
        static func < (left: ChangeLine, right: ChangeLine) -> Bool { (left.path, left.modifier) < (right.path, right.modifier) }
    }

    private struct StatisticsLine: Decodable {
        struct Side: Decodable {
            let files, dirs, others, data_blobs, tree_blobs: Int
            let bytes: UInt64
        }
        let changed_files: Int
        let added, removed: Side
    }

    private struct SizeLine: Decodable {
        let total_size: UInt64
        let total_uncompressed_size, total_file_count, total_blob_count: UInt64?
        let compression_ratio, compression_progress, compression_space_saving: Double?
        let snapshots_count: Int
    }

    private func lines<Line: Decodable>(_ text: String, containing mark: String, as type: Line.Type) throws -> [Line] {
        try text.split(separator: "\n").filter { $0.contains(mark) }.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    }

    /// Two snapshots by restic of a directory with one of everything, with all kinds of changes between them.
    private func withSnapshots(_ body: (StockRestic, Repository, [Snapshot], FilePath) async throws -> Void) async throws {
        let directory = try TemporaryDirectory("inspect")
        var random = SeededRandom(for: "inspect")
        let source = directory / "source"
        try SampleTree.make(at: source, &random)
        let restic = try StockRestic(directory / "repo", scratch: directory.path, version: .restic018)
        try #require(try await restic.run(["init"]).status == 0)
        try #require(try await restic.run(["backup", "--tag", "one", "source"], directory: directory.path).status == 0)
        try DurableFiles.replace(source / "empty", Array("no more".utf8))
        try DurableFiles.remove(source / "dangling")
        try DurableFiles.remove(source / "nested" / "many-7")
        try DurableFiles.makeDirectories(source / "nested" / "many-7" / "below")
        try DurableFiles.replace(source / "nested" / "many-7" / "below" / "new", random.bytes(5000))
        try DurableFiles.replace(source / "nested" / "deeper" / "file", random.bytes(100))
        let backup = try await restic.run(["backup", "--tag", "two,three", "source"], directory: directory.path)
        try #require(backup.status == 0, "\(backup)")
        let repository = try restic.open()
        let snapshots = try repository.listSnapshots()
        try repository.loadIndex()
        try await body(restic, repository, snapshots, source)
    }

    @Test func `listing, comparing and counting give what restic gives`() async throws {
        try await withSnapshots { restic, repository, snapshots, _ in
            let (old, new) = (snapshots[0], snapshots[1])
            // ls
            let listed = try await restic.run(["ls", "--json", old.id.hex])
            var ours: [String] = []
            try SnapshotWalk(repository: repository).run(old.tree) { (entry) throws(RepositoryError) in
                ours.append(NodeText.listing(entry.path, entry.node))
                return .enter
            }
            let mark = "\"struct_type\":\"node\""
            #expect(try lines(ours.joined(separator: "\n"), containing: mark, as: NodeLine.self) == lines(listed.text, containing: mark, as: NodeLine.self))
            #expect(ours.count > 300)

            // diff
            for metadata in [false, true] {
                let compared = try await restic.run(["diff", "--json"] + (metadata ? ["--metadata"] : []) + [old.id.hex, new.id.hex])
                var changes: [ChangeLine] = []
                var diff = SnapshotDiff(repository: repository, showsMetadata: metadata)
                let statistics = try diff.run(old.tree, new.tree) { change in
                    changes.append(ChangeLine(path: String(decoding: change.path.bytes, as: UTF8.self), modifier: change.modifier))
                } unreadable: { path, error in
                    Issue.record("\(path): \(error)")
                }
                #expect(try changes.sorted() == lines(compared.text, containing: "\"change\"", as: ChangeLine.self).sorted())
                let theirs = try #require(try lines(compared.text, containing: "\"statistics\"", as: StatisticsLine.self).first)
                #expect(statistics.changedFiles == theirs.changed_files)
                for (mine, other) in [(statistics.added, theirs.added), (statistics.removed, theirs.removed)] {
                    #expect((mine.files, mine.directories, mine.others) == (other.files, other.dirs, other.others))
                    #expect((mine.dataBlobs, mine.treeBlobs, mine.bytes) == (other.data_blobs, other.tree_blobs, other.bytes))
                }
            }

            // stats
            for mode in SnapshotStatistics.Mode.allCases {
                let counted = try await restic.run(["stats", "--json", "--mode", mode.rawValue])
                let theirs = try #require(try lines(counted.text, containing: "total_size", as: SizeLine.self).first)
                let mine = try SnapshotStatistics.count(snapshots, in: repository, mode)
                #expect((mine.bytes, mine.snapshots) == (theirs.total_size, theirs.snapshots_count), "\(mode)")
                #expect((mine.files, mine.blobs) == (theirs.total_file_count ?? 0, theirs.total_blob_count ?? 0), "\(mode)")
                #expect(mine.uncompressedBytes == theirs.total_uncompressed_size ?? 0)
                #expect(abs(mine.compressionRatio - (theirs.compression_ratio ?? 0)) < 1e-9)
                #expect(abs(mine.spaceSaving - (theirs.compression_space_saving ?? 0)) < 1e-9)
            }
        }
    }

    @Test func `a dumped file and the archives hold what restic's hold`() async throws {
        try await withSnapshots { restic, repository, snapshots, source in
            let snapshot = snapshots[0]
            let node = try TreeWalker(repository: repository).node(at: "/source/large", in: snapshot)
            let dumped = try await restic.run(["dump", snapshot.id.hex, "/source/large"])
            var content: [UInt8] = []
            let dump = SnapshotDump(repository: repository)
            try dump.write(node) { (bytes) throws(RepositoryError) in content += bytes }
            #expect(content == dumped.standardOutput)

            // tar and unzip are the judges of the archives.
            let scratch = source.parent / "archives"
            try DurableFiles.makeDirectories(scratch / "tar")
            var tar: [UInt8] = []
            try dump.write(snapshot.tree, at: "/", as: .tar) { (bytes) throws(RepositoryError) in tar += bytes }
            try DurableFiles.replace(scratch / "a.tar", tar)
            let unpacked = try await runProcess(
                ["/usr/bin/tar", "--xattrs", "-xpf", "\(scratch / "a.tar")", "-C", "\(scratch / "tar")"], environment: inheritedEnvironment([:]),
                timeLimitSeconds: 60)
            #expect(unpacked.status == 0, "\(unpacked)")
            let restored = source.parent / "restored"
            let report = try Restorer(repository: repository).restore(snapshot, into: restored)
            #expect(report.failures.isEmpty, "\(report.failures)")
            func contents(_ root: FilePath) throws -> [String] {
                // Hard links become files of their own in an archive; ACLs and attributes of root need more than plain tar.
                try TreeDescription(root).lines.filter { $0.contains(" file ") }.map { line in
                    let own = line.firstRange(of: " = ").map { line[..<$0.lowerBound] } ?? line[...]
                    let words = own.split(separator: " ")
                    return "\(words.first ?? "") \(words.last ?? "")"
                }
            }
            #expect(try contents(scratch / "tar" / "source").count == contents(restored / "source").count)
            #expect(try contents(scratch / "tar" / "source") == contents(restored / "source"))
        }
    }

    @Test func `a zip archive is what other programs take for one`() async throws {
        try await withSnapshots { _, repository, snapshots, source in
            var zip: [UInt8] = []
            try SnapshotDump(repository: repository).write(snapshots[0].tree, at: "/", as: .zip) { (bytes) throws(RepositoryError) in zip += bytes }
            let file = source.parent / "a.zip"
            try DurableFiles.replace(file, zip)
            let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(len(z.read('source/large')))"
            let tested = try await runProcess(
                ["/usr/bin/env", "python3", "-c", script, "\(file)"], environment: inheritedEnvironment([:]), timeLimitSeconds: 60)
            #expect(tested.status == 0 && tested.text == "\(5 << 20)\n", "\(tested)")
        }
    }

    @Test func `a checksum of zip is the known one`() {
        var checksum = CRC32()
        checksum.update(Array("123456789".utf8))
        #expect(checksum.value == 0xCBF4_3926)
    }

    @Test func `indented JSON is that of Go`() {
        let text = IndentedJSON.text(Array(#"{"a":[1,{"b":"x:{\"y\\"}],"c":{},"d":[]}"#.utf8))
        #expect(text == "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x:{\\\"y\\\\\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}")
    }
}
