import BackupEngine
import Glibc
import Platform
import RemoteStorage
import TestSupport
import Testing

/// Copies of a remote repository on this machine.
@Suite struct `Cache of a remote repository` {
    /// What a directory was asked to read.
    private final class Counted: Backend {
        let base: LocalDirectory
        let asked = Monitor<[FileType: Int]>([:])
        init(_ path: FilePath) { base = LocalDirectory(path) }
        var description: String { base.description }
        func count(_ type: FileType) { asked.change { $0[type, default: 0] += 1 } }
        func create() throws(RepositoryError) { try base.create() }
        func loadConfiguration(limit: Int) throws(RepositoryError) -> [UInt8] { try base.loadConfiguration(limit: limit) }
        func saveConfiguration(_ bytes: [UInt8]) throws(RepositoryError) { try base.saveConfiguration(bytes) }
        func list(_ type: FileType) throws(RepositoryError) -> [StoredFile] { try base.list(type) }
        func load(_ type: FileType, _ id: Digest, limit: Int) throws(RepositoryError) -> [UInt8] {
            count(type)
            return try base.load(type, id, limit: limit)
        }
        func read(_ type: FileType, _ id: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(RepositoryError) {
            count(type)
            try unsafe base.read(type, id, offset: offset, into: buffer)
        }
        func save(_ type: FileType, _ id: Digest, _ bytes: [UInt8]) throws(RepositoryError) { try base.save(type, id, bytes) }
        func remove(_ type: FileType, _ id: Digest) throws(RepositoryError) { try base.remove(type, id) }
    }

    private func files(_ root: FilePath, _ type: FileType) -> [FilePath] {
        directoryEntries(root / "cache" / type.rawValue).map { (root / "cache" / type.rawValue).appending($0) }
    }

    /// Reads everything but data; returns what the storage was asked for.
    private func readTrees(_ root: FilePath) throws -> [FileType: Int] {
        let counted = Counted(root / "repo")
        let repository = try Repository.open(in: CachedStorage(counted, directory: root / "cache"), password: remotePassword)
        let snapshot = try #require(try repository.listSnapshots().last)
        try repository.loadIndex()
        _ = try repository.loadBlob(.tree, snapshot.tree)
        return counted.asked.read { $0 }
    }

    @Test func `the second run asks for no index, snapshot or tree, and damaged copies are fetched again`() throws {
        try withTemporaryDirectory("cache") { root in
            let repository = try makeRepository(LocalDirectory(root / "repo"))
            try makeSource(root / "src", sizeBytes: 10_000)
            try backUp(root / "src", into: repository)
            let first = try readTrees(root)
            #expect((first[.index] ?? 0) >= 1 && first[.snapshot] == 1 && first[.pack] == 1)
            let second = try readTrees(root)
            #expect(second[.index] == nil && second[.snapshot] == nil && second[.pack] == nil)
            for type in [FileType.index, .snapshot, .pack] {
                let path = try #require(files(root, type).first)
                var bytes = try DurableFiles.read(path, limit: 1 << 20)
                bytes[bytes.count / 2] ^= 1
                try DurableFiles.replace(path, bytes)
            }
            let third = try readTrees(root)
            #expect(third[.index] == 1 && third[.snapshot] == 1 && third[.pack] == 1)
            for type in [FileType.index, .snapshot, .pack] { try DurableFiles.replace(try #require(files(root, type).first), []) }
            _ = try readTrees(root)
            #expect(try readTrees(root)[.pack] == nil)
        }
    }

    @Test func `what the storage no longer has leaves the cache, and a cache that cannot be written is no failure`() throws {
        try withTemporaryDirectory("cache-gone") { root in
            let cached = CachedStorage(LocalDirectory(root / "repo"), directory: root / "cache")
            let repository = try makeRepository(cached)
            try makeSource(root / "src", sizeBytes: 1000)
            let id = try backUp(root / "src", into: repository)
            #expect(files(root, .snapshot).count == 1)
            try LocalDirectory(root / "repo").remove(.snapshot, id)
            #expect(try repository.listSnapshots().isEmpty)
            #expect(files(root, .snapshot).isEmpty)
            removeTree(root / "cache")
            try DurableFiles.replace(root / "cache", [])
            try backUp(root / "src", into: repository)
            #expect(try repository.listSnapshots().count == 1)
        }
    }

    @Test func `caches that nobody used for a month are removed`() throws {
        try withTemporaryDirectory("cache-old") { root in
            let old = root / String(repeating: "a", count: 64) / "index"
            let new = root / String(repeating: "b", count: 64) / "index"
            for folder in [old, new] { try DurableFiles.makeDirectories(folder) }
            try DurableFiles.replace(old / "x", [1])
            let then = timespec(tv_sec: time(nil) - 40 * 86400, tv_nsec: 0)
            #expect(unsafe old.withCString { unsafe utimensat(AT_FDCWD, $0, [then, then], 0) } == 0)
            #expect(CachedStorage.removeOld(below: root) == 1)
            #expect(directoryEntries(root).count == 1)
        }
    }
}
