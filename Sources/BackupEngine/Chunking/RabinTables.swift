/// restic's rule for cuts: a Rabin fingerprint of the last 64 bytes whose low 20 bits are zero. The tables of one polynomial.
///
/// restic starts every chunk with a window of zeros and one byte 1, then skips the first 512 KiB - 64. By the time the first cut is
/// allowed that byte has left the window again, and the fingerprint is linear: it is the same as that of the 64 bytes alone.
package struct RabinTables: Sendable {
    private static let cutMask: UInt64 = 1 << 20 - 1

    /// What a byte still adds to the digest when it leaves the window: (byte, then 63 zero bytes) mod P.
    private let leaving: [UInt64]
    /// Brings a digest that has grown by eight bits back below the degree, keyed by its top bits.
    private let reduction: [UInt64]
    /// Where those top bits start: degree - 8.
    private let shift: UInt64

    /// - Returns: nil when the degree of `polynomial` leaves no room for a byte above or below it (9...55 is fine; restic uses 53).
    package init?(polynomial: UInt64) {
        let degree = ChunkerPolynomial.degree(of: polynomial)
        guard (9...55).contains(degree) else { return nil }
        shift = UInt64(degree - 8)
        leaving = (0..<256 as Range<UInt64>).map { byte in
            var digest = ChunkerPolynomial.remainder(byte, modulo: polynomial)
            for _ in 1..<CutRule.windowBytes { digest = ChunkerPolynomial.remainder(digest << 8, modulo: polynomial) }
            return digest
        }
        reduction = (0..<256 as Range<UInt64>).map { top in
            let shifted = top << UInt64(degree)
            return ChunkerPolynomial.remainder(shifted, modulo: polynomial) | shifted
        }
    }

    /// See ``CutRule/firstCut(in:from:through:)``.
    ///
    /// Four stretches are hashed side by side: each step of one waits for the step before it, but not for the other three.
    func firstCut(in bytes: UnsafeRawBufferPointer, from first: Int, through last: Int) -> Int? {
        let shift = shift
        // In bounds: places lie in 64...bytes.count, so the bytes before them exist; every index into a table is a byte,
        // or a digest below 2^degree shifted down to eight bits, and both tables hold 256 values.
        return unsafe leaving.withUnsafeBufferPointer { leaving in
            unsafe reduction.withUnsafeBufferPointer { reduction in
                func digest(before place: Int) -> UInt64 {
                    var digest: UInt64 = 0
                    for index in place - CutRule.windowBytes..<place {
                        digest = unsafe (digest << 8 | UInt64(bytes[index])) ^ reduction[Int(truncatingIfNeeded: digest >> shift)]
                    }
                    return digest
                }
                func slide(_ digest: UInt64, _ place: Int) -> UInt64 {
                    let rest = unsafe digest ^ leaving[Int(bytes[place - CutRule.windowBytes])]
                    return unsafe (rest << 8 | UInt64(bytes[place])) ^ reduction[Int(truncatingIfNeeded: rest >> shift)]
                }
                var place = first
                let lane = CutRule.laneBytes
                while last - place >= 4 * lane {
                    var a = digest(before: place)
                    var b = digest(before: place + lane)
                    var c = digest(before: place + 2 * lane)
                    var d = digest(before: place + 3 * lane)
                    var isFound = false
                    for index in place..<place + lane {
                        if a & Self.cutMask == 0 || b & Self.cutMask == 0 || c & Self.cutMask == 0 || d & Self.cutMask == 0 {
                            isFound = true
                            break
                        }
                        a = slide(a, index)
                        b = slide(b, index &+ lane)
                        c = slide(c, index &+ 2 &* lane)
                        d = slide(d, index &+ 3 &* lane)
                    }
                    // Which of the four comes first is found below, one byte after the other.
                    if isFound { break }
                    place += 4 * lane
                }
                guard place <= last else { return nil }
                var digest = digest(before: place)
                while digest & Self.cutMask != 0 {
                    if place == last { return nil }
                    digest = slide(digest, place)
                    place += 1
                }
                return place
            }
        }
    }
}
