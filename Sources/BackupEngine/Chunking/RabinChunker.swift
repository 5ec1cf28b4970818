/// The bounds of restic's chunker, in bytes.
package enum ChunkSize {
    package static let minimum = 512 * 1024
    package static let maximum = 8 * 1024 * 1024
}

/// The tables of one polynomial; made once and shared by every chunker of a repository.
package struct RabinTables: Sendable {
    /// What a byte still adds to the digest when it leaves the window: (byte, then 63 zero bytes) mod P.
    let leaving: [UInt64]
    /// Brings a digest that has grown by eight bits back below the degree, keyed by its top bits.
    let reduction: [UInt64]
    /// Where those top bits start: degree - 8.
    let shift: UInt64

    /// - Returns: nil when the degree of `polynomial` leaves no room for a byte above or below it (9...55 is fine; restic uses 53).
    package init?(polynomial: UInt64) {
        let degree = ChunkerPolynomial.degree(of: polynomial)
        guard (9...55).contains(degree) else { return nil }
        shift = UInt64(degree - 8)
        leaving = (0..<256 as Range<UInt64>).map { byte in
            var digest = ChunkerPolynomial.remainder(byte, modulo: polynomial)
            for _ in 1..<RabinChunker.windowBytes { digest = ChunkerPolynomial.remainder(digest << 8, modulo: polynomial) }
            return digest
        }
        reduction = (0..<256 as Range<UInt64>).map { top in
            let shifted = top << UInt64(degree)
            return ChunkerPolynomial.remainder(shifted, modulo: polynomial) | shifted
        }
    }
}

/// restic's content-defined chunker: a Rabin fingerprint over a window of 64 bytes, cut where its low 20 bits are zero.
///
/// Sections cut from one file are at least 512 KiB (the last one may be shorter) and at most 8 MiB.
/// restic starts every chunk with a window of zeros and one byte 1, then skips the first 512 KiB - 64. By the time the first cut is
/// allowed that byte has left the window again, and the fingerprint is linear: it is the same as that of the 64 bytes alone.
/// So a chunk that lies in one piece of memory needs no window of its own.
package struct RabinChunker: ~Copyable {
    static let windowBytes = 64
    private static let cutMask: UInt64 = 1 << 20 - 1

    private let tables: RabinTables
    private var digest: UInt64 = 0
    private var scannedBytes = 0

    package init(tables: RabinTables) { self.tables = tables }

    /// Forgets what was scanned; the next call starts a new chunk.
    package mutating func restart() {
        digest = 0
        scannedBytes = 0
    }

    /// Looks for the end of the chunk that starts at `chunk[0]`.
    ///
    /// - Parameter chunk: All bytes of the chunk known so far: those of earlier calls, unchanged, and more after them.
    /// - Returns: The length of the chunk, when it ends within `chunk`; the chunker then starts afresh. Else nil: call again with more bytes.
    package mutating func cut(_ chunk: UnsafeRawBufferPointer) -> Int? {
        let end = min(chunk.count, ChunkSize.maximum)
        if end < ChunkSize.minimum { return nil }
        var digest = digest
        let shift = tables.shift
        // In bounds: every index into `chunk` lies in (minimum - 128)..<end with end <= chunk.count, every index into a table is
        // a byte or a digest below 2^degree shifted down to eight bits, and both tables hold 256 values.
        return unsafe tables.leaving.withUnsafeBufferPointer { leaving in
            unsafe tables.reduction.withUnsafeBufferPointer { reduction in
                var position = scannedBytes
                if position == 0 {
                    position = ChunkSize.minimum - Self.windowBytes
                    while position < ChunkSize.minimum {
                        digest = unsafe (digest << 8 | UInt64(chunk[position])) ^ reduction[Int(digest >> shift)]
                        position += 1
                    }
                    if digest & Self.cutMask == 0 {
                        restart()
                        return ChunkSize.minimum
                    }
                }
                while position < end {
                    digest ^= unsafe leaving[Int(chunk[position - Self.windowBytes])]
                    digest = unsafe (digest << 8 | UInt64(chunk[position])) ^ reduction[Int(digest >> shift)]
                    position += 1
                    if digest & Self.cutMask == 0 {
                        restart()
                        return position
                    }
                }
                if end == ChunkSize.maximum {
                    restart()
                    return end
                }
                self.digest = digest
                scannedBytes = position
                return nil
            }
        }
    }
}
