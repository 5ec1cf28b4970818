/// Memory for one thread that grows to the largest object it has held and is used again for every object.
@safe struct ScratchMemory: ~Copyable {
    private var memory = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// More than this is given back after use: one huge directory or chunk must not be paid for until the end of the process.
    private static let keptBytes = 4 << 20

    deinit { unsafe memory.deallocate() }

    /// At least `count` bytes of which exactly `count` are returned; their content is undefined. Valid until the next call.
    mutating func prepare(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if unsafe memory.count < count {
            unsafe memory.deallocate()
            unsafe memory = .allocate(byteCount: max(count, 4096), alignment: 16)
        }
        return unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    }

    mutating func trim() {
        guard unsafe memory.count > Self.keptBytes else { return }
        unsafe memory.deallocate()
        unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
}
