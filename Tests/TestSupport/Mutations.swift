/// Damages byte strings in the ways that disks, networks and attackers do.
package enum Mutations {
    /// Numbers that parsers stumble over, written over a place in one to eight bytes.
    private static let interesting: [UInt64] = [
        0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF,
        0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
    ]

    /// One to four changes to `original`.
    ///
    /// - Parameter corpus: Other inputs that parts may be spliced in from.
    package static func mutated(
        _ original: [UInt8], corpus: [[UInt8]] = [], using random: inout SeededRandom
    ) -> [UInt8] {
        var bytes = original
        for _ in 0...random.number(0..<4) { mutateOnce(&bytes, corpus, &random) }
        return bytes
    }

    private static func mutateOnce(_ bytes: inout [UInt8], _ corpus: [[UInt8]], _ random: inout SeededRandom) {
        if bytes.isEmpty {
            bytes = random.bytes(random.number(1..<32))
            return
        }
        let place = random.number(0..<bytes.count)
        let length = min(bytes.count - place, random.oneIn(4) ? random.number(1..<4096) : random.number(1..<16))
        switch random.number(0..<9) {
        case 0: bytes[place] ^= 1 << UInt8(random.number(0..<8))
        case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 2: bytes.insert(contentsOf: random.bytes(random.number(1..<16)), at: place)
        case 3: bytes.removeSubrange(place..<place + length)
        case 4: bytes.insert(contentsOf: Array(bytes[place..<place + length]), at: place)
        case 5: bytes.removeSubrange(place...)
        case 6: overwrite(&bytes, at: place, &random)
        case 7: bytes.swapAt(place, random.number(0..<bytes.count))
        default: splice(&bytes, at: place, corpus, &random)
        }
    }

    private static func overwrite(_ bytes: inout [UInt8], at place: Int, _ random: inout SeededRandom) {
        var value = interesting[random.number(0..<interesting.count)]
        if random.oneIn(2) { value = value.byteSwapped }
        let width = [1, 2, 4, 8][random.number(0..<4)]
        for index in place..<min(bytes.count, place + width) {
            bytes[index] = UInt8(truncatingIfNeeded: value)
            value >>= 8
        }
    }

    private static func splice(
        _ bytes: inout [UInt8], at place: Int, _ corpus: [[UInt8]], _ random: inout SeededRandom
    ) {
        guard let other = corpus.randomElement(using: &random), !other.isEmpty else {
            bytes[place] = 0
            return
        }
        bytes = Array(bytes[..<place]) + other[random.number(0..<other.count)...]
    }
}
