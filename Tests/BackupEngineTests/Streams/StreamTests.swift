import Platform
import Synchronization
import TestSupport
import Testing

@testable import BackupEngine

/// Hands out bytes from memory, a few at a time, and fails where it is told to.
struct MemoryProducer: StreamProducer {
    var bytes: [UInt8]
    var portion = 100_000
    /// Fails after this many bytes; at the end of all of them when larger.
    var failsAfter: Int?

    func open(_ surroundings: StreamSurroundings) throws(StreamError) -> any ByteStream { Stream(self) }

    private final class Stream: ByteStream {
        private let producer: MemoryProducer
        private var position = 0
        let metadata = StreamMetadata.none

        init(_ producer: MemoryProducer) { self.producer = producer }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int {
            if let limit = producer.failsAfter, position >= limit { throw Self.broken }
            let count = min(buffer.count, producer.portion, producer.bytes.count - position)
            for index in 0..<count { unsafe buffer[index] = producer.bytes[position + index] }
            position += count
            return count
        }

        func finish() throws(StreamError) { if producer.failsAfter != nil { throw Self.broken } }

        private static let broken = StreamError(Phrase(vi: "hỏng", en: "broken"))
    }
}

extension BackupScene {
    func backUp(streams: [StreamSource], _ sources: [FilePath] = [], failure: StreamFailure = .endsRun) throws -> BackupReport {
        try Archiver(repository: repository).run(
            BackupRequest(sources: sources, streams: streams, streamFailure: failure, tagsIncomplete: true, hostname: "host"))
    }

    func node(_ path: FilePath, _ snapshot: Snapshot) throws -> Node {
        try TreeWalker(repository: repository).node(at: path, in: snapshot)
    }

    func content(_ path: FilePath, _ snapshot: Snapshot) throws -> [UInt8] {
        try (node(path, snapshot).content ?? []).flatMap { try repository.loadBlob(.data, $0) }
    }

    func paths(_ snapshot: Snapshot) throws -> [String] {
        var result: [String] = []
        try TreeWalker(repository: repository).list(snapshot) { (path, node) throws(RepositoryError) in result.append(path.description) }
        return result
    }
}

@Suite struct StreamTests {
    @Test func `a stream is a file of the snapshot, with its own directories`() throws {
        let scene = try BackupScene("stream")
        var random = SeededRandom(seed: 7)
        let bytes = random.bytes(5_000_000)
        let report = try scene.backUp(streams: [StreamSource(path: "/postgresql/a.dump", producer: MemoryProducer(bytes: bytes))])
        #expect(report.isComplete)
        #expect(report.snapshot.paths == ["/postgresql/a.dump"])
        #expect(report.snapshot.tags.isEmpty)
        #expect(report.summary.filesNew == 1)
        #expect(report.summary.totalBytesProcessed == 5_000_000)
        #expect(try scene.paths(report.snapshot) == ["/postgresql", "/postgresql/a.dump"])
        let node = try scene.node("/postgresql/a.dump", report.snapshot)
        #expect(node.size == 5_000_000 && node.kind == .file && node.mode.permissions == 0o644)
        #expect((node.content?.count ?? 0) > 1)
        #expect(try scene.content("/postgresql/a.dump", report.snapshot) == bytes)
    }

    @Test func `an unchanged stream adds no data, and its cuts do not depend on how it is read`() throws {
        let scene = try BackupScene("stream-again")
        var random = SeededRandom(seed: 8)
        let bytes = random.bytes(4_000_000)
        let first = try scene.backUp(streams: [StreamSource(path: "/x", producer: MemoryProducer(bytes: bytes))])
        let second = try scene.backUp(streams: [StreamSource(path: "/x", producer: MemoryProducer(bytes: bytes, portion: 333))])
        #expect(second.snapshot.parent == first.snapshotID)
        #expect(second.summary.dataBlobs == 0)
        #expect(try scene.node("/x", first.snapshot).content == scene.node("/x", second.snapshot).content)
        try put(scene.source / "copy", "")
        try DurableFiles.replace(scene.source / "copy", bytes)
        #expect(try scene.backUp().summary.dataBlobs == 0)
    }

    @Test func `a stream takes the place of files that a walked directory holds`() throws {
        let scene = try BackupScene("stream-in-place")
        try DurableFiles.makeDirectories(scene.source / "app")
        for name in ["a", "app.db", "app.db-wal", "z"] { try put(scene.source / "app" / name, "on disk") }
        let path = scene.source / "app/app.db"
        let stream = StreamSource(
            path: path, replacedPaths: [scene.source / "app/app.db-wal"], isVirtual: false,
            producer: MemoryProducer(bytes: Array("copied".utf8)))
        let report = try scene.backUp(streams: [stream], [scene.source])
        #expect(try scene.list(report.snapshot) == ["app", "app/a", "app/app.db", "app/z"])
        #expect(try scene.content(path, report.snapshot) == Array("copied".utf8))
        #expect(try scene.node(scene.source / "app", report.snapshot).inode == FileStatus.of(scene.source / "app").inode)
    }

    @Test(arguments: [0, 2_000_000, 10_000_000]) func `a producer that fails leaves no snapshot`(failsAfter: Int) throws {
        let scene = try BackupScene("stream-fails")
        try put(scene.source / "a", "1")
        let bytes = [UInt8](repeating: 7, count: 3_000_000)
        let stream = StreamSource(path: "/x", producer: MemoryProducer(bytes: bytes, failsAfter: failsAfter))
        let error = failure { _ = try scene.backUp(streams: [stream], [scene.source]) }
        #expect(error?.code == .producer)
        #expect(error?.message.en == "'/x': broken")
        #expect(try scene.repository.listSnapshots().isEmpty)
    }

    @Test func `among several sources a failed producer leaves its entry out, and the snapshot says that it is incomplete`() throws {
        let scene = try BackupScene("stream-left-out")
        try put(scene.source / "a", "1")
        let streams = [
            StreamSource(path: "/db/bad", producer: MemoryProducer(bytes: [1, 2, 3], failsAfter: 10)),
            StreamSource(path: "/db/good", producer: MemoryProducer(bytes: [4, 5, 6])),
        ]
        let report = try scene.backUp(streams: streams, [scene.source], failure: .leavesOut)
        #expect(!report.isComplete)
        #expect(report.unreadable.map(\.path) == ["/db/bad"])
        #expect(report.snapshot.tags == ["incomplete"])
        #expect(try scene.paths(report.snapshot).filter { $0.hasPrefix("/db") } == ["/db", "/db/good"])
        #expect(try scene.list(report.snapshot) == ["a"])
    }

    @Test func `when every producer failed there is nothing to save`() throws {
        let scene = try BackupScene("stream-nothing")
        let stream = StreamSource(path: "/db/bad", producer: MemoryProducer(bytes: [1], failsAfter: 1))
        #expect(code { _ = try scene.backUp(streams: [stream], failure: .leavesOut) } == .emptySnapshot)
        #expect(try scene.repository.listSnapshots().isEmpty)
    }

    @Test func `two streams cannot have one name, and a stream is no directory of another`() throws {
        let scene = try BackupScene("stream-conflict")
        for (one, other) in [("/x", "/x"), ("/x", "/x/y"), ("/x/y", "/x"), ("/", "/a")] {
            let streams = [one, other].map { StreamSource(path: FilePath($0), producer: MemoryProducer(bytes: [1])) }
            #expect(code { _ = try scene.backUp(streams: streams) } == .invalidArgument, "\(one) \(other)")
        }
    }
}
