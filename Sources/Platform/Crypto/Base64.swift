/// Base64 with the standard alphabet and padding (RFC 4648, section 4), in its canonical form only.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group: UInt32 = 0
            for index in 0..<3 { group = group << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
            for index in 0..<4 {
                output.append(index <= count ? alphabet[Int(group >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "="))
            }
        }
    }

    package static func encode(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        append(bytes, to: &result)
        return String(decoding: result, as: UTF8.self)
    }

    package static func decode(_ text: some StringProtocol) -> [UInt8]? { decode(Array(text.utf8)) }

    /// - Returns: nil for another character, missing padding, or bits that stand for nothing.
    package static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 4 * 3)
        for start in stride(from: 0, to: text.count, by: 4) {
            let isLast = start + 4 == text.count
            var padding: UInt32 = 0
            var group: UInt32 = 0
            for character in text[start..<start + 4] {
                group <<= 6
                if character == UInt8(ascii: "=") {
                    padding += 1
                } else {
                    guard padding == 0, let value = value(of: character) else { return nil }
                    group |= value
                }
            }
            guard padding == 0 || isLast && padding <= 2, group & ((1 << (8 * padding)) - 1) == 0 else { return nil }
            for index in 0..<3 - padding { result.append(UInt8(truncatingIfNeeded: group >> (16 - 8 * index))) }
        }
        return result
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case 65...90: UInt32(character) - 65
        case 97...122: UInt32(character) - 71
        case 48...57: UInt32(character) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
