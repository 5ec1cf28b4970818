internal import Platform
private import Synchronization

/// The index in memory, shared by all threads.
final class SharedIndex: Sendable {
    private let index = Mutex(BlobIndex())

    func contains(_ handle: BlobHandle) -> Bool { index.withLock { $0.contains(handle) } }
    func contains(_ type: BlobType, all ids: [Digest]) -> Bool {
        index.withLock { index in ids.allSatisfy { index.contains(BlobHandle(type, $0)) } }
    }
    /// Says which packs are there, with their sizes; blobs of the others are stored again when they are met.
    ///
    /// - Returns: Number of packs that the index names and that are missing or of another size.
    func distrust(allBut sizes: [Digest: UInt64]) -> Int { index.withLock { $0.distrust(allBut: sizes) } }
    func claim(_ handle: BlobHandle) -> Bool { index.withLock { $0.claim(handle) } }
    func giveUp(_ handle: BlobHandle) { index.withLock { $0.giveUp(handle) } }

    /// Adds a pack; its blobs are no longer on their way but stored.
    @discardableResult
    func add(pack: Digest, _ entries: [PackEntry]) -> Int { index.withLock { $0.insert(pack: pack, entries) } }

    func removeAll() { index.withLock { $0.removeAll() } }

    /// Every copy of a blob.
    func locations(_ handle: BlobHandle) -> [(pack: Digest, record: BlobRecord)] {
        index.withLock { index in index.all(handle).map { (index.packID($0), $0) } }
    }

    /// Plaintext size of a blob; nil when it is not stored.
    func plaintextLength(_ handle: BlobHandle) -> Int? {
        index.withLock { index in
            index.first(handle).map { record in
                record.uncompressedLength == 0
                    ? max(0, Int(record.length) - Sealing.overhead) : Int(record.uncompressedLength)
            }
        }
    }

    /// The whole index as it is now; shares its memory until one of the two changes.
    func current() -> BlobIndex { index.withLock { $0 } }

    var blobCount: Int { index.withLock { $0.blobCount } }

    /// All packs with their blobs in the order of offsets.
    func packs() -> [(id: Digest, entries: [PackEntry])] {
        index.withLock { index in
            Array(zip(index.packs, index.entriesByPack()).map { (id: $0, entries: $1) })
        }
    }
}
