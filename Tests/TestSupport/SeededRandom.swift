internal import Platform

/// Random numbers that a seed repeats exactly: xoshiro256**, its state filled by SplitMix64.
///
/// Sources: Blackman and Vigna, "Scrambled linear pseudorandom number generators"; Steele, Lea and Flood for SplitMix64.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    package let seed: UInt64
    private var state: (UInt64, UInt64, UInt64, UInt64)

    package init(seed: UInt64) {
        self.seed = seed
        var filler = seed
        func next() -> UInt64 {
            filler &+= 0x9E37_79B9_7F4A_7C15
            var word = filler
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
        state = (next(), next(), next(), next())
    }

    /// A generator for a test: the seed is `SENTINEL_TEST_SEED` when set, else random, and is printed in either case.
    package init(for test: String) {
        var system = SystemRandomNumberGenerator()
        let seed = environmentValue("SENTINEL_TEST_SEED").flatMap { UInt64($0) } ?? system.next()
        printToStandardError("seed of \(test): SENTINEL_TEST_SEED=\(seed)")
        self.init(seed: seed)
    }

    package mutating func next() -> UInt64 {
        let result = rotated(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, 45)
        return result
    }

    /// `count` random bytes.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count + 8)
        while result.count < count {
            var word = next()
            for _ in 0..<8 {
                result.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        result.removeLast(result.count - count)
        return result
    }

    /// A number in `range`.
    package mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

    /// True in one of `count` cases.
    package mutating func oneIn(_ count: Int) -> Bool { number(0..<count) == 0 }

    private func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { (word << count) | (word >> (64 - count)) }
}

/// True when the long versions of the tests were asked for (`make test-full`).
package let isFullTest = environmentValue("SENTINEL_TEST_FULL") == "1"
