/// The memory one worker reads files into: room for a segment, the largest chunk after it and one read, used again for every file.
///
/// Pages are touched only as files need them, so small files cost little of it.
@safe struct ReadBuffer: ~Copyable {
    static let readBytes = 1024 * 1024
    private static let capacity = SegmentedFile.segmentBytes + ChunkSize.maximum + readBytes

    // `capacity` bytes, never nil, no other owner; the first `filled` of them hold data of the current file.
    private let storage: UnsafeMutableRawPointer
    private(set) var filled = 0

    init() { unsafe storage = UnsafeMutableRawPointer.allocate(byteCount: Self.capacity, alignment: 4096) }
    deinit { unsafe storage.deallocate() }

    /// What has been read; valid until the next change.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: storage, count: filled) }

    mutating func clear() { filled = 0 }

    /// Fills up to `limit` more bytes.
    ///
    /// - Returns: What `read` returned.
    mutating func append<Failure: Error>(
        atMost limit: Int, _ read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        let room = min(limit, Self.capacity - filled)
        let count = try unsafe read(UnsafeMutableRawBufferPointer(start: storage + filled, count: room))
        filled += min(max(count, 0), room)
        return count
    }

    /// Moves what follows the first `count` bytes to the front.
    mutating func drop(_ count: Int) {
        filled -= count
        unsafe storage.copyMemory(from: storage + count, byteCount: filled)
    }
}
