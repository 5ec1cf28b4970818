package import Platform

/// The default rule for cuts: a gear hash of the last 64 bytes whose top 20 bits are zero.
///
/// The hash is `h = h * 2 + table[byte]` in 64 bits, so a byte has left it after 64 more. The table is secret: it is the key stream of
/// AES-256-CTR under the key in the repository's config, from counter zero, as 256 little-endian words. Without it nobody can prepare
/// content that is cut at places of his choice, nor recognise a known file by the sizes of its chunks.
package struct GearTable: Sendable {
    package static let keyBytes = 32
    /// A cut every 2^20 places on average, as in restic.
    private static let cutLimit: UInt64 = 1 << 44

    private let table: [UInt64]

    /// - Parameter key: 32 bytes, random per repository.
    package init(key: [UInt8]) throws(CryptoError) {
        var cipher = try AES256CTR(key: key)
        var stream = [UInt8](repeating: 0, count: 256 * 8)
        let counter = [UInt8](repeating: 0, count: AES256CTR.counterByteCount)
        try unsafe stream.withUnsafeMutableBufferPointer { (stream) throws(CryptoError) -> Void in
            try unsafe counter.withUnsafeBufferPointer { (counter) throws(CryptoError) -> Void in
                let memory = UnsafeMutableRawBufferPointer(stream)
                try unsafe cipher.apply(counter: UnsafeRawBufferPointer(counter), UnsafeRawBufferPointer(memory), to: memory)
            }
        }
        table = (0..<256).map { word in
            (0..<8).reversed().reduce(0) { $0 << 8 | UInt64(stream[word * 8 + $1]) }
        }
    }

    /// See ``CutRule/firstCut(in:from:through:)``.
    ///
    /// Four stretches are hashed side by side: each step of one waits for the step before it, but not for the other three.
    func firstCut(in bytes: UnsafeRawBufferPointer, from first: Int, through last: Int) -> Int? {
        // In bounds: places lie in 64...bytes.count, so the bytes before them exist; the table holds a word for every byte.
        unsafe table.withUnsafeBufferPointer { table in
            func hash(before place: Int) -> UInt64 {
                var hash: UInt64 = 0
                for index in place - CutRule.windowBytes..<place { hash = unsafe hash &<< 1 &+ table[Int(bytes[index])] }
                return hash
            }
            var place = first
            let lane = CutRule.laneBytes
            while last - place >= 4 * lane {
                var a = hash(before: place)
                var b = hash(before: place + lane)
                var c = hash(before: place + 2 * lane)
                var d = hash(before: place + 3 * lane)
                var isFound = false
                for index in place..<place + lane {
                    if a < Self.cutLimit || b < Self.cutLimit || c < Self.cutLimit || d < Self.cutLimit {
                        isFound = true
                        break
                    }
                    a = unsafe a &<< 1 &+ table[Int(bytes[index])]
                    b = unsafe b &<< 1 &+ table[Int(bytes[index &+ lane])]
                    c = unsafe c &<< 1 &+ table[Int(bytes[index &+ 2 &* lane])]
                    d = unsafe d &<< 1 &+ table[Int(bytes[index &+ 3 &* lane])]
                }
                // Which of the four comes first is found below, one byte after the other.
                if isFound { break }
                place += 4 * lane
            }
            guard place <= last else { return nil }
            var hash = hash(before: place)
            while hash >= Self.cutLimit {
                if place == last { return nil }
                hash = unsafe hash &<< 1 &+ table[Int(bytes[place])]
                place += 1
            }
            return place
        }
    }
}
