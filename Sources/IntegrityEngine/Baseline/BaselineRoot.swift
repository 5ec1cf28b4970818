internal import Platform

/// The root of a set of records: SHA-256 over `"sentinel-baseline-1\n"`, the canonical rows in tree order, and their count (u64).
///
/// Each row carries its own lengths, so no two sets of rows give the same input. One pass over the rows: some 10 million a minute.
struct BaselineRoot: ~Copyable {
    private var hasher: SHA256
    private var count: UInt64 = 0
    /// Rows are gathered, so that the hash is called with kilobytes.
    private var pending: [UInt8] = []

    init() throws(CryptoError) {
        hasher = try SHA256()
        pending.reserveCapacity(80 * 1024)
        pending += Array("sentinel-baseline-1\n".utf8)
    }

    /// Adds the next row in tree order.
    mutating func add(path: [UInt8], attributeBytes: [UInt8]) throws(CryptoError) {
        pending.append(string: path)
        pending.append(contentsOf: attributeBytes)
        count += 1
        if pending.count >= 64 * 1024 {
            try hasher.update(pending)
            pending.removeAll(keepingCapacity: true)
        }
    }

    mutating func finish() throws(CryptoError) -> Digest {
        pending.append(number: count)
        try hasher.update(pending)
        pending.removeAll(keepingCapacity: true)
        return try hasher.finish()
    }
}
