import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct RestorerTests {
    /// A repository into which trees are written by hand.
    struct Forgery: ~Copyable {
        let directory: TemporaryDirectory
        let repository: Repository

        init(_ label: String) throws {
            let directory = try TemporaryDirectory(label)
            repository = try Repository.create(
                at: directory / "repo", password: Array("pw".utf8), cost: .fixed(n: 1024, r: 8, p: 1))
            self.directory = directory
        }

        func blob(_ text: String) throws -> Digest {
            let id = try SHA256.hash(Array(text.utf8))
            _ = try repository.storeBlob(.data, id, Array(text.utf8))
            return id
        }

        func file(_ name: String, _ text: String) throws -> Node {
            var node = Node(name: Array(name.utf8), kind: .file)
            node.mode = FileMode(rawValue: 0o644)
            node.content = text.isEmpty ? [] : [try blob(text)]
            node.size = UInt64(text.utf8.count)
            return node
        }

        func symlink(_ name: String, _ target: FilePath) -> Node {
            var node = Node(name: Array(name.utf8), kind: .symlink)
            node.linkTarget = target.bytes
            return node
        }

        func folder(_ name: String, _ nodes: [Node]) throws -> Node {
            var node = Node(name: Array(name.utf8), kind: .dir)
            node.mode = FileMode(rawValue: FileMode.directory | 0o755)
            node.subtree = try tree(nodes)
            return node
        }

        /// Nodes as they are, unsorted and repeated ones, too.
        func tree(_ nodes: [Node]) throws -> Digest {
            var bytes = Array("{\"nodes\":[".utf8)
            for (index, node) in nodes.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                TreeEncoder.append(node, to: &bytes)
            }
            bytes += Array("]}\n".utf8)
            let id = try SHA256.hash(bytes)
            _ = try repository.storeBlob(.tree, id, bytes)
            return id
        }

        func snapshot(_ nodes: [Node]) throws -> Snapshot {
            let tree = try tree(nodes)
            try repository.flush()
            var snapshot = Snapshot(
                time: .now(), tree: tree, paths: ["/"], hostname: "host", username: "u", uid: 0, gid: 0)
            snapshot.id = try repository.saveSnapshot(snapshot)
            return snapshot
        }

        func restore(_ snapshot: Snapshot, options: RestoreOptions = RestoreOptions()) throws -> RestoreReport {
            try Restorer(repository: repository).restore(snapshot, into: directory / "target", options: options)
        }
    }

    @Test func `a round trip brings everything back and verifies it`() throws {
        let scene = try BackupScene("round-trip")
        var random = SeededRandom(for: "round trip")
        let source = scene.directory / "all"
        try SampleTree.make(at: source, &random)
        let report = try scene.backUp([source])
        #expect(report.isComplete, "\(report.unreadable)")
        for isSparse in [false, true] {
            let target = scene.directory / "target-\(isSparse)"
            let restored = try Restorer(repository: scene.repository).restore(
                report.snapshot, into: target, options: RestoreOptions(verifies: true, makesSparseFiles: isSparse))
            #expect(restored.failures.isEmpty, "\(restored.failures)")
            #expect(restored.hardLinksRestored == 2)
            #expect(restored.filesVerified == restored.filesRestored + 2)
            let place = FilePath(bytes: target.bytes + source.bytes)
            #expect(TreeDescription.difference(try TreeDescription(source), try TreeDescription(place)) == [])
            #expect(try FileStatus.of(place).modified == FileStatus.of(source).modified)
        }
    }

    @Test func `restoring over what is there replaces files and leaves strangers alone`() throws {
        let scene = try BackupScene("over")
        try put(scene.source / "a", "new")
        try put(scene.source / "b", "new")
        try DurableFiles.makeDirectories(scene.source / "dir")
        let report = try scene.backUp()
        try DurableFiles.replace(scene.source / "a", Array("changed, and longer".utf8))
        try put(scene.source / "stranger", "stays")
        let before = try FileStatus.of(scene.source / "stranger")
        let restored = try Restorer(repository: scene.repository).restore(report.snapshot, into: "/")
        #expect(restored.failures.isEmpty, "\(restored.failures)")
        #expect(try DurableFiles.read(scene.source / "a", limit: 100) == Array("new".utf8))
        #expect(try FileStatus.of(scene.source / "stranger") == before)
    }

    @Test func `links in the snapshot lead nothing out of the target`() throws {
        let forgery = try Forgery("links")
        let outside = forgery.directory / "outside"
        try DurableFiles.makeDirectories(outside)
        try put(outside / "victim", "untouched")
        let snapshot = try forgery.snapshot([
            forgery.symlink("a", outside),
            try forgery.folder("a", [try forgery.file("victim", "overwritten"), try forgery.file("new", "x")]),
            forgery.symlink("b", outside / "victim"),
            try forgery.file("b", "through the link"),
        ])
        let report = try forgery.restore(snapshot)
        #expect(report.failures.isEmpty, "\(report.failures)")
        #expect(try DurableFiles.read(outside / "victim", limit: 100) == Array("untouched".utf8))
        #expect(directoryEntries(outside).count == 1)
        #expect(try FileStatus.ofLink(forgery.directory / "target" / "a").kind == .directory)
        #expect(try FileStatus.ofLink(forgery.directory / "target" / "b").kind == .file)
    }

    @Test func `links that lie in the target are not followed`() throws {
        let forgery = try Forgery("planted")
        let outside = forgery.directory / "outside"
        try DurableFiles.makeDirectories(outside)
        try put(outside / "f", "untouched")
        let target = forgery.directory / "target"
        try DurableFiles.makeDirectories(target)
        let top = try FileDescriptor.open(target, O_RDONLY | O_DIRECTORY)
        try top.makeSymlink(Array("dir".utf8), target: outside.bytes)
        try top.makeSymlink(Array("f".utf8), target: (outside / "f").bytes)
        let snapshot = try forgery.snapshot([
            try forgery.folder("dir", [try forgery.file("f", "x")]), try forgery.file("f", "y"),
        ])
        let report = try forgery.restore(snapshot, options: RestoreOptions(verifies: true))
        #expect(report.failures.isEmpty, "\(report.failures)")
        #expect(try DurableFiles.read(outside / "f", limit: 100) == Array("untouched".utf8))
        #expect(try DurableFiles.read(target / "dir" / "f", limit: 100) == Array("x".utf8))
    }

    @Test func `names that are no names are refused, their neighbours are restored`() throws {
        let forgery = try Forgery("names")
        let evil = ["..", ".", "", "../evil", "a/b", "/etc/evil"]
        let snapshot = try forgery.snapshot(try evil.map { try forgery.file($0, "evil") } + [try forgery.file("good", "good")])
        let report = try forgery.restore(snapshot)
        #expect(report.failures.count == evil.count)
        #expect(report.filesRestored == 1)
        #expect(directoryEntries(forgery.directory / "target") == [Array("good".utf8)])
        #expect(try !FileStatus.exists(forgery.directory / "evil"))
    }

    @Test func `a size that does not match the content is an error`() throws {
        let forgery = try Forgery("size")
        var short = try forgery.file("short", "hello")
        short.size = 99
        var none = try forgery.file("none", "")
        none.content = nil
        var lost = try forgery.file("lost", "")
        lost.content = [try SHA256.hash([1, 2, 3])]
        lost.size = 3
        let report = try forgery.restore(try forgery.snapshot([short, none, lost, try forgery.file("good", "good")]))
        #expect(Set(report.failures.map(\.path)) == ["/short", "/none", "/lost"])
        #expect(report.filesRestored == 1)
        #expect(!report.isComplete)
    }

    @Test func `a tree that is missing is reported and the rest is restored`() throws {
        let forgery = try Forgery("lost-tree")
        var lost = try forgery.folder("lost", [])
        lost.subtree = try SHA256.hash([9])
        var empty = try forgery.folder("none", [])
        empty.subtree = nil
        let report = try forgery.restore(try forgery.snapshot([lost, empty, try forgery.file("z", "good")]))
        #expect(report.failures.map(\.path) == ["/lost", "/none"])
        #expect(report.filesRestored == 1)
    }

    @Test func `only what is included comes back, and what is excluded does not`() throws {
        let forgery = try Forgery("select")
        func snapshot() throws -> Snapshot {
            try forgery.snapshot([
                try forgery.folder(
                    "home",
                    [
                        try forgery.folder("u", [try forgery.file("a.txt", "1"), try forgery.file("b.log", "2")]),
                        try forgery.folder("v", [try forgery.file("c.txt", "3")]),
                    ]),
                try forgery.file("root.txt", "4"),
            ])
        }
        let included = try forgery.restore(try snapshot(), options: RestoreOptions(include: ["/home/u/*.txt"]))
        #expect(included.filesRestored == 1)
        #expect(directoryEntries(forgery.directory / "target") == [Array("home".utf8)])
        #expect(directoryEntries(forgery.directory / "target" / "home") == [Array("u".utf8)])
        // A directory made on the way has the permissions of the snapshot, not those it was made with.
        #expect(try FileStatus.of(forgery.directory / "target" / "home").permissions == 0o755)
        removeTree(forgery.directory / "target")
        let excluded = try forgery.restore(try snapshot(), options: RestoreOptions(exclude: ["home/v", "*.log"]))
        #expect(excluded.filesRestored == 2)
        #expect(try !FileStatus.exists(forgery.directory / "target" / "home" / "v"))
        #expect { try forgery.restore(try snapshot(), options: RestoreOptions(include: ["["])) } throws: {
            ($0 as? RepositoryError)?.code == .invalidArgument
        }
    }

    @Test func `a directory where a file belongs is reported, not removed`() throws {
        let forgery = try Forgery("in-the-way")
        try DurableFiles.makeDirectories(forgery.directory / "target" / "f" / "kept")
        let report = try forgery.restore(try forgery.snapshot([try forgery.file("f", "x"), try forgery.file("g", "y")]))
        #expect(report.failures.map(\.path) == ["/f"])
        #expect(report.filesRestored == 1)
        #expect(try FileStatus.exists(forgery.directory / "target" / "f" / "kept"))
    }

    @Test func `verification finds what changed after the restore`() throws {
        let forgery = try Forgery("verify")
        let snapshot = try forgery.snapshot([try forgery.file("a", "hello"), try forgery.file("b", "world")])
        #expect(try forgery.restore(snapshot).failures.isEmpty)
        // The same length, so that only the content tells.
        let top = try FileDescriptor.open(forgery.directory / "target", O_RDONLY | O_DIRECTORY)
        try top.openEntry(Array("b".utf8), O_WRONLY).writeAll(Array("WORLD".utf8), path: "")
        let run = try RestoreRun(
            repository: forgery.repository, options: RestoreOptions(), stage: .verifying, report: RestoreReport(),
            cancellation: CancellationFlag())
        var visitor = VerifyVisitor(run: run)
        let traversal = TreeTraversal(repository: forgery.repository, selection: try PathSelection())
        try traversal.run(snapshot.tree, into: RestoreDirectory(target: HeldDescriptor(top)), &visitor)
        run.closeQueue()
        FileVerifier.work(run)
        #expect(run.currentReport.failures.map(\.path) == ["/b"])
        #expect(run.currentReport.filesVerified == 1)
    }

    @Test func `listing finds entries by path`() throws {
        let forgery = try Forgery("list")
        let snapshot = try forgery.snapshot([try forgery.folder("d", [try forgery.folder("e", [try forgery.file("f", "x")])])])
        let walker = TreeWalker(repository: forgery.repository)
        #expect(try walker.node(at: "/d/e/f", in: snapshot).size == 1)
        #expect { try walker.node(at: "/d/x", in: snapshot) } throws: { ($0 as? RepositoryError)?.code == .missing }
        #expect { try walker.node(at: "/d/e/f/g", in: snapshot) } throws: { ($0 as? RepositoryError)?.code == .missing }
        func list(_ path: FilePath, isRecursive: Bool = true) throws -> [String] {
            var paths: [String] = []
            try walker.list(snapshot, below: path, isRecursive: isRecursive) { (path, _) throws(RepositoryError) in
                paths.append(path.description)
            }
            return paths
        }
        #expect(try list("/") == ["/d", "/d/e", "/d/e/f"])
        #expect(try list("/d/e/") == ["/d/e", "/d/e/f"])
        #expect(try list("/", isRecursive: false) == ["/d"])
        var content: [UInt8] = []
        try walker.readContent(of: walker.node(at: "/d/e/f", in: snapshot)) { (bytes) throws(RepositoryError) in content += bytes }
        #expect(content == Array("x".utf8))
    }
}
