internal import Platform

/// Reads many blobs of one pack with few requests: neighbours come in one piece.
///
/// For one thread; its memory is used again for every pack.
struct PackBlobReader: ~Copyable {
    private let store: ObjectStore
    private var memory = ScratchMemory()

    /// A piece is about this long, or as long as its only blob.
    private static let pieceBytes = 4 << 20
    /// Reading so many unwanted bytes is cheaper than another request.
    private static let gapBytes = 256 << 10

    init(store: ObjectStore) { self.store = store }

    /// Reads blobs and hands them on sealed, not yet verified.
    ///
    /// - Parameters:
    ///   - entries: In the order of offsets.
    ///   - body: Gets each blob as it lies in the pack; the bytes are valid during the call.
    ///   - failed: Gets the blobs of a piece that could not be read, and why.
    mutating func read(
        _ pack: Digest, _ entries: [PackEntry],
        _ body: (PackEntry, UnsafeRawBufferPointer) throws(RepositoryError) -> Void,
        failed: (ArraySlice<PackEntry>, RepositoryError) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        var next = 0
        while next < entries.count {
            let start = UInt64(entries[next].offset)
            var end = start + UInt64(entries[next].length)
            var last = next + 1
            while last < entries.count {
                let entry = entries[last]
                let entryEnd = UInt64(entry.offset) + UInt64(entry.length)
                guard UInt64(entry.offset) >= end, UInt64(entry.offset) - end <= UInt64(Self.gapBytes),
                    entryEnd - start <= UInt64(Self.pieceBytes)
                else { break }
                end = entryEnd
                last += 1
            }
            let piece = entries[next..<last]
            next = last
            guard end - start <= UInt64(ObjectStore.blobLimitBytes) else {
                try failed(piece, RepositoryError(.unsupported, Phrase(vi: "blob quá lớn", en: "the blob is too large")))
                continue
            }
            let buffer = unsafe memory.prepare(Int(end - start))
            do throws(RepositoryError) {
                try unsafe store.backend.read(.pack, pack, offset: start, into: buffer)
            } catch {
                try failed(piece, error)
                continue
            }
            for entry in piece {
                let first = Int(UInt64(entry.offset) - start)
                try unsafe body(entry, UnsafeRawBufferPointer(rebasing: buffer[first..<first + Int(entry.length)]))
            }
        }
    }
}

extension PackEntry {
    /// The entry of a record of the index.
    init(_ record: BlobRecord, _ type: BlobType) {
        self.init(
            type: type, id: record.id, offset: record.offset, length: record.length, uncompressedLength: record.uncompressedLength)
    }
}
