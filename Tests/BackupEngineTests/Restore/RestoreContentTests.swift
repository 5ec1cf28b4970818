import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Content that is shared, damaged, sparse or strange.
@Suite struct RestoreContentTests {
    private typealias Forgery = RestorerTests.Forgery

    /// Flips a bit in the blob that starts at `offset` of the only data pack that is `number` in order.
    private static func damage(_ repository: Repository, _ id: Digest, copy number: Int) throws {
        let place = try #require(repository.locations(of: .data, id).dropFirst(number).first)
        let path = FilePath(repository.location) / "data" / String(place.pack.hex.prefix(2)) / place.pack.hex
        try rewrite(path) { $0[Int(place.offset) + 20] ^= 1 }
    }

    @Test func `another copy of a damaged blob is used`() throws {
        let forgery = try Forgery("copies")
        let content = String(repeating: "twice ", count: 1000)
        let snapshot = try forgery.snapshot([try forgery.file("a", content), try forgery.file("b", content)])
        // One that does not know of the first copy stores a second.
        let other = try Repository.open(at: forgery.directory / "repo", password: Array("pw".utf8))
        let id = try SHA256.hash(Array(content.utf8))
        _ = try other.storeBlob(.data, id, Array(content.utf8))
        try other.flush()
        try forgery.repository.loadIndex()
        #expect(forgery.repository.locations(of: .data, id).count == 2)
        try Self.damage(forgery.repository, id, copy: 0)
        let report = try forgery.restore(snapshot, options: RestoreOptions(verifies: true))
        #expect(report.failures.isEmpty, "\(report.failures)")
        #expect(report.filesRestored == 2)
    }

    @Test func `a file without a part of its content is left for its owner alone and reported`() throws {
        let forgery = try Forgery("partial")
        var whole = try forgery.file("whole", "good")
        var broken = try forgery.file("broken", "")
        let (good, bad) = (try forgery.blob("good part "), try forgery.blob("bad part "))
        broken.content = [good, bad, good]
        broken.size = 29
        for node in [0, 1] {
            let time = Timestamp(seconds: 1_500_000_000)
            if node == 0 { whole.modified = time } else { broken.modified = time }
        }
        let snapshot = try forgery.snapshot([broken, whole])
        try Self.damage(forgery.repository, bad, copy: 0)
        let report = try forgery.restore(snapshot)
        #expect(report.failures.map(\.path) == ["/broken"])
        #expect(report.filesRestored == 1)
        let place = forgery.directory / "target" / "broken"
        #expect(try DurableFiles.read(place, limit: 100) == Array("good part ".utf8) + [UInt8](repeating: 0, count: 9) + Array("good part ".utf8))
        #expect(try FileStatus.of(place).permissions == 0o600)
        #expect(try FileStatus.of(place).modified.seconds > 1_700_000_000)
        // The next run sees that it is not whole.
        var options = RestoreOptions()
        options.overwrite = .ifChanged
        #expect(try forgery.restore(snapshot, options: options).failures.map(\.path) == ["/broken"])
    }

    @Test func `a pack that is gone costs its files, and no others`() throws {
        let forgery = try Forgery("gone")
        let first = try forgery.file("first", "in the first pack")
        try forgery.repository.flush()
        let second = try forgery.file("second", "in the second pack")
        let snapshot = try forgery.snapshot([first, second])
        let id = try #require(first.content?.first)
        let pack = try #require(forgery.repository.locations(of: .data, id).first).pack
        try DurableFiles.remove(forgery.directory / "repo" / "data" / String(pack.hex.prefix(2)) / pack.hex)
        let report = try forgery.restore(snapshot)
        #expect(report.failures.map(\.path) == ["/first"])
        #expect(report.filesRestored == 1)
    }

    @Test func `many files of many blobs over several batches come back, shared blobs too`() throws {
        let forgery = try Forgery("batches")
        var random = SeededRandom(for: "batches")
        let shared = try (0..<40).map { try forgery.blob("shared \($0) \(random.next())") }
        try forgery.repository.flush()
        let sizes = try shared.map { try #require(forgery.repository.blobSize(.data, $0)) }
        var folders: [Node] = []
        for folder in 0..<30 {
            var files: [Node] = []
            for number in 0..<40 {
                var node = try forgery.file("f\(padded(number, 3))", "own \(folder) \(number)")
                for _ in 0..<random.number(0..<4) {
                    let choice = random.number(0..<shared.count)
                    node.content?.append(shared[choice])
                    node.size += UInt64(sizes[choice])
                }
                files.append(node)
            }
            folders.append(try forgery.folder("d\(padded(folder, 2))", files))
        }
        let report = try forgery.restore(try forgery.snapshot(folders), options: RestoreOptions(verifies: true))
        #expect(report.failures.isEmpty, "\(report.failures.prefix(3))")
        #expect(report.filesVerified == 1200)
        #expect(report.entriesTotal == report.entriesRestored && report.bytesTotal == report.bytesRestored)
    }

    @Test func `runs of zeros take no space when asked for, wherever they lie`() throws {
        let forgery = try Forgery("sparse")
        let content = [UInt8](repeating: 7, count: 5000) + [UInt8](repeating: 0, count: 400_000) + [UInt8](repeating: 8, count: 3)
        let id = try SHA256.hash(content)
        _ = try forgery.repository.storeBlob(.data, id, content)
        var node = try forgery.file("holes", "")
        node.content = [id, id]
        node.size = UInt64(2 * content.count)
        let snapshot = try forgery.snapshot([node])
        let report = try forgery.restore(snapshot, options: RestoreOptions(verifies: true, makesSparseFiles: true))
        #expect(report.failures.isEmpty, "\(report.failures)")
        #expect(try FileStatus.of(forgery.directory / "target" / "holes").blocks512 * 512 < 100_000)
        #expect(try DurableFiles.read(forgery.directory / "target" / "holes", limit: 1 << 20) == content + content)
    }

    @Test func `strange names come back as they are`() throws {
        let forgery = try Forgery("strange")
        let names: [[UInt8]] = [
            Array(repeating: UInt8(ascii: "n"), count: 255), [1, 9, 10, 0x1B, 0x7F], [0xFF, 0xFE], Array("e\u{301}".utf8), Array("\u{E9}".utf8),
            Array("...".utf8), Array("-rf *".utf8), Array("\u{202E}txt.exe".utf8), Array("con\\nul".utf8),
        ]
        let nodes = try names.map { name in
            var node = try forgery.file("x", FilePath(bytes: name).description)
            node.name = name
            return node
        }
        var (long, zero) = (nodes[0], nodes[1])
        long.name = [UInt8](repeating: 0x6C, count: 256)
        zero.name = Array("a\u{0}b".utf8)
        let report = try forgery.restore(try forgery.snapshot(nodes + [long, zero]), options: RestoreOptions(verifies: true))
        // A path ends at its NUL, so the second is reported as "/a".
        #expect(Set(report.failures.map(\.path.bytes.count)) == [257, 2], "\(report.failures)")
        #expect(Set(directoryEntries(forgery.directory / "target")) == Set(names))
        #expect(report.filesVerified == UInt64(names.count))
    }

    @Test func `a folder of the snapshot is restored into the target itself`() throws {
        let forgery = try Forgery("subfolder")
        let snapshot = try forgery.snapshot([
            try forgery.folder("home", [try forgery.folder("u", [try forgery.file("Notes.TXT", "1"), try forgery.file("b", "2")])])
        ])
        var options = RestoreOptions(include: [])
        options.subfolder = SnapshotReference("latest:/home/u/").subfolder
        options.includeIgnoringCase = ["*.txt"]
        #expect(try forgery.restore(snapshot, options: options).filesRestored == 1)
        #expect(directoryEntries(forgery.directory / "target") == [Array("Notes.TXT".utf8)])
        options.subfolder = "/home/u/b"
        #expect { try forgery.restore(snapshot, options: options) } throws: { ($0 as? RepositoryError)?.code == .missing }
        #expect(SnapshotReference("ab12:../../etc").subfolder == "/etc")
    }

    @Test func `extended attributes are chosen by their names`() throws {
        let forgery = try Forgery("attributes")
        var node = try forgery.file("f", "x")
        node.extendedAttributes = ["user.one", "user.two"].map { ExtendedAttribute(name: Array($0.utf8), value: [1]) }
        let snapshot = try forgery.snapshot([node])
        for (include, exclude, expected) in [(["user.o*"], [], ["user.one"]), ([], ["user.o*"], ["user.two"])] as [([String], [String], [String])] {
            removeTree(forgery.directory / "target")
            var options = RestoreOptions()
            options.includeAttributes = include
            options.excludeAttributes = exclude
            #expect(try forgery.restore(snapshot, options: options).failures.isEmpty)
            let file = try FileDescriptor.open(forgery.directory / "target" / "f")
            #expect(try ExtendedAttributes.all(of: file).map { String(decoding: $0.name, as: UTF8.self) } == expected)
        }
    }

    @Test func `an inherited ACL and group do not survive on what the snapshot has without them`() throws {
        let forgery = try Forgery("inherited")
        let target = forgery.directory / "target"
        try DurableFiles.makeDirectories(target)
        let top = try FileDescriptor.open(target, O_RDONLY | O_DIRECTORY)
        func entry(_ tag: UInt8, _ permissions: UInt8, _ id: UInt8 = 0xFF) -> [UInt8] {
            [tag, 0, permissions, 0, id] + (id == 0xFF ? [0xFF, 0xFF, 0xFF] : [0, 0, 0])
        }
        let acl = [2, 0, 0, 0] + entry(1, 7) + entry(2, 7, 9) + entry(4, 7) + entry(16, 7) + entry(32, 7)
        try ExtendedAttributes.set(Array("system.posix_acl_default".utf8), to: acl, of: top)
        if isRoot { try top.setOwner(uid: 0, gid: 12) }
        try top.setPermissions(0o2777)
        let snapshot = try forgery.snapshot([try forgery.folder("d", [try forgery.file("f", "x")]), forgery.symlink("l", "/nowhere")])
        let report = try forgery.restore(snapshot, options: RestoreOptions(verifies: true))
        #expect(report.failures.isEmpty, "\(report.failures)")
        for path in [target / "d", target / "d" / "f"] {
            #expect(try ExtendedAttributes.all(of: FileDescriptor.open(path)).isEmpty)
            if isRoot { #expect(try FileStatus.of(path).gid == 0) }
        }
    }
}
