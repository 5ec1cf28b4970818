/// The memory one worker cuts files in: room for the largest chunk and one read beyond it, reused for every file.
///
/// Pages are touched only as files need them, so small files cost little of it.
@safe package struct ChunkBuffer: ~Copyable {
    private static let readBytes = 1024 * 1024
    private static let capacity = ChunkSize.maximum + readBytes

    // `capacity` bytes, never nil, no other owner; the first `filled` of them hold data of the current file.
    private let storage: UnsafeMutableRawPointer
    private var filled = 0
    private var chunker: Chunker

    package init(rule: CutRule) {
        unsafe storage = UnsafeMutableRawPointer.allocate(byteCount: Self.capacity, alignment: 4096)
        chunker = Chunker(rule: rule)
    }

    deinit { unsafe storage.deallocate() }

    /// Reads from `file` to its end and hands out each chunk in order.
    ///
    /// - Parameters:
    ///   - read: Fills a buffer with the next bytes of the file and says how many; 0 at the end of the file.
    ///   - emit: Takes one chunk; its bytes are valid during the call only.
    package mutating func forEachChunk<Failure: Error>(
        read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int,
        emit: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        filled = 0
        chunker.restart()
        while true {
            // filled < ChunkSize.maximum here: a chunk of that size has been cut. So there is always room for one read.
            let room = min(Self.readBytes, Self.capacity - filled)
            let count = try unsafe read(UnsafeMutableRawBufferPointer(start: storage + filled, count: room))
            if count <= 0 { break }
            filled += min(count, room)
            var start = 0
            while let end = unsafe chunker.end(ofChunkAt: start, in: UnsafeRawBufferPointer(start: storage, count: filled)) {
                try unsafe emit(UnsafeRawBufferPointer(start: storage + start, count: end - start))
                start = end
            }
            if start > 0 {
                filled -= start
                unsafe storage.copyMemory(from: storage + start, byteCount: filled)
            }
        }
        if filled > 0 { try unsafe emit(UnsafeRawBufferPointer(start: storage, count: filled)) }
    }
}
