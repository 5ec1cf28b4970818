extension JSONValue {
    /// Arrays and objects inside one another, at most.
    package static let depthLimit = 64

    /// Parses one JSON value (RFC 8259) and nothing after it but white space.
    ///
    /// Stricter than the standard: numbers are 64-bit integers, a key stands once in its object, text is valid Unicode.
    ///
    /// - Parameter limitBytes: More input than this is refused before it is looked at.
    package init(parsing bytes: [UInt8], limitBytes: Int) throws(JSONError) {
        if bytes.count > limitBytes { throw JSONError(.tooLarge, offset: limitBytes) }
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }

    /// See ``init(parsing:limitBytes:)``.
    package init(parsing text: String, limitBytes: Int) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), limitBytes: limitBytes)
    }
}

/// Recursive descent with a depth limit; every read is checked against the end.
private struct JSONParser {
    let bytes: [UInt8]
    var index = 0
    var depth = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private func syntax() -> JSONError { JSONError(.syntax, offset: index) }

    mutating func document() throws(JSONError) -> JSONValue {
        let result = try value()
        skipSpace()
        if index < bytes.count { throw syntax() }
        return result
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try nested { (parser) throws(JSONError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { (parser) throws(JSONError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || (48...57).contains(byte): return .integer(try integer())
        default: throw syntax()
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONError) -> JSONValue
    ) throws(JSONError) -> JSONValue {
        if depth == JSONValue.depthLimit { throw JSONError(.tooDeep, offset: index) }
        depth += 1
        index += 1
        let result = try body(&self)
        depth -= 1
        return result
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        if next != byte { return false }
        index += 1
        return true
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat { elements.append(try value()) } while take(UInt8(ascii: ","))
        if !take(UInt8(ascii: "]")) { throw syntax() }
        return .array(elements)
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        var members: [String: JSONValue] = [:]
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            let start = index
            let key = try string()
            if !take(UInt8(ascii: ":")) { throw syntax() }
            if members.updateValue(try value(), forKey: key) != nil { throw JSONError(.duplicateKey, offset: start) }
        } while take(UInt8(ascii: ","))
        if !take(UInt8(ascii: "}")) { throw syntax() }
        return .object(members)
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in text.description.utf8 {
            if next != byte { throw syntax() }
            index += 1
        }
        return value
    }

    private mutating func integer() throws(JSONError) -> Int64 {
        let start = index
        let isNegative = next == UInt8(ascii: "-")
        if isNegative { index += 1 }
        let firstDigit = index
        var magnitude: UInt64 = 0
        while let byte = next, byte >= 48, byte <= 57 {
            let (product, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(byte - 48))
            if overflowed || carried { throw JSONError(.notAnInteger, offset: start) }
            magnitude = sum
            index += 1
        }
        if index == firstDigit || (bytes[firstDigit] == 48 && index > firstDigit + 1) { throw syntax() }
        if let byte = next, byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            throw JSONError(.notAnInteger, offset: start)
        }
        if isNegative, magnitude == Int64.min.magnitude { return Int64.min }
        guard let value = Int64(exactly: magnitude) else { throw JSONError(.notAnInteger, offset: start) }
        return isNegative ? -value : value
    }

    private mutating func string() throws(JSONError) -> String {
        let start = index
        if next != UInt8(ascii: "\"") { throw syntax() }
        index += 1
        var result: [UInt8] = []
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: result, as: UTF8.self) else { throw JSONError(.invalidText, offset: start) }
                return text
            case UInt8(ascii: "\\"): try escape(into: &result)
            case 0..<0x20:
                index -= 1
                throw syntax()
            default: result.append(byte)
            }
        }
        throw syntax()
    }

    private mutating func escape(into result: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw syntax() }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"):
            let start = index
            var code = UInt32(try codeUnit())
            if (0xD800..<0xDC00).contains(code) {
                guard next == UInt8(ascii: "\\"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "u") else {
                    throw JSONError(.invalidText, offset: start)
                }
                index += 2
                let low = UInt32(try codeUnit())
                guard (0xDC00..<0xE000).contains(low) else { throw JSONError(.invalidText, offset: start) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw JSONError(.invalidText, offset: start) }
            result.append(contentsOf: Array(String(scalar).utf8))
        default:
            index -= 1
            throw syntax()
        }
    }

    private mutating func codeUnit() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw syntax() }
            value = value << 4 | UInt16(digit)
            index += 1
        }
        return value
    }
}
