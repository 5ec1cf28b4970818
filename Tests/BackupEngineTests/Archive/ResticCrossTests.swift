import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// The same directory through stock restic and through ours, both ways.
@Suite struct ResticCrossTests {
    /// In child processes, because the zone belongs to the whole process. St. John's had offsets with seconds until 1935.
    @Test(arguments: ["UTC", "Asia/Ho_Chi_Minh", "America/St_Johns"])
    func `ours and restic's backup of one directory are the same tree, and no blob is stored twice`(zone: String) async {
        await #expect(processExitsWith: .success) { [zone = zone as String] in
            try #require(CivilTime.setZone(zone))
            try await Self.compareTrees()
        }
    }

    private static func compareTrees() async throws {
        let directory = try TemporaryDirectory("cross-tree")
        var random = SeededRandom(for: "cross tree")
        let source = directory / "source"
        try SampleTree.make(at: source, &random, isForRestic014: true)
        let restic = try StockRestic(directory / "repo", scratch: directory.path)

        try #require(try await restic.run(["init"]).status == 0)
        let backup = try await restic.run(["backup", "--host", "host", try #require(source.utf8)])
        try #require(backup.status == 0, "\(backup)")
        let repository = try restic.open()
        let theirs = try #require(try repository.listSnapshots().first)

        for parent in [BackupRequest.Parent.none, .newest] {
            let report = try Archiver(repository: repository).run(
                BackupRequest(sources: [source], hostname: "host", parent: parent))
            try #require(report.isComplete, "\(report.unreadable)")
            let walker = TreeWalker(repository: repository)
            let (left, right) = (try walker.node(at: source, in: theirs), try walker.node(at: source, in: report.snapshot))
            let difference = try firstDifference(#require(left.subtree), #require(right.subtree), repository)
            try #require(left == right, "\(difference)")
            try #require(report.summary.dataBlobs == 0, "\(report.summary)")
            // Others use the directory above at the same time, so the trees that lead here may be new.
            try #require(report.summary.treeBlobs < source.components.count, "\(report.summary)")
        }
        // And the other way: restic finds nothing to do after ours.
        let again = try await restic.run(["backup", "--host", "host", "--json", try #require(source.utf8)])
        try #require(again.text.contains("\"data_blobs\":0,"), "\(again)")
        // Where the offset of 1901 had seconds, restic finds the time of that file changed for ever.
        try #require(again.text.contains("\"files_changed\":0,") || again.text.contains("\"files_changed\":1,"), "\(again)")
        let check = try await restic.run(["check", "--read-data"])
        try #require(check.status == 0, "\(check)")
    }

    /// The JSON of the first pair of trees that differ, for the message of a failure.
    private static func firstDifference(_ one: Digest, _ other: Digest, _ repository: Repository) throws -> String {
        if one == other { return "" }
        let (left, right) = (try repository.loadBlob(.tree, one), try repository.loadBlob(.tree, other))
        let (leftNodes, rightNodes) = (try Tree(decoding: left).nodes, try Tree(decoding: right).nodes)
        for (l, r) in zip(leftNodes, rightNodes) where l.subtree != r.subtree {
            if let l = l.subtree, let r = r.subtree {
                let deeper = try firstDifference(l, r, repository)
                if !deeper.isEmpty { return deeper }
            }
        }
        let common = zip(left, right).prefix { $0 == $1 }.count
        let start = max(0, common - 200)
        return
            "restic: …\(String(decoding: left[start...].prefix(600), as: UTF8.self))\nours:   …\(String(decoding: right[start...].prefix(600), as: UTF8.self))"
    }

    @Test func `restic restores what ours backed up, and finds the repository sound`() async throws {
        let directory = try TemporaryDirectory("cross-ours")
        var random = SeededRandom(for: "cross ours")
        let source = directory / "source"
        try SampleTree.make(at: source, &random, isForRestic014: true)
        let restic = try StockRestic(directory / "repo", scratch: directory.path)
        let repository = try restic.create()
        let report = try Archiver(repository: repository).run(
            BackupRequest(sources: [source], tags: ["t"], hostname: "host"))
        #expect(report.isComplete, "\(report.unreadable)")

        let check = try await restic.run(["check", "--read-data"])
        #expect(check.status == 0, "\(check)")
        let target = directory / "target"
        let restore = try await restic.run(["restore", "latest", "--verify", "--target", try #require(target.utf8)])
        #expect(restore.status == 0, "\(restore)")
        let expected = try TreeDescription(source)
        let restored = try TreeDescription(FilePath(bytes: target.bytes + source.bytes))
        #expect(TreeDescription.difference(expected, restored) == [])
        let list = try await restic.run(["ls", "latest"])
        #expect(list.status == 0, "\(list)")
    }

    @Test func `ours restores what restic backed up`() async throws {
        let directory = try TemporaryDirectory("cross-theirs")
        var random = SeededRandom(for: "cross theirs")
        let source = directory / "source"
        try SampleTree.make(at: source, &random, isForRestic014: true)
        let restic = try StockRestic(directory / "repo", scratch: directory.path)
        #expect(try await restic.run(["init"]).status == 0)
        #expect(try await restic.run(["backup", try #require(source.utf8)]).status == 0)
        let repository = try restic.open()
        let snapshot = try repository.findSnapshot("latest")
        let target = directory / "target"
        let report = try Restorer(repository: repository).restore(
            snapshot, into: target, options: RestoreOptions(verifies: true, makesSparseFiles: true))
        #expect(report.failures.isEmpty, "\(report.failures)")
        let expected = try TreeDescription(source)
        let restored = try TreeDescription(FilePath(bytes: target.bytes + source.bytes))
        #expect(TreeDescription.difference(expected, restored) == [])
        #expect(try FileStatus.of(FilePath(bytes: target.bytes + source.bytes) / "sparse").blocks512 < 2048)
    }

    @Test func `relative sources and trees of several roots are those of restic`() async throws {
        let directory = try TemporaryDirectory("cross-roots")
        let restic = try StockRestic(directory / "repo", scratch: directory.path)
        for name in ["a/b/c", "a/d", "e"] { try DurableFiles.makeDirectories(directory / name) }
        for name in ["a/b/c/x", "a/d/y", "e/z", "file"] { try put(directory / name, name) }
        #expect(try await restic.run(["init"]).status == 0)
        let repository = try restic.open()
        let base = try #require(directory.path.utf8)
        for sources in [
            ["\(base)/a/b", "\(base)/a"], ["\(base)/a/b/c", "\(base)/a/d", "\(base)/file"], ["\(base)/a/", "\(base)/e/../a/b/./c"],
        ] {
            let backup = try await restic.run(["backup"] + sources)
            #expect(backup.status == 0, "\(backup)")
            let theirs = try repository.findSnapshot("latest")
            let ours = try Archiver(repository: repository).run(
                BackupRequest(sources: sources.map { FilePath($0) }, hostname: "elsewhere", parent: .none))
            let walker = TreeWalker(repository: repository)
            let (left, right) = (try walker.node(at: directory.path, in: theirs), try walker.node(at: directory.path, in: ours.snapshot))
            #expect(left == right, "\(sources)")
            #expect(ours.snapshot.paths == theirs.paths, "\(sources)")
        }
    }

    @Test func `excludes leave out what restic leaves out`() async throws {
        let directory = try TemporaryDirectory("cross-excludes")
        let restic = try StockRestic(directory / "repo", scratch: directory.path)
        let source = directory / "source"
        for name in ["a/b/c", "a/cache/x", "b/cache", "d"] { try DurableFiles.makeDirectories(source / name) }
        for name in ["a/b/c/1.tmp", "a/b/c/2.txt", "a/cache/x/3", "b/cache/4", "d/5.log", "d/keep.log", "é.tmp", "[x]"] {
            try put(source / name, name)
        }
        #expect(try await restic.run(["init"]).status == 0)
        let repository = try restic.open()
        let base = try #require(source.utf8)
        for excludes in [
            ["*.tmp"], ["cache"], ["cache/*"], ["\(base)/a/cache"], ["\(base)/**/cache"], ["a/**/2.txt"], ["?.tmp", "[a-b]/cache/?"],
            ["*.log", "!keep.log"], ["b", "d/"], ["[[]x]"], ["**/c/*"],
        ] {
            let flags = excludes.flatMap { ["--exclude", $0] }
            let backup = try await restic.run(["backup", base] + flags)
            #expect(backup.status == 0, "\(backup)")
            let theirs = try repository.findSnapshot("latest")
            let ours = try Archiver(repository: repository).run(
                BackupRequest(sources: [source], excludes: excludes, hostname: "elsewhere", parent: .none))
            let walker = TreeWalker(repository: repository)
            let (left, right) = (try walker.node(at: source, in: theirs), try walker.node(at: source, in: ours.snapshot))
            #expect(left == right, "\(excludes)")
        }
    }
}
