/// Input that is not what it says it is.
struct DecodingProblem: Error, Equatable {
    let what: String
}

/// Reads big-endian numbers and byte strings from untrusted bytes, checking every length first.
struct ByteReader {
    private let bytes: [UInt8]
    private(set) var offset: Int
    private let end: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        offset = 0
        end = bytes.count
    }

    var remaining: Int { end - offset }

    mutating func byte() throws(DecodingProblem) -> UInt8 {
        if offset >= end { throw DecodingProblem(what: "truncated at byte \(offset)") }
        offset += 1
        return bytes[offset - 1]
    }

    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type) throws(DecodingProblem) -> Number {
        let count = Number.bitWidth / 8
        if remaining < count { throw DecodingProblem(what: "truncated at byte \(offset)") }
        var value: Number = 0
        for index in offset..<offset + count { value = value << 8 | Number(bytes[index]) }
        offset += count
        return value
    }

    mutating func take(_ count: Int) throws(DecodingProblem) -> ArraySlice<UInt8> {
        if count < 0 || remaining < count { throw DecodingProblem(what: "truncated at byte \(offset)") }
        offset += count
        return bytes[offset - count..<offset]
    }

    /// A string with its length (4 bytes) in front, of at most `limit` bytes.
    mutating func string(limit: Int) throws(DecodingProblem) -> ArraySlice<UInt8> {
        let count = try number(UInt32.self)
        if count > limit { throw DecodingProblem(what: "a string of \(count) bytes at byte \(offset - 4)") }
        return try take(Int(count))
    }
}

/// Appends big-endian numbers.
extension [UInt8] {
    mutating func append(number value: some FixedWidthInteger & UnsignedInteger) {
        var shift = value.bitWidth - 8
        while shift >= 0 {
            append(UInt8(truncatingIfNeeded: value >> shift))
            shift -= 8
        }
    }

    mutating func append(string bytes: some Collection<UInt8>) {
        append(number: UInt32(truncatingIfNeeded: bytes.count))
        append(contentsOf: bytes)
    }
}
