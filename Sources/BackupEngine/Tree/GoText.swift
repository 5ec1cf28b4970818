/// Text as Go writes it: trees are identified by the hash of their bytes, so every escape counts.
enum GoText {
    private static let hexDigits = Array("0123456789abcdef".utf8)
    private static let backslash = UInt8(ascii: "\\")

    /// True for the ASCII characters that neither `strconv.Quote` nor `encoding/json` changes.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), backslash, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"): false
        default: byte >= 0x20 && byte < 0x7F
        }
    }

    /// Appends `bytes` as a JSON string, as `encoding/json` does: HTML characters and line separators escaped, invalid UTF-8 as `\ufffd`.
    static func appendJSONString(_ bytes: some Collection<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        if bytes.allSatisfy(isPlain) {
            output.append(contentsOf: bytes)
        } else {
            forEachScalar(Array(bytes)) { scalar, raw in appendJSONScalar(scalar, raw, to: &output) }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Appends a name: `strconv.Quote` without the outer quotes, and that as a JSON string.
    static func appendQuotedName(_ name: [UInt8], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        if name.allSatisfy(isPlain) {
            output.append(contentsOf: name)
        } else {
            forEachScalar(name) { scalar, raw in appendQuotedScalar(scalar, raw, to: &output) }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Calls `body` with each Unicode scalar and its bytes; nil and one byte where the bytes are no UTF-8, as Go's `range` does.
    private static func forEachScalar(_ bytes: [UInt8], _ body: (Unicode.Scalar?, ArraySlice<UInt8>) -> Void) {
        var index = 0
        while index < bytes.count {
            let (scalar, length) = decodeScalar(bytes[index...])
            body(scalar, bytes[index..<index + length])
            index += length
        }
    }

    /// The scalar at the start of `bytes` (not empty) and its length; nil and 1 when the bytes are no UTF-8.
    static func decodeScalar(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar?, Int) {
        guard let first = bytes.first else { return (nil, 1) }
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length: Int
        var value: UInt32
        switch first {
        case 0xC2..<0xE0: (length, value) = (2, UInt32(first & 0x1F))
        case 0xE0..<0xF0: (length, value) = (3, UInt32(first & 0x0F))
        case 0xF0..<0xF5: (length, value) = (4, UInt32(first & 0x07))
        default: return (nil, 1)
        }
        guard bytes.count >= length else { return (nil, 1) }
        for byte in bytes.dropFirst().prefix(length - 1) {
            guard byte & 0xC0 == 0x80 else { return (nil, 1) }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        // Overlong forms; Unicode.Scalar itself refuses surrogates and values above U+10FFFF.
        if length == 3 && value < 0x800 || length == 4 && value < 0x1_0000 { return (nil, 1) }
        guard let scalar = Unicode.Scalar(value) else { return (nil, 1) }
        return (scalar, length)
    }

    private static func appendJSONScalar(_ scalar: Unicode.Scalar?, _ raw: ArraySlice<UInt8>, to output: inout [UInt8]) {
        guard let scalar else {
            output.append(contentsOf: "\\ufffd".utf8)
            return
        }
        switch scalar {
        case "\"", "\\":
            output.append(backslash)
            output.append(contentsOf: raw)
        case "\u{8}": output.append(contentsOf: "\\b".utf8)
        case "\u{C}": output.append(contentsOf: "\\f".utf8)
        case "\n": output.append(contentsOf: "\\n".utf8)
        case "\r": output.append(contentsOf: "\\r".utf8)
        case "\t": output.append(contentsOf: "\\t".utf8)
        case "<", ">", "&", "\u{2028}", "\u{2029}", "\0"..<" ":
            output.append(contentsOf: "\\u".utf8)
            appendHex(scalar.value, digits: 4, to: &output)
        default: output.append(contentsOf: raw)
        }
    }

    /// One scalar quoted by Go, then escaped for JSON: each backslash of the quoting appears twice.
    private static func appendQuotedScalar(_ scalar: Unicode.Scalar?, _ raw: ArraySlice<UInt8>, to output: inout [UInt8]) {
        guard let scalar else {
            output.append(contentsOf: "\\\\x".utf8)
            for byte in raw { appendHex(UInt32(byte), digits: 2, to: &output) }
            return
        }
        switch scalar {
        case "\"": output.append(contentsOf: "\\\\\\\"".utf8)
        case "\\": output.append(contentsOf: "\\\\\\\\".utf8)
        case "\u{7}": output.append(contentsOf: "\\\\a".utf8)
        case "\u{8}": output.append(contentsOf: "\\\\b".utf8)
        case "\u{C}": output.append(contentsOf: "\\\\f".utf8)
        case "\n": output.append(contentsOf: "\\\\n".utf8)
        case "\r": output.append(contentsOf: "\\\\r".utf8)
        case "\t": output.append(contentsOf: "\\\\t".utf8)
        case "\u{B}": output.append(contentsOf: "\\\\v".utf8)
        case "\0"..<" ", "\u{7F}":
            output.append(contentsOf: "\\\\x".utf8)
            appendHex(scalar.value, digits: 2, to: &output)
        default:
            if isPrintable(scalar) {
                appendJSONScalar(scalar, raw, to: &output)
            } else if scalar.value < 0x1_0000 {
                output.append(contentsOf: "\\\\u".utf8)
                appendHex(scalar.value, digits: 4, to: &output)
            } else {
                output.append(contentsOf: "\\\\U".utf8)
                appendHex(scalar.value, digits: 8, to: &output)
            }
        }
    }

    /// Go's `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
    ///
    /// Characters younger than the Unicode tables of one of the two programs may be judged differently;
    /// such a name costs a tree that restic stores once more, nothing else.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7F }
        return switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    private static func appendHex(_ value: UInt32, digits: Int, to output: inout [UInt8]) {
        for digit in (0..<digits).reversed() { output.append(hexDigits[Int(value >> UInt32(4 * digit) & 15)]) }
    }

    /// Go's `strconv.Unquote` for the inside of a double-quoted string.
    ///
    /// - Returns: nil for what Go refuses: a bare quote or newline, an unknown or cut-off escape.
    static func unquote(_ text: [UInt8]) -> [UInt8]? {
        if !text.contains(where: { $0 == backslash || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") }) { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n") { return nil }
            if byte != backslash {
                result.append(byte)
                continue
            }
            guard index < text.count else { return nil }
            let escape = text[index]
            index += 1
            func number(digits: Int, radix: UInt32) -> UInt32? {
                guard text.count - index >= digits else { return nil }
                var value: UInt32 = 0
                for digit in text[index..<index + digits] {
                    guard let digit = hexDigit(digit), digit < radix else { return nil }
                    value = value &* radix &+ digit
                }
                index += digits
                return value
            }
            switch escape {
            case UInt8(ascii: "a"): result.append(7)
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "v"): result.append(11)
            case backslash, UInt8(ascii: "\""): result.append(escape)
            case UInt8(ascii: "x"):
                guard let value = number(digits: 2, radix: 16) else { return nil }
                result.append(UInt8(truncatingIfNeeded: value))
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                guard let value = number(digits: escape == UInt8(ascii: "u") ? 4 : 8, radix: 16), let scalar = Unicode.Scalar(value)
                else { return nil }
                result.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                index -= 1
                guard let value = number(digits: 3, radix: 8), value <= 255 else { return nil }
                result.append(UInt8(truncatingIfNeeded: value))
            default: return nil
            }
        }
        return result
    }

    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 48...57: UInt32(byte - 48)
        case 97...102: UInt32(byte - 87)
        case 65...70: UInt32(byte - 55)
        default: nil
        }
    }
}
