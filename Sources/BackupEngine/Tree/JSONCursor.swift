package import Platform

/// What was wrong with the JSON of a tree, and where.
package struct TreeFormatError: ExplainedError, Equatable {
    /// Bytes from the start of the tree.
    package let offset: Int
    package let reason: Phrase

    package var message: Phrase {
        Phrase(vi: "cây thư mục hỏng ở byte \(offset): \(reason.vi)", en: "malformed tree at byte \(offset): \(reason.en)")
    }
}

/// Reads JSON front to back, without building values that nobody asked for. Every loop moves forward; nothing recurses.
struct JSONCursor {
    /// Nesting of values that are skipped; trees themselves nest four deep.
    static let maximumDepth = 64

    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func failure(_ vi: String, _ en: String) -> TreeFormatError {
        TreeFormatError(offset: position, reason: Phrase(vi: vi, en: en))
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    /// True when only white space is left.
    mutating func isAtEnd() -> Bool {
        skipSpace()
        return position == bytes.count
    }

    /// Takes `character` if it comes next.
    mutating func take(_ character: UInt8) -> Bool {
        skipSpace()
        guard current == character else { return false }
        position += 1
        return true
    }

    mutating func expect(_ character: UInt8) throws(TreeFormatError) {
        if !take(character) {
            let sign = String(Unicode.Scalar(character))
            throw failure("thiếu '\(sign)'", "expected '\(sign)'")
        }
    }

    /// Takes `null` if it comes next.
    mutating func takeNull() throws(TreeFormatError) -> Bool {
        skipSpace()
        guard current == UInt8(ascii: "n") else { return false }
        try takeWord("null")
        return true
    }

    private mutating func takeWord(_ word: StaticString) throws(TreeFormatError) {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count, bytes[position..<end].elementsEqual(word.description.utf8) else {
            throw failure("từ không hợp lệ", "invalid literal")
        }
        position = end
    }

    /// Goes to the next member of an object or element of an array.
    ///
    /// - Parameter isFirst: True right after the opening bracket; set to false.
    /// - Returns: False when `close` was taken instead.
    mutating func next(isFirst: inout Bool, close: UInt8) throws(TreeFormatError) -> Bool {
        if take(close) { return false }
        if !isFirst { try expect(UInt8(ascii: ",")) }
        isFirst = false
        return true
    }

    mutating func key() throws(TreeFormatError) -> [UInt8] {
        let key = try string()
        try expect(UInt8(ascii: ":"))
        return key
    }

    /// A string as UTF-8; lone surrogates and invalid bytes become U+FFFD, as in Go. `null` gives an empty string.
    mutating func string() throws(TreeFormatError) -> [UInt8] {
        if try takeNull() { return [] }
        try expect(UInt8(ascii: "\""))
        let start = position
        // Most strings have no escape and are plain ASCII: find the end, copy once.
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20, byte < 0x80 { position += 1 }
        if current == UInt8(ascii: "\"") {
            position += 1
            return Array(bytes[start..<position - 1])
        }
        var result = Array(bytes[start..<position])
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return result
            case UInt8(ascii: "\\"):
                position += 1
                try appendEscape(to: &result)
            case 0..<0x20: throw failure("ký tự điều khiển trong chuỗi", "control character in a string")
            case 0..<0x80:
                result.append(byte)
                position += 1
            default:
                let (scalar, length) = GoText.decodeScalar(bytes[position...])
                if scalar == nil {
                    result.append(contentsOf: Self.replacement)
                } else {
                    result.append(contentsOf: bytes[position..<position + length])
                }
                position += length
            }
        }
        throw failure("chuỗi không kết thúc", "string without an end")
    }

    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    private mutating func appendEscape(to result: inout [UInt8]) throws(TreeFormatError) {
        guard let escape = current else { throw failure("chuỗi không kết thúc", "string without an end") }
        position += 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escape)
        case UInt8(ascii: "b"): result.append(8)
        case UInt8(ascii: "f"): result.append(12)
        case UInt8(ascii: "n"): result.append(10)
        case UInt8(ascii: "r"): result.append(13)
        case UInt8(ascii: "t"): result.append(9)
        case UInt8(ascii: "u"):
            var value = try fourHexDigits()
            if (0xD800..<0xDC00).contains(value), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            {
                let rewind = position
                position += 2
                let low = try fourHexDigits()
                if (0xDC00..<0xE000).contains(low) {
                    value = 0x1_0000 + (value - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    position = rewind
                }
            }
            if let scalar = Unicode.Scalar(value), let encoded = UTF8.encode(scalar) {
                result.append(contentsOf: encoded)
            } else {
                result.append(contentsOf: Self.replacement)
            }
        default: throw failure("ký tự thoát không hợp lệ", "invalid escape")
        }
    }

    private mutating func fourHexDigits() throws(TreeFormatError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("chuỗi không kết thúc", "string without an end") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = GoText.hexDigit(byte) else { throw failure("ký tự thoát không hợp lệ", "invalid escape") }
            value = value << 4 | digit
        }
        position += 4
        return value
    }

    /// A whole number in plain decimals; never through floating point, which would corrupt inodes above 2^53. `null` gives 0.
    mutating func number() throws(TreeFormatError) -> UInt64 {
        if try takeNull() { return 0 }
        let start = position
        var value: UInt64 = 0
        while let byte = current, byte >= 48, byte <= 57 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 48))
            if overflow || carry { throw failure("số quá lớn", "number too large") }
            value = sum
            position += 1
        }
        if position == start || current.map({ ".eE".utf8.contains($0) }) == true {
            throw failure("không phải số nguyên không dấu", "not an unsigned whole number")
        }
        return value
    }

    /// A whole number of at most 32 bits.
    mutating func number32() throws(TreeFormatError) -> UInt32 {
        guard let value = UInt32(exactly: try number()) else { throw failure("số quá lớn", "number too large") }
        return value
    }

    /// 64 hex digits of either case.
    mutating func digest() throws(TreeFormatError) -> Digest {
        try expect(UInt8(ascii: "\""))
        let end = position + 2 * Digest.byteCount
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { throw failure("mã không đúng độ dài", "ID of the wrong length") }
        // In bounds: `end` was checked against the count.
        let digest = unsafe bytes.withUnsafeBytes { raw in
            unsafe Digest(rawHex: UnsafeRawBufferPointer(rebasing: raw[position..<end]))
        }
        guard let digest else { throw failure("mã không phải hệ 16", "ID is not hexadecimal") }
        position = end + 1
        return digest
    }

    /// Passes over one value of any kind.
    mutating func skipValue() throws(TreeFormatError) {
        // One entry per open bracket: the bracket that closes it.
        var open: [UInt8] = []
        while true {
            skipSpace()
            guard let byte = current else { throw failure("hết dữ liệu", "unexpected end") }
            var isFirst = false
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                position += 1
                if open.count == Self.maximumDepth { throw failure("lồng quá sâu", "nested too deeply") }
                open.append(byte == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                isFirst = true
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "t"): try takeWord("true")
            case UInt8(ascii: "f"): try takeWord("false")
            case UInt8(ascii: "n"): try takeWord("null")
            default: try skipNumber()
            }
            // Close what ends here, then stand before the next value.
            while let close = open.last {
                if try next(isFirst: &isFirst, close: close) {
                    if close == UInt8(ascii: "}") { _ = try key() }
                    break
                }
                open.removeLast()
            }
            if open.isEmpty { return }
        }
    }

    private mutating func skipNumber() throws(TreeFormatError) {
        let start = position
        while let byte = current, byte >= 48 && byte <= 57 || "+-.eE".utf8.contains(byte) { position += 1 }
        if position == start { throw failure("giá trị không hợp lệ", "invalid value") }
    }
}
