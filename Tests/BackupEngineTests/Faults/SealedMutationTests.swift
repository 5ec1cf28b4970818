import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Contents that are damaged and then sealed as if they were right: what a faulty or hostile writer who holds the key leaves behind.
///
/// The seal no longer protects the parsers and what lies behind them. Nothing may crash, take memory without bound, or pass a wrong blob
/// off as a right one.
@Suite struct SealedMutationTests {
    /// Plain texts of this kind of file, as every restic writes them, and inputs that once went wrong.
    private static func corpus(_ kind: String) throws -> [[UInt8]] {
        let folder = testResource("Tests/Vectors/Corpus") / kind
        let files = directoryEntries(folder).sorted { $0.lexicographicallyPrecedes($1) }
        try #require(!files.isEmpty, "\(folder) is empty")
        return try files.map { try DurableFiles.read(folder.appending($0), limit: 1 << 20) }
    }

    /// A sound repository of one file in one directory.
    private struct Scene {
        let made: HandMadeRepository
        let content = Array("nội dung".utf8)
        let inner: [UInt8]
        let root: [UInt8]
        let index: [UInt8]
        let snapshot: [UInt8]

        init(_ path: FilePath) throws {
            made = try HandMadeRepository(path)
            inner = HandMadeTree.tree([try HandMadeTree.file("tệp", [content])])
            root = HandMadeTree.tree([try HandMadeTree.directory("thư mục", inner)])
            try made.addPack([.data(content)])
            try made.addPack([.tree(inner), .tree(root)])
            index = Array(made.indexText.utf8)
            snapshot = Array(HandMadeRepository.snapshotText(try SHA256.hash(root)).utf8)
        }

        /// Everything a command may do with the repository: any answer will do, but for content that is not what its name says.
        ///
        /// - Parameter target: Where to restore to; nothing is restored when nil, for the lock that a restore takes costs its 200 ms.
        func use(restoringInto target: FilePath?) throws {
            let path = made.path
            guard let repository = try? Repository.open(at: path, password: storePassword) else { return }
            let snapshots = (try? repository.listSnapshots()) ?? []
            try? repository.loadIndex()
            _ = try? repository.check(readData: true)
            for (type, bytes) in [(BlobType.data, content), (.tree, inner), (.tree, root)] {
                if let loaded = try? repository.loadBlob(type, SHA256.hash(bytes)) { #expect(loaded == bytes) }
            }
            for snapshot in snapshots.prefix(2) {
                _ = SnapshotFile.encode(snapshot)
                var paths = 0
                try? TreeWalker(repository: repository).list(snapshot) { (_, _) throws(RepositoryError) in paths += 1 }
                guard let target else { continue }
                _ = try? Restorer(repository: repository).restore(snapshot, into: target / "in", options: RestoreOptions())
            }
            guard let target else { return }
            // Nothing came to lie beside the target.
            let beside = directoryEntries(target).map { String(decoding: $0, as: UTF8.self) }
            #expect(beside.allSatisfy { $0 == "in" }, "\(beside)")
            removeTree(target / "in")
        }
    }

    private func fuzzScene(_ name: String, _ corpus: (Scene) throws -> [[UInt8]], _ install: (Scene, [UInt8]) throws -> [FilePath]) throws {
        let directory = try TemporaryDirectory("sealed")
        let scene = try Scene(directory / "repo")
        let target = directory / "target"
        try DurableFiles.makeDirectories(target)
        var runs = 0
        try fuzz("sealed \(name)", corpus: try corpus(scene), iterations: 120) { input in
            let files = try install(scene, input)
            runs += 1
            try scene.use(restoringInto: runs % 8 == 1 || isFullTest ? target : nil)
            for file in files { try removeQuickly(file) }
        }
    }

    private func removeQuickly(_ path: FilePath) throws { _ = unsafe path.withCString { unsafe unlink($0) } }

    @Test func `indexes`() throws {
        try fuzzScene("index") {
            try [$0.index] + Self.corpus("index")
        } _: { scene, input in
            [try scene.made.addFile("index", [2] + HandMadeRepository.frameWithoutSize(input)), try scene.made.addFile("snapshots", scene.snapshot)]
        }
    }

    @Test func `snapshots`() throws {
        try fuzzScene("snapshot") {
            try [$0.snapshot] + Self.corpus("snapshot")
        } _: { scene, input in
            [try scene.made.addFile("index", scene.index), try scene.made.addFile("snapshots", input)]
        }
    }

    @Test func `trees`() throws {
        try fuzzScene("tree") {
            try [$0.inner, $0.root] + Self.corpus("tree")
        } _: { scene, input in
            let id = try SHA256.hash(input)
            let (pack, index) = try scene.made.addLoosePack([.tree(input)], besides: scene.index)
            return [
                pack, try scene.made.addFile("index", index), try scene.made.addFile("snapshots", Array(HandMadeRepository.snapshotText(id).utf8)),
            ]
        }
    }

    @Test func `frames of blobs`() throws {
        var compressor = try ZstdCompressor(level: 3)
        let content = Array(String(repeating: "nội dung nén được. ", count: 300).utf8)
        let frames = [HandMadeRepository.frameWithoutSize(content), try compressor.compress(content)]
        try fuzzScene("frame") { _ in
            frames
        } _: { scene, input in
            let (pack, index) = try scene.made.addLoosePack([.data(content, .given(input))], besides: scene.index)
            return [pack, try scene.made.addFile("index", index), try scene.made.addFile("snapshots", scene.snapshot)]
        }
    }

    @Test func `headers of packs`() throws {
        let blobs = [HandMadeRepository.Blob.data("một", .plain), .data("hai")]
        try fuzzScene("header") {
            [try $0.made.header(of: blobs)]
        } _: { scene, input in
            let (pack, index) = try scene.made.addLoosePack(blobs, header: input, besides: scene.index)
            return [pack, try scene.made.addFile("index", index), try scene.made.addFile("snapshots", scene.snapshot)]
        }
    }

    @Test func `keys, configs and locks as restic writes them`() throws {
        let directory = try TemporaryDirectory("texts")
        let scene = try Scene(directory / "repo")
        try fuzz("documents of restic", corpus: try ["key", "config", "lock", "snapshot"].flatMap(Self.corpus), iterations: 20_000) { input in
            _ = try? ConfigurationFile.decode(input)
            if let key = try? KeyFile(json: input) { #expect(key.parameters.isAcceptable && key.salt.count == 64) }
            if let lock = try? LockFile(json: input) { _ = lock.isStale(seenBy: .current()) }
            if let snapshot = try? SnapshotFile.decode(input, id: .zero) { _ = SnapshotFile.encode(snapshot) }
            _ = try? MasterKey(json: input)
        }
        // A key beside the good one: whatever it is, whoever has the password comes in or is told why not.
        for key in try Self.corpus("key") {
            let file = try scene.made.addRaw("keys", key)
            _ = try Repository.open(at: scene.made.path, password: storePassword)
            try removeQuickly(file)
        }
    }
}
