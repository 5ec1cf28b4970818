package import BackupEngine
internal import Glibc
package import Platform
internal import Synchronization

/// A remote repository with copies on this machine of what every run asks for: indexes, snapshots, and packs of trees.
///
/// The copies are stored files as they are, still encrypted, under their names, which are the hashes of their content: each is hashed
/// before it is used, and one that is wrong is fetched again. Losing the cache, or sharing it, harms nothing; failing to write it is
/// no failure. Lists always come from the storage itself, and what they no longer name is removed here.
package final class CachedStorage: Backend {
    /// Packs of trees beyond this are removed, the longest unused first.
    package static let packLimitBytes: UInt64 = 4 << 30
    private static let fileLimitBytes = 256 << 20

    private struct State {
        /// Packs whose content this process has hashed.
        var verified: Set<Digest> = []
        /// Packs that a thread is fetching.
        var inFlight: Set<Digest> = []
    }

    private let base: any Backend
    private let directory: FilePath
    private let state = Monitor(State())

    /// - Parameter directory: Of this repository alone; made when it is needed.
    package init(_ base: any Backend, directory: FilePath) {
        self.base = base
        self.directory = directory
    }

    /// Where the cache of the repository at `location` lies below `root`.
    package static func directory(of location: RepositoryLocation, below root: FilePath) throws(RepositoryError) -> FilePath {
        do {
            return root / (try SHA256.hash(Array(location.description.utf8)).hex)
        } catch {
            throw .crypto(error)
        }
    }

    package var description: String { base.description }
    package var connections: Int { base.connections }
    package func create() throws(RepositoryError) { try base.create() }
    package func loadConfiguration(limit: Int) throws(RepositoryError) -> [UInt8] { try base.loadConfiguration(limit: limit) }
    package func saveConfiguration(_ bytes: [UInt8]) throws(RepositoryError) { try base.saveConfiguration(bytes) }
    package func age(of type: FileType, _ id: Digest) throws(RepositoryError) -> Double? { try base.age(of: type, id) }

    package func list(_ type: FileType) throws(RepositoryError) -> [StoredFile] {
        let files = try base.list(type)
        if type == .index || type == .snapshot || type == .pack {
            let present = Set(files.map(\.id.hex))
            for name in names(type) where !present.contains(name) { remove(folder(type) / name) }
        }
        return files
    }

    package func load(_ type: FileType, _ id: Digest, limit: Int) throws(RepositoryError) -> [UInt8] {
        guard type == .index || type == .snapshot else { return try base.load(type, id, limit: limit) }
        if let bytes = copy(type, id, limit: limit) { return bytes }
        let bytes = try base.load(type, id, limit: limit)
        keep(type, id, bytes)
        return bytes
    }

    package func read(
        _ type: FileType, _ id: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(RepositoryError) {
        try unsafe base.read(type, id, offset: offset, into: buffer)
    }

    /// Serves trees from a copy of their pack, fetching the whole pack the first time.
    package func readTree(_ pack: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(RepositoryError) {
        let isMine: Bool = state.wait { state in
            if state.verified.contains(pack) { return false }
            return state.inFlight.insert(pack).inserted ? true : nil
        }
        if isMine {
            let isThere = fetch(pack)
            state.change { state in
                state.inFlight.remove(pack)
                if isThere { state.verified.insert(pack) }
            }
        }
        if unsafe readCopy(of: pack, offset: offset, into: buffer) { return }
        _ = state.change { $0.verified.remove(pack) }
        try unsafe base.read(.pack, pack, offset: offset, into: buffer)
    }

    package func save(_ type: FileType, _ id: Digest, _ bytes: [UInt8]) throws(RepositoryError) {
        try base.save(type, id, bytes)
        if type == .index || type == .snapshot { keep(type, id, bytes) }
    }

    package func remove(_ type: FileType, _ id: Digest) throws(RepositoryError) {
        if type == .index || type == .snapshot || type == .pack { remove(folder(type) / id.hex) }
        _ = state.change { $0.verified.remove(id) }
        try base.remove(type, id)
    }

    // MARK: Copies

    private func folder(_ type: FileType) -> FilePath { directory / type.rawValue }

    private func names(_ type: FileType) -> [String] {
        ((try? directoryNames(folder(type))) ?? []).map { String(decoding: $0, as: UTF8.self) }
    }

    private func remove(_ path: FilePath) { _ = unsafe path.withCString { unsafe unlink($0) } }

    /// A copy with the hash that is its name; a wrong one is removed.
    private func copy(_ type: FileType, _ id: Digest, limit: Int) -> [UInt8]? {
        let path = folder(type) / id.hex
        guard let bytes = try? DurableFiles.read(path, limit: limit) else { return nil }
        if (try? SHA256.hash(bytes)) == id { return bytes }
        remove(path)
        return nil
    }

    /// Stores a copy; one that is wrong is not stored, and none is forced to disk, as each is hashed before use.
    private func keep(_ type: FileType, _ id: Digest, _ bytes: [UInt8]) {
        guard (try? SHA256.hash(bytes)) == id else { return }
        let path = folder(type) / id.hex
        do {
            try DurableFiles.makeDirectories(folder(type))
            let tag = directory.parent / "CACHEDIR.TAG"
            if try !FileStatus.exists(tag) {
                try DurableFiles.replace(tag, Array("Signature: 8a477f597d28d172789f06886806bc55\n".utf8))
            }
            var generator = SystemRandomNumberGenerator()
            let draft = FilePath(bytes: path.bytes + Array(".new-\(String(generator.next(), radix: 16))".utf8))
            do {
                let file = try FileDescriptor.open(draft, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
                try file.writeAll(bytes, path: draft)
            } catch {
                remove(draft)
                return
            }
            _ = unsafe draft.withCString { from in unsafe path.withCString { unsafe rename(from, $0) } }
        } catch {
            // A full or read-only disk: the next run asks the server again.
            return
        }
    }

    /// Makes sure of a copy of a pack.
    private func fetch(_ pack: Digest) -> Bool {
        let path = folder(.pack) / pack.hex
        if copy(.pack, pack, limit: Self.fileLimitBytes) != nil {
            // The time of the last use, for the limit.
            _ = unsafe path.withCString { unsafe utimensat(AT_FDCWD, $0, nil, 0) }
            return true
        }
        // What cannot be had whole is read in parts, by whoever asked.
        guard let bytes = try? base.load(.pack, pack, limit: Self.fileLimitBytes), (try? SHA256.hash(bytes)) == pack else { return false }
        trim(for: UInt64(bytes.count))
        keep(.pack, pack, bytes)
        return true
    }

    private func readCopy(of pack: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        let path = folder(.pack) / pack.hex
        guard let file = try? FileDescriptor.open(path) else { return false }
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            guard let count = try? unsafe file.read(into: rest, at: offset + UInt64(done), path: path), count > 0 else { return false }
            done += count
        }
        return true
    }

    /// Makes room for `bytes`: down to four fifths of the limit, the longest unused first.
    private func trim(for bytes: UInt64) {
        var files: [(path: FilePath, size: UInt64, used: Timestamp)] = names(.pack).compactMap { name in
            let path = folder(.pack) / name
            return (try? FileStatus.of(path)).map { (path, $0.sizeBytes, $0.modified) }
        }
        var total = files.reduce(bytes) { $0 + $1.size }
        if total <= Self.packLimitBytes { return }
        files.sort { $0.used < $1.used }
        for file in files where total > Self.packLimitBytes / 5 * 4 {
            remove(file.path)
            total -= file.size
        }
    }

    /// Removes the caches below `root` that nobody used for thirty days.
    ///
    /// - Returns: How many.
    package static func removeOld(below root: FilePath) -> Int {
        var removed = 0
        for name in (try? directoryNames(root)) ?? [] where name.count == 64 {
            let directory = root.appending(name)
            let folders = [FileType.index, .snapshot, .pack].map { directory / $0.rawValue }
            let used = folders.compactMap { try? FileStatus.of($0).modified }.max() ?? Timestamp(seconds: 0)
            guard Timestamp.now().seconds(since: used) > 30 * 86400 else { continue }
            for folder in folders {
                for file in (try? directoryNames(folder)) ?? [] { _ = unsafe folder.appending(file).withCString { unsafe unlink($0) } }
                _ = unsafe folder.withCString { unsafe rmdir($0) }
            }
            _ = unsafe directory.withCString { unsafe rmdir($0) }
            removed += 1
        }
        return removed
    }
}
