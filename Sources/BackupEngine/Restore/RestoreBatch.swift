internal import Platform

/// A bounded number of files, with the blobs they need in the order in which they lie in the packs.
///
/// A blob that several files of a batch need is read and decoded once. Batches keep the memory of a restore independent of its size: packs
/// are written in the order of the tree, so few blobs are needed in more than one batch.
final class RestoreBatch: Sendable {
    /// One blob to read, and the first of its places.
    struct Wanted: Sendable {
        let id: Digest
        let pack: Int32
        let offset: UInt32
        let length: UInt32
        let uncompressedLength: UInt32
        var firstPlace: Int32
        /// The number of the blob in the order of first use; links ``Place``s while the batch is made.
        let plaintextLength: Int
    }
    /// Where a blob goes.
    struct Place: Sendable {
        let file: Int32
        /// The next place of the same blob, or -1.
        let next: Int32
        let offset: UInt64
    }
    /// A run of bytes of one pack that is read at once.
    struct Segment: Sendable {
        let pack: Digest
        let offset: UInt64
        let byteCount: Int
        /// In ``RestoreBatch/blobs``.
        let blobs: Range<Int>
    }

    /// More than this many bytes are not read at once, unless one blob is larger.
    static let segmentBytes = 4 << 20
    /// Unwanted bytes between two wanted blobs: reading this many costs less than another request.
    static let gapBytes = 128 << 10

    let files: [RestoreFile]
    let blobs: [Wanted]
    let places: [Place]
    let segments: [Segment]
    /// Files of which nothing has to be read: empty ones, and those whose content is right.
    let finished: [RestoreFile]
    /// Blobs that the index does not have any more, with the files that need them; and those too large to be read at once.
    let unplanned: [(id: Digest, size: Int, file: RestoreFile, offset: UInt64)]

    init(_ files: [RestoreFile], _ index: SharedIndex) {
        var numbers: [Digest: Int] = [:]
        var packNumbers: [Digest: Int32] = [:]
        var packs: [Digest] = []
        var blobs: [Wanted] = []
        var places: [Place] = []
        var finished: [RestoreFile] = []
        var unplanned: [(id: Digest, size: Int, file: RestoreFile, offset: UInt64)] = []
        for (number, file) in files.enumerated() {
            var matching: [Bool] = []
            switch file.found {
            case .kept: continue
            case .same:
                finished.append(file)
                continue
            case .different(_, _, let matches): matching = matches
            case .nothing: break
            }
            var offset: UInt64 = 0
            var parts = 0
            for (part, id) in (file.node.content ?? []).enumerated() {
                let isThere = part < matching.count && matching[part]
                if let known = numbers[id] {
                    let size = blobs[known].plaintextLength
                    if !isThere {
                        places.append(Place(file: Int32(number), next: blobs[known].firstPlace, offset: offset))
                        blobs[known].firstPlace = Int32(places.count - 1)
                        parts += 1
                    }
                    offset += UInt64(size)
                    continue
                }
                let handle = BlobHandle(.data, id)
                guard let location = index.locations(handle).first, location.record.length <= ObjectStore.blobLimitBytes,
                    location.record.length >= UInt32(Sealing.overhead), location.record.uncompressedLength <= ObjectStore.blobLimitBytes
                else {
                    let size = index.plaintextLength(handle) ?? 0
                    if !isThere {
                        unplanned.append((id, size, file, offset))
                        parts += 1
                    }
                    offset += UInt64(size)
                    continue
                }
                let record = location.record
                let size = record.uncompressedLength == 0 ? Int(record.length) - Sealing.overhead : Int(record.uncompressedLength)
                if !isThere {
                    let pack: Int32
                    if let known = packNumbers[location.pack] {
                        pack = known
                    } else {
                        pack = Int32(packs.count)
                        packNumbers[location.pack] = pack
                        packs.append(location.pack)
                    }
                    numbers[id] = blobs.count
                    places.append(Place(file: Int32(number), next: -1, offset: offset))
                    blobs.append(
                        Wanted(
                            id: id, pack: pack, offset: record.offset, length: record.length,
                            uncompressedLength: record.uncompressedLength, firstPlace: Int32(places.count - 1), plaintextLength: size))
                    parts += 1
                }
                offset += UInt64(size)
            }
            file.expect(parts: parts)
            if parts == 0 { finished.append(file) }
        }
        blobs.sort { ($0.pack, $0.offset) < ($1.pack, $1.offset) }
        self.files = files
        self.blobs = blobs
        self.places = places
        self.finished = finished
        self.unplanned = unplanned
        segments = Self.cut(blobs, packs)
    }

    private static func cut(_ blobs: [Wanted], _ packs: [Digest]) -> [Segment] {
        var segments: [Segment] = []
        var first = 0
        while first < blobs.count {
            let start = UInt64(blobs[first].offset)
            var end = start + UInt64(blobs[first].length)
            var next = first + 1
            while next < blobs.count, blobs[next].pack == blobs[first].pack {
                let blob = blobs[next]
                let blobEnd = UInt64(blob.offset) + UInt64(blob.length)
                if UInt64(blob.offset) > end + UInt64(gapBytes) || blobEnd > start + UInt64(segmentBytes) { break }
                end = max(end, blobEnd)
                next += 1
            }
            segments.append(
                Segment(
                    pack: packs[Int(blobs[first].pack)], offset: start, byteCount: Int(end - start), blobs: first..<next))
            first = next
        }
        return segments
    }
}
