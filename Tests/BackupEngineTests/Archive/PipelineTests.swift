import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct PipelineTests {
    private static let password = Array("pw".utf8)

    private static func make(_ path: FilePath, _ form: RepositoryForm = RepositoryForm(), packMiB: Int = 16) throws -> Repository {
        _ = try Repository.create(at: path, password: password, cost: .fixed(n: 1024, r: 8, p: 1), form: form)
        return try Repository.open(at: path, password: password, writing: WriteSettings(packSizeBytes: packMiB << 20))
    }

    /// SHA-256 of a stored file, blob by blob.
    private static func hash(_ node: Node, in repository: Repository) throws -> Digest {
        var hasher = try SHA256()
        for id in try #require(node.content) { try hasher.update(repository.loadBlob(.data, id)) }
        return try hasher.finish()
    }

    @Test func `a large file is cut by many workers exactly as by one`() throws {
        let directory = try TemporaryDirectory("large")
        var random = SeededRandom(for: "large file")
        var bytes: [UInt8] = []
        for number in 0..<5 { bytes += number == 2 ? [UInt8](repeating: 0, count: 9_000_001) : random.bytes(7_000_003) }
        try DurableFiles.create(directory / "file", bytes)
        let repository = try Self.make(directory / "repo")
        var request = BackupRequest(sources: [directory / "file"], hostname: "host", workerCount: 5)
        let report = try Archiver(repository: repository).run(request)
        let node = try TreeWalker(repository: repository).node(at: directory / "file", in: report.snapshot)
        #expect(node.size == UInt64(bytes.count))
        #expect(try Self.hash(node, in: repository) == SHA256.hash(bytes))
        let lengths = try #require(node.content).map { try repository.loadBlob(.data, $0).count }
        #expect(try lengths == GearChunkerTests.lengths(bytes, repository.configuration.cutRule(), readBytes: 1 << 20))
        request.workerCount = 1
        request.parent = .none
        let again = try Archiver(repository: repository).run(request)
        #expect(again.summary.dataBlobs == 0)
        // The directories above are used by others at the same time; the file is not.
        #expect(try TreeWalker(repository: repository).node(at: directory / "file", in: again.snapshot) == node)
    }

    @Test func `a bit that flips between sealing and publishing ends the backup`() throws {
        let directory = try TemporaryDirectory("flip")
        let repository = try Self.make(directory / "repo")
        let bytes = Array("đúng từng bit".utf8)
        let handle = BlobHandle(.data, try SHA256.hash(bytes))
        try unsafe bytes.withUnsafeBytes { plaintext in
            try repository.store.contexts.use { (context) throws(RepositoryError) in
                var sealed: [UInt8] = []
                var length: UInt32 = 0
                try unsafe context.encodeBlob(handle, plaintext, compressing: true) { bytes, uncompressed in
                    unsafe sealed = Array(bytes)
                    length = uncompressed
                }
                sealed[sealed.count / 2] ^= 0x10
                try unsafe sealed.withUnsafeBufferPointer { (sealed) throws(RepositoryError) in
                    try unsafe repository.writer.add(handle, UnsafeRawBufferPointer(sealed), uncompressedLength: length)
                }
            }
        }
        #expect(code { try repository.flush() } == .corrupt)
        #expect(onlyFiles(below: directory / "repo/data") == [])
        #expect(onlyFiles(below: directory / "repo/index") == [])
    }

    @Test func `packs are as large as asked for, and small rests are put together`() throws {
        let directory = try TemporaryDirectory("packs")
        let repository = try Self.make(directory / "repo", packMiB: 4)
        var random = SeededRandom(for: "pack sizes")
        for _ in 0..<120 {
            let bytes = random.bytes(Int(random.next() % 400_000) + 1)
            _ = try repository.storeBlob(.data, SHA256.hash(bytes), bytes)
        }
        let large = random.bytes(5 << 20)
        _ = try repository.storeBlob(.data, SHA256.hash(large), large)
        try repository.flush()
        let sizes = try onlyFiles(below: directory / "repo/data").map { try FileStatus.of($0).sizeBytes }
        #expect(sizes.filter { $0 < 4 << 20 }.count <= 2)
        #expect(sizes.filter { $0 > 4 << 20 + 401_000 + 4096 }.count == 1)
        #expect(sizes.filter { $0 < 2 << 20 }.count <= 1)
        #expect(try repository.check(readData: true).errors == [])
    }

    @Test(arguments: [false, true])
    func `what a lost or cut pack held is stored again by the next backup`(isCut: Bool) throws {
        let scene = try BackupScene("healing")
        for number in 0..<20 { try put(scene.source / "f\(number)", "content \(number)") }
        _ = try scene.backUp()
        let packs = onlyFiles(below: scene.directory / "repo/data")
        for pack in packs {
            if isCut {
                try rewrite(pack) { $0.removeLast(7) }
            } else {
                try DurableFiles.remove(pack)
            }
        }
        let reopened = try Repository.open(at: scene.directory / "repo", password: Self.password)
        let report = try Archiver(repository: reopened).run(scene.request())
        #expect(report.summary.dataBlobs == 20)
        let fresh = try Repository.open(at: scene.directory / "repo", password: Self.password)
        try fresh.loadIndex()
        let walker = TreeWalker(repository: fresh)
        for number in 0..<20 {
            let node = try walker.node(at: scene.source / "f\(number)", in: report.snapshot)
            #expect(try Self.hash(node, in: fresh) == SHA256.hash(Array("content \(number)".utf8)))
        }
    }

    @Test func `a change shows by size, time, change time or inode, and each can be left out of account`() throws {
        let scene = try BackupScene("detection")
        let file = scene.source / "f"
        try put(file, "one")
        _ = try scene.backUp()
        func unmodified(_ detection: ChangeDetection) throws -> Bool {
            var request = scene.request()
            request.detection = detection
            request.isDryRun = true
            return try Archiver(repository: scene.repository).run(request).summary.filesUnmodified == 1
        }
        let (all, noTime, none) = (
            ChangeDetection(), ChangeDetection(comparesChangeTime: false), ChangeDetection(comparesChangeTime: false, comparesInode: false)
        )
        #expect(try unmodified(all))
        // Only the change time: a mode that is set and set back.
        let modified = try FileStatus.of(file).modified
        #expect(unsafe chmod(try #require(file.utf8), 0o600) == 0)
        #expect(try !unmodified(all))
        #expect(try unmodified(noTime))
        // Another inode with the same content and time.
        try DurableFiles.replace(file, Array("two".utf8), mode: 0o644)
        var times = [
            timespec(tv_sec: Int(modified.seconds), tv_nsec: Int(modified.nanoseconds)),
            timespec(tv_sec: Int(modified.seconds), tv_nsec: Int(modified.nanoseconds)),
        ]
        #expect(unsafe utimensat(AT_FDCWD, try #require(file.utf8), &times, 0) == 0)
        #expect(try !unmodified(noTime))
        #expect(try unmodified(none))
        // The time of modification, and the size.
        times[1].tv_sec += 1
        #expect(unsafe utimensat(AT_FDCWD, try #require(file.utf8), &times, 0) == 0)
        #expect(try !unmodified(none))
    }

    @Test func `a dry run writes nothing and counts the same`() throws {
        let scene = try BackupScene("dry")
        for number in 0..<5 { try put(scene.source / "f\(number)", String(repeating: "x\(number)", count: 1000)) }
        let before = onlyFiles(below: scene.directory / "repo")
        var request = scene.request()
        request.isDryRun = true
        let dry = try Archiver(repository: scene.repository).run(request)
        #expect(!dry.isSaved)
        #expect(onlyFiles(below: scene.directory / "repo") == before)
        let real = try Archiver(repository: Repository.open(at: scene.directory / "repo", password: Self.password)).run(scene.request())
        #expect(dry.summary.dataBlobs == real.summary.dataBlobs)
        #expect(dry.summary.dataAdded == real.summary.dataAdded)
        #expect(dry.summary.filesNew == 5)
    }

    @Test func `an identical snapshot can be left out`() throws {
        let scene = try BackupScene("skip")
        try put(scene.source / "f", "1")
        let repository = scene.repository
        var request = BackupRequest(sources: [scene.source / "f"], hostname: "host")
        let first = try Archiver(repository: repository).run(request)
        request.skipsUnchanged = true
        let second = try Archiver(repository: repository).run(request)
        #expect(second.isSaved == (second.snapshot.tree != first.snapshot.tree))
        #expect(try repository.listSnapshots().count == (second.isSaved ? 2 : 1))
    }

    @Test func `markers, sizes and patterns without case leave out what restic leaves out`() throws {
        let scene = try BackupScene("selection")
        for name in ["cache", "fake", "build"] { try DurableFiles.makeDirectories(scene.source / name) }
        try put(scene.source / "cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55 # tag")
        try put(scene.source / "cache/big", "1")
        try put(scene.source / "fake/CACHEDIR.TAG", "no signature")
        try put(scene.source / "fake/kept", "1")
        try put(scene.source / "build/.nobackup", "")
        try put(scene.source / "build/object", "1")
        try put(scene.source / "LARGE", String(repeating: "x", count: 2000))
        try put(scene.source / "Note.TMP", "1")
        var request = scene.request()
        request.markers = [.cache, EntrySelection.Marker(name: Array(".nobackup".utf8))]
        request.largestFileBytes = 1999
        request.caselessExcludes = ["*.tmp"]
        let report = try Archiver(repository: scene.repository).run(request)
        #expect(
            try scene.list(report.snapshot) == [
                "build", "build/.nobackup", "cache", "cache/CACHEDIR.TAG", "fake", "fake/CACHEDIR.TAG", "fake/kept",
            ])
        let scan = try SourceScan(request)
        while !scan.current.isComplete { ThreadPriority.pause(nanoseconds: 1_000_000) }
        #expect(scan.current.files == 4)
        scan.stop()
    }

    @Test func `lists of sources are read as restic reads them`() throws {
        #expect(SourceList.patterns(Array("  a b \n# c\n\n/d*\r\n".utf8)) == ["a b", "/d*"])
        #expect(SourceList.verbatim(Array(" a\n\n#b\n".utf8)) == [" a", "#b"])
        #expect(SourceList.raw(Array("a\nb\0c\0".utf8)) == ["a\nb", "c"])
        #expect(SourceList.raw(Array("a".utf8)) == nil)
        #expect(SourceList.raw(Array("a\0\0".utf8)) == nil)
        let directory = try TemporaryDirectory("expand")
        for name in ["a1", "a2", ".a3", "b"] { try put(directory / name, "") }
        let pattern = try #require((directory / "a?").utf8)
        #expect(try SourceList.expand(pattern) == [directory / "a1", directory / "a2"])
        #expect(try SourceList.expand(try #require((directory / "*").utf8)).count == 4)
        #expect(try SourceList.expand(try #require((directory / "c").utf8)).isEmpty)
    }

    @Test func `a repository that is cut by something unknown is refused, one without our key is cut as restic does`() throws {
        let plain = #"{"version":2,"id":"00","chunker_polynomial":"25b468838dcb75"}"#
        #expect(try ConfigurationFile.decode(Array(plain.utf8)).chunker == .rabin)
        let other = #"{"version":2,"id":"00","chunker_polynomial":"25b468838dcb75","sentinel_chunker":{"algorithm":"fastcdc","key":""}}"#
        #expect(throws: ConfigurationFile.UnknownChunker.self) { try ConfigurationFile.decode(Array(other.utf8)) }
        let short = #"{"version":2,"id":"00","chunker_polynomial":"25b468838dcb75","sentinel_chunker":{"algorithm":"gear","key":"AAAA"}}"#
        #expect(throws: JSONError.self) { try ConfigurationFile.decode(Array(short.utf8)) }
        let directory = try TemporaryDirectory("forms")
        let gear = try Self.make(directory / "gear")
        let reopened = try Repository.open(at: directory / "gear", password: Self.password)
        #expect(reopened.configuration == gear.configuration)
        let like = try Self.make(directory / "like", RepositoryForm(chunker: .like(gear.configuration)))
        #expect(like.configuration.chunker == gear.configuration.chunker)
        #expect(like.configuration.id != gear.configuration.id)
        #expect(try Self.make(directory / "rabin", RepositoryForm(chunker: .rabin)).configuration.chunker == .rabin)
    }

    @Test func `two backups at once leave a sound repository`() throws {
        let scene = try BackupScene("two")
        var random = SeededRandom(for: "two writers")
        for number in 0..<200 { try DurableFiles.create(scene.source / "f\(number)", random.bytes(20_000)) }
        let repository = scene.directory / "repo"
        let failures = Monitor<[String]>([])
        let source = scene.source
        let threads = try (0..<2).map { number in
            try WorkerThread(name: "writer") {
                do {
                    let own = try Repository.open(at: repository, password: Self.password)
                    _ = try Archiver(repository: own).run(BackupRequest(sources: [source], hostname: "host\(number)"))
                } catch {
                    failures.change { $0.append("\(error)") }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.read { $0 } == [])
        let fresh = try Repository.open(at: repository, password: Self.password)
        #expect(try fresh.listSnapshots().count == 2)
        #expect(try fresh.check(readData: true).errors == [])
    }

    @Test(arguments: Peer.restics)
    func `stock restic works with a repository of either chunker`(_ version: Peer) async throws {
        let directory = try TemporaryDirectory("chunkers")
        var random = SeededRandom(for: "chunkers")
        let source = directory / "source"
        try SampleTree.make(at: source, &random, isForRestic014: true)
        try DurableFiles.create(source / "thirty-MiB", random.bytes(30 << 20))
        let restic = try StockRestic(directory / "repo", scratch: directory.path, version: version)
        let repository = try restic.create()
        #expect(repository.configuration.chunker != .rabin)
        let report = try Archiver(repository: repository).run(BackupRequest(sources: [source], hostname: "host"))
        try #require(report.isComplete, "\(report.unreadable)")
        let theirs = try await restic.run(["backup", "--host", "host", try #require(source.utf8)])
        try #require(theirs.status == 0, "\(theirs)")
        if version != .debianRestic {
            let rewrite = try await restic.run(["rewrite", "--exclude", "thirty-MiB", "latest"])
            try #require(rewrite.status == 0, "\(rewrite)")
        }
        let check = try await restic.run(["check", "--read-data"])
        #expect(check.status == 0, "\(check)")
        let prune = try await restic.run(["prune"])
        #expect(prune.status == 0, "\(prune)")
    }
}
