/// A SHA-256 value: 32 bytes, compared bytewise, written as 64 lowercase hex digits.
package struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    // Four words keep the value inline: no allocation, no reference count in the hot paths.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    package static let byteCount = 32

    /// - Returns: nil unless `bytes` holds exactly 32 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var parts: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for (index, byte) in bytes.enumerated() {
            switch index >> 3 {
            case 0: parts.0 = parts.0 << 8 | UInt64(byte)
            case 1: parts.1 = parts.1 << 8 | UInt64(byte)
            case 2: parts.2 = parts.2 << 8 | UInt64(byte)
            default: parts.3 = parts.3 << 8 | UInt64(byte)
            }
        }
        words = parts
    }

    /// - Returns: nil unless `text` is 64 hex digits, of either case.
    package init?(hex text: some StringProtocol) {
        guard let bytes = hexBytes(text) else { return nil }
        self.init(bytes)
    }

    /// 32 zero bytes.
    package static let zero = Digest(words: (0, 0, 0, 0))

    private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    package var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(Self.byteCount)
        for word in [words.0, words.1, words.2, words.3] {
            for shift in stride(from: 56, through: 0, by: -8) { result.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
        }
        return result
    }

    package var hex: String { hexText(bytes) }
    /// The first eight hex digits: what people are shown.
    package var short: String { String(hex.prefix(8)) }
    package var description: String { hex }

    /// The 32 bytes of `raw`, without a copy on the way; nil for any other count.
    package init?(raw: UnsafeRawBufferPointer) {
        guard raw.count == Self.byteCount else { return nil }
        words = unsafe (
            UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
            UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
            UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
        )
    }

    /// The value of 64 hex digits in `raw`, of either case; nil for anything else.
    package init?(rawHex raw: UnsafeRawBufferPointer) {
        guard raw.count == 2 * Self.byteCount else { return nil }
        // Index and trees are full of these: sixteen digits make a word, and what is no digit is noticed once at the end.
        var isWrong = false
        func word(_ first: Int) -> UInt64 {
            var word: UInt64 = 0
            for index in first..<first + 16 {
                let character = unsafe raw[index]
                let letter = (character | 0x20) &- 97
                let number = character &- 48
                let isNumber = number < 10
                isWrong = isWrong || !isNumber && letter >= 6
                word = word << 4 | UInt64(isNumber ? number : letter &+ 10)
            }
            return word
        }
        let parts = (word(0), word(16), word(32), word(48))
        if isWrong { return nil }
        words = parts
    }

    /// Appends the 32 bytes.
    package func append(to bytes: inout [UInt8]) {
        let all: InlineArray<4, UInt64> = [words.0, words.1, words.2, words.3]
        for index in 0..<4 {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: all[index] >> UInt64(56 - 8 * shift))) }
        }
    }

    /// Appends the 64 lowercase hex digits.
    package func appendHex(to text: inout [UInt8]) {
        let all: InlineArray<4, UInt64> = [words.0, words.1, words.2, words.3]
        for index in 0..<4 {
            for shift in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: all[index] >> UInt64(60 - 4 * shift)) & 15
                text.append(digit < 10 ? digit + 48 : digit + 87)
            }
        }
    }

    package static func == (left: Digest, right: Digest) -> Bool {
        left.words.0 == right.words.0 && left.words.1 == right.words.1 && left.words.2 == right.words.2
            && left.words.3 == right.words.3
    }
    package static func < (left: Digest, right: Digest) -> Bool {
        if left.words.0 != right.words.0 { return left.words.0 < right.words.0 }
        if left.words.1 != right.words.1 { return left.words.1 < right.words.1 }
        if left.words.2 != right.words.2 { return left.words.2 < right.words.2 }
        return left.words.3 < right.words.3
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// Bytes as lowercase hex digits.
package func hexText(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var result: [UInt8] = []
    for byte in bytes {
        result.append(digits[Int(byte >> 4)])
        result.append(digits[Int(byte & 15)])
    }
    return String(decoding: result, as: UTF8.self)
}

/// Bytes from hex digits of either case; nil for an odd count or another character.
package func hexBytes(_ text: some StringProtocol) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard characters.count.isMultiple(of: 2) else { return nil }
    func value(_ character: UInt8) -> UInt8? {
        switch character {
        case 48...57: character - 48
        case 97...102: character - 87
        case 65...70: character - 55
        default: nil
        }
    }
    var result: [UInt8] = []
    result.reserveCapacity(characters.count / 2)
    for index in stride(from: 0, to: characters.count, by: 2) {
        guard let high = value(characters[index]), let low = value(characters[index + 1]) else { return nil }
        result.append(high << 4 | low)
    }
    return result
}
