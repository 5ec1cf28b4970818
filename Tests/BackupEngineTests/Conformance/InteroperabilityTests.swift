import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Everything that section 20 of the facts asks of ours and every restic on one repository.
@Suite struct InteroperabilityTests {
    @Test(arguments: Peer.restics)
    func `restic checks, lists, restores, tags, copies, rewrites and prunes what ours writes`(version: Peer) async throws {
        let directory = try TemporaryDirectory("interoperable")
        var random = SeededRandom(for: "interoperability with \(version)")
        let source = directory / "source"
        try SampleTree.make(at: source, &random, isForRestic014: version == .debianRestic)
        let expected = try TreeDescription(source)
        let restic = try StockRestic(directory / "repo", scratch: directory.path, version: version)
        func run(_ arguments: [String]) async throws -> ProcessOutput {
            let output = try await restic.run(arguments)
            #expect(output.status == 0, "\(version): \(output)")
            return output
        }
        let repository = try restic.create()
        for tag in ["một", "hai"] {
            let report = try Archiver(repository: repository).run(
                BackupRequest(sources: [source], tags: [tag], hostname: "host", parent: .none))
            try #require(report.isComplete, "\(report.unreadable)")
        }
        let ids = try repository.listSnapshots().map(\.id.hex)

        _ = try await run(["check", "--read-data"])
        let list = try await run(["snapshots", "--json"])
        for id in ids { #expect(list.text.contains(id)) }
        let entries = try await run(["ls", "latest", "\(source)/nested"])
        #expect(entries.text.contains("many-299"))
        _ = try await run(["restore", "latest", "--verify", "--target", "\(directory / "target")"])
        let restored = try TreeDescription(FilePath(bytes: (directory / "target").bytes + source.bytes))
        #expect(TreeDescription.difference(expected, restored) == [])

        _ = try await run(["tag", "--add", "ba", "latest"])
        #expect(try repository.findSnapshot("latest").tags == ["hai", "ba"])

        // A copy of it all, made by restic, reads the same.
        let other = try StockRestic(directory / "copy", scratch: directory.path, version: version)
        _ = try other.create()
        var environment = other.environment
        environment["RESTIC_FROM_PASSWORD"] = StockRestic.password
        let copy = try await runProcess(
            [other.program, "copy", "--from-repo", "\(restic.repository)"], environment: environment, timeLimitSeconds: 120)
        #expect(copy.status == 0, "\(copy)")
        try restoreByOurs(try other.open(), expected, of: source, into: directory / "copied")

        // Rewriting compares every tree with its own encoding of it, and stops at a byte of difference.
        if version != .debianRestic {
            let before = try repository.findSnapshot("latest")
            _ = try await run(["rewrite", "--exclude", "\(source)/nested/many-1*", before.id.hex])
            // It has the time of the one that it was made from.
            let rewritten = try #require(try repository.listSnapshots().first { $0.original == before.id })
            try repository.loadIndex()
            let nested = try TreeWalker(repository: repository).node(at: source / "nested", in: rewritten)
            #expect(try repository.loadTree(try #require(nested.subtree)).nodes.count == 191)
            _ = try await run(["forget", rewritten.id.hex])
        }
        _ = try await run(["forget", "--keep-last", "1", "--prune", "--max-unused", "0"])
        _ = try await run(["check", "--read-data"])
        try restoreByOurs(try restic.open(), expected, of: source, into: directory / "pruned")
    }

    /// Opens, checks and restores the newest snapshot.
    private func restoreByOurs(_ repository: Repository, _ expected: TreeDescription, of source: FilePath, into target: FilePath) throws {
        let snapshot = try repository.findSnapshot("latest")
        try repository.loadIndex()
        #expect(try repository.check(readData: true).errors == [])
        let report = try Restorer(repository: repository).restore(snapshot, into: target, options: RestoreOptions())
        #expect(report.isComplete, "\(report.failures)")
        #expect(TreeDescription.difference(expected, try TreeDescription(FilePath(bytes: target.bytes + source.bytes))) == [])
    }

    @Test(arguments: [Peer.restic018, .newestRestic])
    func `ours restores everything a file system can hold from what restic wrote`(version: Peer) async throws {
        let directory = try TemporaryDirectory("theirs")
        var random = SeededRandom(for: "written by \(version)")
        let source = directory / "source"
        try SampleTree.make(at: source, &random)
        let top = try FileDescriptor.open(source, O_RDONLY | O_DIRECTORY)
        // A target that is no text, which restic writes twice; times from before 1970 are in the sample, here are far ones.
        try top.makeSymlink(Array("raw target".utf8), target: [0x2F, 0xFF, 0xFE, 0x61])
        try DurableFiles.create(source / "far", [1])
        let far = try #require(Timestamp(rfc3339: "2440-01-01T00:00:00Z"))
        try top.setTimesOfEntry(Array("far".utf8), accessed: far, modified: far)
        try top.setTimes(accessed: far, modified: far)
        let restic = try StockRestic(directory / "repo", scratch: directory.path, version: version)
        // A key of ours costs nothing.
        _ = try restic.create()
        let backup = try await restic.run(["backup", "\(source)"])
        #expect(backup.status == 0, "\(backup)")
        try restoreByOurs(try restic.open(), try TreeDescription(source), of: source, into: directory / "target")
    }

    @Test func `a directory of many entries and many small blobs go both ways`() async throws {
        let directory = try TemporaryDirectory("many")
        let source = directory / "source"
        // More than fifty thousand blobs are two indexes; the short version only has a directory that is long.
        let count = isFullTest ? 51_000 : 1500
        try DurableFiles.makeDirectories(source)
        for number in 0..<count {
            let path = source / "tệp \(number)"
            let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
            try file.writeAll(Array("nội dung \(number)".utf8), path: path)
        }
        for isOurs in [true, false] {
            let place = directory / (isOurs ? "ours" : "theirs")
            let restic = try StockRestic(place / "repo", scratch: place, version: .newestRestic)
            try DurableFiles.makeDirectories(place)
            let made = try restic.create()
            if isOurs {
                #expect(try Archiver(repository: made).run(BackupRequest(sources: [source], hostname: "host")).isComplete)
            } else {
                let backup = try await restic.run(["backup", "\(source)"], timeLimitSeconds: 300)
                #expect(backup.status == 0, "\(backup)")
            }
            if isFullTest { #expect(onlyFiles(below: place / "repo/index").count >= 2) }
            let check = try await restic.run(["check", "--read-data"], timeLimitSeconds: 300)
            #expect(check.status == 0, "\(check)")
            let repository = try restic.open()
            let snapshot = try repository.findSnapshot("latest")
            try repository.loadIndex()
            #expect(try repository.check(readData: true).errors == [])
            let report = try Restorer(repository: repository).restore(snapshot, into: place / "target", options: RestoreOptions())
            #expect(report.isComplete && report.filesRestored == count)
            let restored = FilePath(bytes: (place / "target").bytes + source.bytes)
            #expect(directoryEntries(restored).count == count)
            #expect(try DurableFiles.read(restored / "tệp \(count - 1)", limit: 100) == Array("nội dung \(count - 1)".utf8))
        }
    }
}
