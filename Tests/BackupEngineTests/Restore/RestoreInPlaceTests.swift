import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Restores into directories that hold something already.
@Suite struct RestoreInPlaceTests {
    private typealias Forgery = RestorerTests.Forgery

    /// A file of several blobs.
    private static func longFile(_ forgery: borrowing RestorerTests.Forgery, _ name: String, parts: [[UInt8]]) throws -> Node {
        var node = Node(name: Array(name.utf8), kind: .file)
        node.mode = FileMode(rawValue: 0o644)
        node.modified = Timestamp(seconds: 1_600_000_000)
        node.content = try parts.map { part in
            let id = try SHA256.hash(part)
            _ = try forgery.repository.storeBlob(.data, id, part)
            return id
        }
        node.size = UInt64(parts.reduce(0) { $0 + $1.count })
        return node
    }

    private static func poke(_ path: FilePath, _ bytes: [UInt8], at offset: UInt64) throws {
        let file = try FileDescriptor.open(path, O_RDWR)
        try unsafe bytes.withUnsafeBytes { try unsafe file.writeAll($0, at: offset) }
    }

    private static func overwriting(_ mode: RestoreOptions.Overwrite) -> RestoreOptions {
        var options = RestoreOptions()
        options.overwrite = mode
        return options
    }

    @Test func `a file is rewritten in place, only where it differs, and right ones not at all`() throws {
        let forgery = try Forgery("in-place")
        var random = SeededRandom(for: "in place")
        let parts = (0..<4).map { _ in random.bytes(70_000) }
        let snapshot = try forgery.snapshot([
            try Self.longFile(forgery, "changed", parts: parts), try Self.longFile(forgery, "right", parts: parts),
        ])
        #expect(try forgery.restore(snapshot).filesRestored == 2)
        let changed = forgery.directory / "target" / "changed"
        let before = try FileStatus.of(changed)
        try Self.poke(changed, Array("other".utf8), at: 75_000)
        try FileDescriptor.open(changed, O_RDWR).resize(to: 300_000)
        let again = try forgery.restore(snapshot, options: RestoreOptions(verifies: true))
        #expect(again.failures.isEmpty, "\(again.failures)")
        #expect((again.filesRestored, again.filesUpdated, again.filesSkipped) == (1, 1, 1))
        #expect(try DurableFiles.read(changed, limit: 1 << 20) == parts.flatMap { $0 })
        #expect(try FileStatus.of(changed).inode == before.inode)
        #expect(try FileStatus.of(changed).modified == Timestamp(seconds: 1_600_000_000))
    }

    @Test func `an interrupted restore goes on where it ended`() throws {
        let forgery = try Forgery("resume")
        var random = SeededRandom(for: "resume")
        var nodes: [Node] = []
        for number in 0..<50 { nodes.append(try Self.longFile(forgery, "f\(padded(number, 2))", parts: [random.bytes(2000), random.bytes(3000)])) }
        let snapshot = try forgery.snapshot(nodes)
        _ = try forgery.restore(snapshot)
        // As a crash may leave them: one short, one gone, one with the time of the restore, one with a wrong byte.
        let target = forgery.directory / "target"
        try FileDescriptor.open(target / "f10", O_RDWR).resize(to: 100)
        try DurableFiles.remove(target / "f11")
        try Self.poke(target / "f12", [1, 2, 3, 4], at: 2500)
        let again = try forgery.restore(snapshot, options: Self.overwriting(.ifChanged))
        #expect(again.filesRestored == 3 && again.filesSkipped == 47, "\(again)")
        let last = try forgery.restore(snapshot, options: Self.overwriting(.ifChanged))
        #expect(last.filesRestored == 0 && last.filesSkipped == 50)
    }

    @Test(arguments: RestoreOptions.Overwrite.allCases)
    func `what is there is treated as the option says`(mode: RestoreOptions.Overwrite) throws {
        let forgery = try Forgery("overwrite-\(mode.rawValue)")
        var old = try forgery.file("old", "from the snapshot")
        var new = try forgery.file("new", "from the snapshot")
        old.modified = Timestamp(seconds: 1_700_000_000)
        new.modified = Timestamp(seconds: 1_700_000_000)
        let snapshot = try forgery.snapshot([new, try forgery.file("missing", "x"), old])
        let target = forgery.directory / "target"
        try DurableFiles.makeDirectories(target)
        try put(target / "old", "older")
        try put(target / "new", "newer")
        let top = try FileDescriptor.open(target, O_RDONLY | O_DIRECTORY)
        for (name, seconds) in [("old", 1_600_000_000), ("new", 1_800_000_000)] as [(String, Int64)] {
            try top.setTimesOfEntry(Array(name.utf8), accessed: Timestamp(seconds: seconds), modified: Timestamp(seconds: seconds))
        }
        var options = Self.overwriting(mode)
        options.isDryRun = true
        let foreseen = try forgery.restore(snapshot, options: options)
        #expect(try DurableFiles.read(target / "old", limit: 100) == Array("older".utf8))
        options.isDryRun = false
        options.verifies = true
        let report = try forgery.restore(snapshot, options: options)
        #expect(report.failures.isEmpty, "\(report.failures)")
        let replaced = try ["old", "new"].filter { try DurableFiles.read(target / $0, limit: 100) == Array("from the snapshot".utf8) }
        switch mode {
        case .always, .ifChanged: #expect(replaced == ["old", "new"])
        case .ifNewer: #expect(replaced == ["old"])
        case .never: #expect(replaced == [])
        }
        #expect(report.filesSkipped == UInt64(2 - replaced.count))
        #expect(foreseen.filesRestored == report.filesRestored && foreseen.filesSkipped == report.filesSkipped)
    }

    @Test func `a file with several names is replaced, not written through`() throws {
        let forgery = try Forgery("hard-link")
        let outside = forgery.directory / "outside"
        try put(outside, "untouched")
        let target = forgery.directory / "target"
        try DurableFiles.makeDirectories(target)
        let top = try FileDescriptor.open(target, O_RDONLY | O_DIRECTORY)
        let above = try FileDescriptor.open(forgery.directory.path, O_RDONLY | O_DIRECTORY)
        try top.makeHardLink(Array("f".utf8), to: Array("outside".utf8), in: above)
        let before = try FileStatus.of(outside)
        var node = try forgery.file("f", "untouched")
        node.mode = FileMode(rawValue: 0o600)
        node.uid = 4711
        let report = try forgery.restore(try forgery.snapshot([node]), options: Self.overwriting(.ifChanged))
        #expect(report.failures.isEmpty, "\(report.failures)")
        let after = try FileStatus.of(outside)
        #expect((after.permissions, after.uid, after.links) == (before.permissions, before.uid, 1))
    }

    @Test func `what the snapshot lacks is removed on request, as far as the patterns go`() throws {
        let forgery = try Forgery("delete")
        let snapshot = try forgery.snapshot([
            try forgery.folder("d", [try forgery.file("kept", "1"), try forgery.file("keep.log", "2")]), try forgery.file("f", "3"),
        ])
        let target = forgery.directory / "target"
        let outside = forgery.directory / "outside"
        try DurableFiles.makeDirectories(outside)
        try put(outside / "victim", "untouched")
        func fill() throws {
            _ = try forgery.restore(snapshot)
            try DurableFiles.makeDirectories(target / "d" / "strange" / "deep")
            try put(target / "d" / "strange" / "deep" / "x", "")
            try put(target / "d" / "other.log", "")
            try put(target / "stranger", "")
            try FileDescriptor.open(target, O_RDONLY | O_DIRECTORY).makeSymlink(Array("way out".utf8), target: outside.bytes)
        }
        try fill()
        var options = RestoreOptions()
        options.deletes = true
        options.isDryRun = true
        let foreseen = try forgery.restore(snapshot, options: options)
        #expect(foreseen.filesDeleted == 6)
        #expect(try FileStatus.exists(target / "d" / "strange" / "deep" / "x"))
        options.isDryRun = false
        let report = try forgery.restore(snapshot, options: options)
        #expect(report.failures.isEmpty, "\(report.failures)")
        #expect(report.filesDeleted == 6)
        #expect(Set(directoryEntries(target)) == Set([Array("d".utf8), Array("f".utf8)]))
        #expect(directoryEntries(target / "d").count == 2)
        #expect(directoryEntries(outside).count == 1)

        try fill()
        options.include = ["*.log"]
        let selected = try forgery.restore(snapshot, options: options)
        #expect(selected.filesDeleted == 1, "\(selected)")
        #expect(try FileStatus.exists(target / "d" / "strange"))
        #expect(try !FileStatus.exists(target / "d" / "other.log"))
    }

    @Test func `nothing is deleted when it is not known what the snapshot has`() throws {
        let forgery = try Forgery("delete-unknown")
        var lost = try forgery.folder("lost", [])
        lost.subtree = try SHA256.hash([9])
        let target = forgery.directory / "target"
        try DurableFiles.makeDirectories(target / "lost")
        try put(target / "lost" / "stays", "")
        try put(target / "stays", "")
        var options = RestoreOptions()
        options.deletes = true
        let report = try forgery.restore(try forgery.snapshot([lost]), options: options)
        #expect(report.failures.count == 1)
        #expect(try FileStatus.exists(target / "stays") && FileStatus.exists(target / "lost" / "stays"))
    }

    @Test func `a directory that was swapped for a link is not entered again`() throws {
        let directory = try TemporaryDirectory("swap")
        try DurableFiles.makeDirectories(directory / "outside")
        let top = RestoreDirectory(target: HeldDescriptor(try FileDescriptor.open(directory.path, O_RDONLY | O_DIRECTORY)))
        let inner = RestoreDirectory(Node(name: Array("inner".utf8), kind: .dir), "/inner", in: top, isSelected: true)
        _ = try inner.open()
        inner.park()
        let held = try FileDescriptor.open(directory.path, O_RDONLY | O_DIRECTORY)
        try held.renameEntry(Array("inner".utf8), to: Array("away".utf8))
        try held.makeSymlink(Array("inner".utf8), target: Array("outside".utf8))
        #expect(throws: SystemError.self) { _ = try inner.open() }
        try held.removeEntry(Array("inner".utf8), isDirectory: false)
        try held.renameEntry(Array("outside".utf8), to: Array("inner".utf8))
        #expect { _ = try inner.open() } throws: { ($0 as? SystemError)?.number == ESTALE }
    }
}
