import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Puts a file of this content there.
func put(_ path: FilePath, _ text: String) throws { try DurableFiles.create(path, Array(text.utf8), mode: 0o644) }

/// A repository and a source directory that live as long as this value.
struct BackupScene: ~Copyable {
    let directory: TemporaryDirectory
    let repository: Repository
    let source: FilePath

    init(_ label: String) throws {
        let directory = try TemporaryDirectory(label)
        let source = directory / "source"
        try DurableFiles.makeDirectories(source)
        repository = try Repository.create(
            at: directory / "repo", password: Array("pw".utf8), cost: .fixed(n: 1024, r: 8, p: 1))
        self.source = source
        self.directory = directory
    }

    func request(_ sources: [FilePath]? = nil, excludes: [String] = [], parent: BackupRequest.Parent = .newest) -> BackupRequest {
        BackupRequest(sources: sources ?? [source], excludes: excludes, hostname: "host", parent: parent)
    }

    func backUp(_ sources: [FilePath]? = nil, excludes: [String] = [], parent: BackupRequest.Parent = .newest) throws -> BackupReport {
        try Archiver(repository: repository).run(request(sources, excludes: excludes, parent: parent))
    }

    /// The source in a snapshot. The directories above it change while other tests run.
    func sourceNode(_ snapshot: Snapshot) throws -> Node { try TreeWalker(repository: repository).node(at: source, in: snapshot) }

    /// Paths inside the snapshot, those of the leading directories left out.
    func list(_ snapshot: Snapshot) throws -> [String] {
        var result: [String] = []
        try TreeWalker(repository: repository).list(snapshot) { (path, node) throws(RepositoryError) in
            result.append(path.description)
        }
        let prefix = source.description
        return result.filter { $0.hasPrefix(prefix + "/") }.map { String($0.dropFirst(prefix.count + 1)) }
    }
}

@Suite struct ArchiverTests {
    @Test func `the leading directories are in the snapshot with their own metadata`() throws {
        let scene = try BackupScene("leading")
        try put(scene.source / "a", "1")
        let snapshot = try scene.backUp().snapshot
        var paths: [String] = []
        try TreeWalker(repository: scene.repository).list(snapshot) { (path, node) throws(RepositoryError) in
            paths.append(path.description)
            if node.kind == .dir {
                let status = try? FileStatus.of(path)
                #expect(node.inode == status?.inode)
                #expect(node.mode.permissions == status?.permissions)
            }
        }
        #expect(paths.last == (scene.source / "a").description)
        #expect(paths.count == (scene.source / "a").components.count)
        #expect(snapshot.paths == [scene.source.description])
    }

    @Test func `nothing to save is refused`() throws {
        let scene = try BackupScene("empty")
        #expect { try scene.backUp([scene.directory / "missing"]) } throws: { ($0 as? RepositoryError)?.code == .emptySnapshot }
        try put(scene.source / "a.tmp", "1")
        #expect { try scene.backUp([scene.source], excludes: ["source"]) } throws: {
            ($0 as? RepositoryError)?.code == .emptySnapshot
        }
        #expect { try scene.backUp([]) } throws: { ($0 as? RepositoryError)?.code == .invalidArgument }
        #expect(try scene.repository.listSnapshots().isEmpty)
    }

    @Test func `a source that is missing is reported and the others are saved`() throws {
        let scene = try BackupScene("partial")
        try put(scene.source / "a", "1")
        let report = try scene.backUp([scene.source, scene.directory / "missing"])
        #expect(!report.isComplete)
        #expect(report.unreadable.map(\.path) == [scene.directory / "missing"])
        #expect(try scene.repository.listSnapshots().count == 1)
    }

    @Test func `a second backup of the same files reads none of them`() throws {
        let scene = try BackupScene("unchanged")
        for name in ["a", "b", "c"] { try put(scene.source / name, name) }
        let first = try scene.backUp()
        #expect(first.summary.filesNew == 3)
        #expect(first.summary.dataBlobs == 3)
        let second = try scene.backUp()
        #expect(second.snapshot.parent == first.snapshotID)
        #expect(try scene.sourceNode(second.snapshot) == scene.sourceNode(first.snapshot))
        #expect(second.summary.filesUnmodified == 3)
        #expect(second.summary.dataBlobs == 0)
        #expect(second.summary.dirsUnmodified + second.summary.dirsChanged == UInt64(scene.source.components.count))
        #expect(second.summary.dirsUnmodified > 0)
        let third = try scene.backUp(parent: .none)
        #expect(try scene.sourceNode(third.snapshot) == scene.sourceNode(first.snapshot))
        #expect(third.summary.filesNew == 3)
        #expect(third.snapshot.parent == nil)
    }

    @Test func `changed files are read again, new and removed ones are seen`() throws {
        let scene = try BackupScene("changes")
        for name in ["a", "b", "c"] { try put(scene.source / name, name) }
        _ = try scene.backUp()
        try DurableFiles.replace(scene.source / "b", Array("B".utf8))
        try DurableFiles.remove(scene.source / "c")
        try put(scene.source / "d", "d")
        let report = try scene.backUp()
        #expect(report.summary.filesUnmodified == 1)
        #expect(report.summary.filesChanged == 1)
        #expect(report.summary.filesNew == 1)
        #expect(try scene.list(report.snapshot) == ["a", "b", "d"])
    }

    @Test func `a change that keeps size and mtime is still seen, by ctime`() throws {
        let scene = try BackupScene("ctime")
        try put(scene.source / "a", "1")
        let status = try FileStatus.of(scene.source / "a")
        _ = try scene.backUp()
        let directory = try FileDescriptor.open(scene.source, O_RDONLY | O_DIRECTORY)
        let file = try directory.openEntry(Array("a".utf8), O_WRONLY)
        try file.writeAll(Array("2".utf8), path: "")
        try file.setTimes(accessed: status.accessed, modified: status.modified)
        #expect(try scene.backUp().summary.filesChanged == 1)
    }

    @Test func `excluded entries are left out`() throws {
        let scene = try BackupScene("excludes")
        try DurableFiles.makeDirectories(scene.source / "cache" / "deep")
        for name in ["a.txt", "a.tmp", "cache/x", "cache/deep/y"] { try put(scene.source / name, name) }
        let report = try scene.backUp(excludes: ["*.tmp", "\(scene.source.description)/cache/*"])
        #expect(try scene.list(report.snapshot) == ["a.txt", "cache"])
        #expect(report.isComplete)
        #expect(report.snapshot.excludes.count == 2)
    }

    @Test func `two sources of the same name get a suffix`() throws {
        let scene = try BackupScene("suffix")
        // Of different roots: one absolute, one relative to the working directory.
        try put(scene.source / "same", "1")
        let here = try WorkingDirectory.current()
        let up = FilePath(bytes: Array(repeating: Array("..".utf8), count: here.components.count).joined(separator: [FilePath.slash]))
        let relative = FilePath(bytes: up.bytes + scene.source.bytes)
        let snapshot = try scene.backUp([relative, scene.source]).snapshot
        let tree = try scene.repository.loadTree(snapshot.tree)
        let first = try #require(scene.source.components.first)
        #expect(tree.nodes.map(\.name) == [first, first + Array("-1".utf8)])
        #expect(tree.nodes[0].subtree == tree.nodes[1].subtree)
        #expect(snapshot.paths == [scene.source.description, scene.source.description])
    }

    @Test func `a source below another one is stored once`() throws {
        let scene = try BackupScene("nested")
        try DurableFiles.makeDirectories(scene.source / "sub")
        try put(scene.source / "sub" / "x", "1")
        try put(scene.source / "y", "1")
        let both = try scene.backUp([scene.source, scene.source / "sub", scene.source]).snapshot
        let one = try scene.backUp([scene.source], parent: .none).snapshot
        #expect(try scene.sourceNode(both) == scene.sourceNode(one))
    }

    @Test func `a deep tree takes neither all descriptors nor the stack`() throws {
        let scene = try BackupScene("deep")
        let depth = 1500
        try Self.nest(depth, below: scene.source)
        defer { Self.unnest(scene.source) }
        let report = try scene.backUp()
        #expect(report.isComplete)
        #expect(report.unreadable.isEmpty)
        #expect(try scene.list(report.snapshot).count == depth + 1)
        let target = scene.directory / "target"
        let restored = try Restorer(repository: scene.repository).restore(
            report.snapshot, into: target, options: RestoreOptions(verifies: true))
        defer { Self.unnest(FilePath(bytes: target.bytes + scene.source.bytes)) }
        #expect(restored.failures.isEmpty)
        #expect(restored.filesVerified == 1)
    }

    /// Paths of this depth cannot be named, only walked.
    private static func nest(_ depth: Int, below path: FilePath) throws {
        var held = HeldDescriptor(try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY))
        let name = Array("d".utf8)
        for _ in 0..<depth {
            try held.descriptor.makeDirectory(name, mode: 0o755)
            held = HeldDescriptor(try held.descriptor.openEntry(name, O_RDONLY | O_DIRECTORY))
        }
        try held.descriptor.openEntry(Array("bottom".utf8), O_WRONLY | O_CREAT).writeAll([1], path: "")
    }

    private static func unnest(_ path: FilePath) {
        guard let top = try? FileDescriptor.open(path, O_RDONLY | O_DIRECTORY) else { return }
        var held = HeldDescriptor(top)
        let name = Array("d".utf8)
        while let next = try? held.descriptor.openEntry(name, O_RDONLY | O_DIRECTORY) { held = HeldDescriptor(next) }
        try? held.descriptor.removeEntry(Array("bottom".utf8), isDirectory: false)
        while let parent = try? held.descriptor.openParent() {
            held = HeldDescriptor(parent)
            do { try held.descriptor.removeEntry(name, isDirectory: true) } catch { return }
        }
    }

    @Test func `a directory of many files behind a slow one keeps its order`() throws {
        let scene = try BackupScene("order")
        var random = SeededRandom(seed: 1)
        try DurableFiles.create(scene.source / "0", random.bytes(24 << 20))
        let names = (1...6000).map { "f\(padded($0, 4))" }
        for name in names { _ = unsafe close((scene.source / name).withCString { unsafe creat($0, 0o644) }) }
        let report = try scene.backUp()
        #expect(report.isComplete)
        #expect(try scene.list(report.snapshot) == ["0"] + names)
    }

    @Test func `a raised cancellation ends the run without a snapshot`() throws {
        let scene = try BackupScene("cancel")
        try put(scene.source / "a", "1")
        let flag = CancellationFlag()
        flag.cancel()
        #expect {
            try Archiver(repository: scene.repository).run(scene.request(), cancellation: flag)
        } throws: { ($0 as? RepositoryError)?.code == .interrupted }
        #expect(try scene.repository.listSnapshots().isEmpty)
    }

    @Test func `missing content of the parent is stored again`() throws {
        let scene = try BackupScene("lost")
        try put(scene.source / "a", "1")
        let first = try scene.backUp()
        // Another repository that has the trees, but not the data.
        let other = try Repository.create(
            at: scene.directory / "other", password: Array("pw".utf8), cost: .fixed(n: 1024, r: 8, p: 1))
        try Self.copyTrees(first.snapshot.tree, from: scene.repository, to: other)
        try other.flush()
        let report = try Archiver(repository: other).run(scene.request(parent: .snapshot(first.snapshot)))
        #expect(report.notes.count == 1)
        #expect(report.summary.dataBlobs == 1)
        #expect(report.isComplete)
    }

    private static func copyTrees(_ id: Digest, from: Repository, to: Repository) throws {
        let bytes = try from.loadBlob(.tree, id)
        _ = try to.storeBlob(.tree, id, bytes)
        for node in try Tree(decoding: bytes).nodes { if let subtree = node.subtree { try copyTrees(subtree, from: from, to: to) } }
    }

    @Test func `progress is reported with the directory at hand`() throws {
        let scene = try BackupScene("progress")
        try put(scene.source / "a", "1")
        let seen = Monitor<[BackupProgress]>([])
        _ = try Archiver(repository: scene.repository).run(scene.request()) { progress in seen.change { $0.append(progress) } }
        #expect(seen.read { $0.first?.current.isBelow(scene.source) } == true)
    }

    @Test func `a file whose size lies is stored as it was read, and reported`() throws {
        let scene = try BackupScene("liar")
        // The kernel says 0 bytes, and gives more.
        let report = try scene.backUp(["/proc/version"])
        #expect(report.isComplete)
        #expect(report.changedWhileRead.map(\.path) == ["/proc/version"])
        let node = try TreeWalker(repository: scene.repository).node(at: "/proc/version", in: report.snapshot)
        #expect(node.size == UInt64(try DurableFiles.read("/proc/version", limit: 10_000).count))
    }

    /// In a child, because giving up root is for ever.
    @Test(.enabled(if: isRoot)) func `what may not be read is reported, the rest is saved`() async throws {
        // Made and removed by the parent: the child ends as somebody who may not.
        let holder = try TemporaryDirectory("unreadable")
        _ = unsafe holder.path.withCString { unsafe chmod($0, 0o755) }
        await #expect(processExitsWith: .success) { [base = try #require(holder.path.utf8) as String] in
            unsafe setenv("SENTINEL_TEST_TMPDIR", base, 1)
            let scene = try BackupScene("unreadable")
            try put(scene.source / "open", "1")
            try put(scene.source / "closed", "2")
            try DurableFiles.makeDirectories(scene.source / "locked")
            try put(scene.source / "locked" / "inside", "3")
            let base = try FileDescriptor.open(scene.directory.path, O_RDONLY | O_DIRECTORY)
            try base.openEntry(Array("source".utf8), O_RDONLY).openEntry(Array("closed".utf8), O_RDONLY).setPermissions(0o600)
            try base.openEntry(Array("source".utf8), O_RDONLY).openEntry(Array("locked".utf8), O_RDONLY).setPermissions(0o700)
            _ = try await runProcess(["/bin/chown", "-R", "65534:65534", #require((scene.directory / "repo").utf8)])
            for path in [scene.directory.path, scene.source] { _ = unsafe path.withCString { unsafe chmod($0, 0o755) } }
            let isNobody = setgroups(0, nil) == 0 && setgid(65534) == 0 && setuid(65534) == 0
            try #require(isNobody)

            let report = try scene.backUp()
            try #require(Set(report.unreadable.map(\.path)) == [scene.source / "closed", scene.source / "locked"])
            try #require(!report.isComplete)
            try #require(try scene.list(report.snapshot) == ["open"])
            try #require(try scene.repository.listSnapshots().count == 1)
            // Restoring as nobody: what only root may set is passed over.
            let restored = try Restorer(repository: scene.repository).restore(
                report.snapshot, into: scene.directory / "repo" / "target", options: RestoreOptions(verifies: true))
            try #require(restored.failures.isEmpty, "\(restored.failures)")
            try #require(restored.metadataSkipped > 0)
        }
    }

    @Test(arguments: ["archive.tree-stored=kill@2", "archive.file-read=kill@30", "archive.before-snapshot=kill"])
    func `a backup that dies leaves a sound repository, and the next one reuses it`(faults: String) async throws {
        let directory = try TemporaryDirectory("killed")
        let path = try #require(directory.path.utf8)
        let repository = try Repository.create(
            at: directory / "repo", password: Array("pw".utf8), cost: .fixed(n: 1024, r: 8, p: 1))
        try DurableFiles.makeDirectories(directory / "source" / "sub")
        for index in 0..<40 { try put(directory / "source" / "sub" / "f\(index)", "content \(index)") }
        await #expect(processExitsWith: .signal(SIGKILL)) { [faults = faults as String, path = path as String] in
            unsafe setenv("SENTINEL_FAULTS", faults, 1)
            let base = FilePath(path)
            let repository = try Repository.open(at: base / "repo", password: Array("pw".utf8))
            _ = try Archiver(repository: repository).run(BackupRequest(sources: [base / "source"], hostname: "host"))
        }
        #expect(try repository.listSnapshots().isEmpty)
        #expect(try repository.check(readData: true) { _ in }.isSound)
        let report = try Archiver(repository: repository).run(
            BackupRequest(sources: [directory / "source"], hostname: "host"))
        #expect(report.isComplete)
        #expect(report.summary.totalFilesProcessed == 40)
        #expect(try repository.check(readData: true) { _ in }.isSound)
    }

    @Test func `a failing read of one file is reported, not the end of the run`() async {
        await #expect(processExitsWith: .success) {
            unsafe setenv("SENTINEL_FAULTS", "archive.file-read=fail@3", 1)
            let scene = try BackupScene("eio")
            for name in ["a", "b", "c", "d"] { try put(scene.source / name, name) }
            let report = try scene.backUp()
            try #require(report.unreadable.count == 1)
            try #require(report.summary.totalFilesProcessed == 3)
        }
    }
}
