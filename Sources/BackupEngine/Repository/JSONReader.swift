internal import Platform

/// JSON of the repository that does not have the expected form.
struct JSONError: ExplainedError, Equatable {
    /// Bytes from the start of the text.
    let offset: Int
    /// What should have stood there.
    let expected: String

    var message: Phrase {
        Phrase(vi: "JSON sai ở byte \(offset): cần \(expected)", en: "malformed JSON at byte \(offset): expected \(expected)")
    }
}

/// Reads JSON from front to back without building a document: an index of 50 000 blobs costs no object per blob.
///
/// Unknown members are skipped, nesting is bounded, every loop moves forward.
struct JSONReader {
    private let bytes: [UInt8]
    private(set) var offset = 0
    /// True right after an opening bracket: no comma comes before the next element.
    private var isFirst = false
    /// The key read last, without its quotes.
    private var key = 0..<0

    private static let depthLimit = 64

    /// - Parameter limit: Longer texts are refused.
    init(_ bytes: [UInt8], limit: Int) throws(JSONError) {
        if bytes.count > limit { throw JSONError(offset: limit, expected: "at most \(limit) bytes") }
        self.bytes = bytes
    }

    func failure(_ expected: String) -> JSONError { JSONError(offset: offset, expected: expected) }

    private mutating func skipSpace() {
        while offset < bytes.count, bytes[offset] == 0x20 || (0x09...0x0D).contains(bytes[offset]) { offset += 1 }
    }

    /// The next byte that is no white space, still unread; 0 at the end, which is no character of JSON.
    private mutating func peek() -> UInt8 {
        skipSpace()
        return offset < bytes.count ? bytes[offset] : 0
    }

    private mutating func expect(_ character: UInt8) throws(JSONError) {
        guard peek() == character else { throw failure("'\(Character(Unicode.Scalar(character)))'") }
        offset += 1
    }

    mutating func beginObject() throws(JSONError) {
        try expect(UInt8(ascii: "{"))
        isFirst = true
    }

    mutating func beginArray() throws(JSONError) {
        try expect(UInt8(ascii: "["))
        isFirst = true
    }

    /// Goes to the next member of an object and reads its key.
    ///
    /// - Returns: False at the end of the object, which is consumed.
    mutating func nextMember() throws(JSONError) -> Bool {
        guard try nextElement(closing: UInt8(ascii: "}")) else { return false }
        key = try rawString()
        try expect(UInt8(ascii: ":"))
        return true
    }

    /// Goes to the next element of an array; false at its end, which is consumed.
    mutating func nextElement() throws(JSONError) -> Bool { try nextElement(closing: UInt8(ascii: "]")) }

    private mutating func nextElement(closing: UInt8) throws(JSONError) -> Bool {
        if peek() == closing {
            offset += 1
            isFirst = false
            return false
        }
        if !isFirst { try expect(UInt8(ascii: ",")) }
        isFirst = false
        return true
    }

    /// True when the key read last is `name`. Keys with escapes, which nobody writes, are unknown keys.
    func keyIs(_ name: StaticString) -> Bool {
        guard key.count == name.utf8CodeUnitCount else { return false }
        // A static string is contiguous memory that never goes away.
        let characters = unsafe UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        for index in 0..<key.count where unsafe bytes[key.lowerBound + index] != characters[index] { return false }
        return true
    }

    /// Consumes `null` when it comes next.
    mutating func isNull() -> Bool {
        guard peek() == UInt8(ascii: "n"), matches("null") else { return false }
        offset += 4
        return true
    }

    private func matches(_ word: StaticString) -> Bool {
        bytes[offset...].starts(with: word.description.utf8)
    }

    /// A string between its quotes, escapes not yet resolved.
    private mutating func rawString() throws(JSONError) -> Range<Int> {
        try expect(UInt8(ascii: "\""))
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                offset += 1
                return start..<offset - 1
            }
            if byte < 0x20 { break }
            offset += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        offset = min(offset, bytes.count)
        throw failure("the end of a string")
    }

    /// A string; bytes that are no UTF-8 and lone surrogates become U+FFFD, as in Go.
    mutating func string() throws(JSONError) -> String {
        if isNull() { return "" }
        let range = try rawString()
        if !bytes[range].contains(UInt8(ascii: "\\")) { return String(decoding: bytes[range], as: UTF8.self) }
        return String(decoding: try unescaped(range), as: UTF8.self)
    }

    private func unescaped(_ range: Range<Int>) throws(JSONError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            // rawString has made sure that one byte follows inside the string.
            switch bytes[index + 1] {
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(bytes[index + 1])
            case UInt8(ascii: "u"):
                guard var unit = hexUnit(at: index + 2, end: range.upperBound) else {
                    throw JSONError(offset: index, expected: "four hex digits")
                }
                if 0xD800..<0xDC00 ~= unit, index + 7 < range.upperBound, bytes[index + 6] == UInt8(ascii: "\\"),
                    bytes[index + 7] == UInt8(ascii: "u"), let low = hexUnit(at: index + 8, end: range.upperBound),
                    0xDC00..<0xE000 ~= low
                {
                    unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
                    index += 6
                }
                result += Array(String(Character(Unicode.Scalar(unit) ?? "\u{FFFD}")).utf8)
                index += 4
            default: throw JSONError(offset: index, expected: "an escape")
            }
            index += 2
        }
        return result
    }

    private func hexUnit(at start: Int, end: Int) -> UInt32? {
        guard start + 4 <= end, let pair = hexBytes(String(decoding: bytes[start..<start + 4], as: UTF8.self)) else { return nil }
        return UInt32(pair[0]) << 8 | UInt32(pair[1])
    }

    /// 64 hex digits.
    mutating func digest() throws(JSONError) -> Digest {
        let range = try rawString()
        let value = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe Digest(rawHex: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer[range])))
        }
        guard let value else { throw failure("64 hex digits") }
        return value
    }

    mutating func base64() throws(JSONError) -> [UInt8] {
        let range = try rawString()
        let text = bytes[range].contains(UInt8(ascii: "\\")) ? try unescaped(range) : Array(bytes[range])
        guard let value = Base64.decode(text) else { throw failure("Base64") }
        return value
    }

    /// RFC 3339 and, as seconds east of UTC, the offset that stands in it.
    mutating func time() throws(JSONError) -> (Timestamp, utcOffsetSeconds: Int) {
        let text = try string()
        guard let moment = Timestamp(rfc3339: text) else { throw failure("a time of RFC 3339") }
        guard let sign = text.utf8.last != UInt8(ascii: "Z") ? text.dropLast(5).last : nil else { return (moment, 0) }
        let digits = text.suffix(5).split(separator: ":").compactMap { Int($0) }
        let offset = digits.count == 2 ? digits[0] * 3600 + digits[1] * 60 : 0
        return (moment, sign == "-" ? -offset : offset)
    }

    /// A whole number from 0 to 2^64-1; never through floating point.
    mutating func unsigned() throws(JSONError) -> UInt64 {
        _ = peek()
        let start = offset
        var value: UInt64 = 0
        while offset < bytes.count, bytes[offset] >= 48, bytes[offset] <= 57 {
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isTooLargeAfterwards) = product.addingReportingOverflow(UInt64(bytes[offset] - 48))
            if isTooLarge || isTooLargeAfterwards { throw failure("a number below 2^64") }
            value = sum
            offset += 1
        }
        let isWhole = offset == bytes.count || ![UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[offset])
        guard offset > start, isWhole else { throw failure("a whole number") }
        return value
    }

    mutating func unsigned32() throws(JSONError) -> UInt32 {
        guard let value = UInt32(exactly: try unsigned()) else { throw failure("a number below 2^32") }
        return value
    }

    mutating func boolean() throws(JSONError) -> Bool {
        switch peek() {
        case UInt8(ascii: "t") where matches("true"):
            offset += 4
            return true
        case UInt8(ascii: "f") where matches("false"):
            offset += 5
            return false
        default: throw failure("true or false")
        }
    }

    /// An array of strings; `null` is an empty one.
    mutating func strings() throws(JSONError) -> [String] {
        if isNull() { return [] }
        var result: [String] = []
        try beginArray()
        while try nextElement() { result.append(try string()) }
        return result
    }

    /// Passes over a value of any kind.
    mutating func skipValue() throws(JSONError) {
        var closers: [UInt8] = []
        repeat {
            if let closer = closers.last {
                let isObject = closer == UInt8(ascii: "}")
                guard try isObject ? nextMember() : nextElement() else {
                    closers.removeLast()
                    continue
                }
            }
            switch peek() {
            case UInt8(ascii: "{"):
                try beginObject()
                closers.append(UInt8(ascii: "}"))
            case UInt8(ascii: "["):
                try beginArray()
                closers.append(UInt8(ascii: "]"))
            case UInt8(ascii: "\""): _ = try rawString()
            case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try boolean()
            case UInt8(ascii: "n"):
                guard isNull() else { throw failure("null") }
            default: try skipNumber()
            }
            if closers.count > Self.depthLimit { throw failure("at most \(Self.depthLimit) levels") }
        } while !closers.isEmpty
    }

    private mutating func skipNumber() throws(JSONError) {
        let start = offset
        while offset < bytes.count, (48...57).contains(bytes[offset]) || "+-.eE".utf8.contains(bytes[offset]) { offset += 1 }
        if offset == start { throw failure("a value") }
    }

    /// Makes sure that nothing but white space follows.
    mutating func end() throws(JSONError) {
        skipSpace()
        if offset != bytes.count { throw failure("the end") }
    }
}
