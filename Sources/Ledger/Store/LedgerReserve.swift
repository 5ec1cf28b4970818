internal import Platform

/// A file that only takes up space, given back when the disk is full so that the ledger can still write.
struct LedgerReserve {
    static let sizeBytes = 4 << 20
    /// Between two tries to make the file again, on a disk that is still full.
    private static let retrySeconds: UInt64 = 60

    let path: FilePath
    private(set) var isAvailable: Bool
    private var nextTry: UInt64 = 0

    init(path: FilePath) throws(SystemError) {
        self.path = path
        isAvailable = try FileStatus.exists(path)
    }

    /// Gives the space back.
    ///
    /// - Returns: False when there was nothing to give.
    mutating func release() throws -> Bool {
        if !isAvailable { return false }
        try DurableFiles.remove(path)
        isAvailable = false
        nextTry = Monotonic.nanoseconds() + Self.retrySeconds * 1_000_000_000
        return true
    }

    /// Makes the file again when it is missing and some time has passed. A disk that is still full is not an error.
    mutating func replenish() throws {
        if isAvailable || Monotonic.nanoseconds() < nextTry { return }
        nextTry = Monotonic.nanoseconds() + Self.retrySeconds * 1_000_000_000
        do {
            // Random bytes: a file system that compresses would keep no space free for zeros.
            try DurableFiles.create(path, SecureRandom.bytes(Self.sizeBytes))
            isAvailable = true
        } catch let error as SystemError where error.isNoSpace {
            isAvailable = false
        }
    }
}
