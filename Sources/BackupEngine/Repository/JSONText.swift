internal import Platform

/// Writes JSON as Go's `encoding/json` does: no white space, members in the order of the calls.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    /// True where the next member or element needs a comma before it.
    private var needsComma = false

    mutating func beginObject() { open(UInt8(ascii: "{")) }
    mutating func endObject() { close(UInt8(ascii: "}")) }
    mutating func beginArray() { open(UInt8(ascii: "[")) }
    mutating func endArray() { close(UInt8(ascii: "]")) }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// Starts a member; its value must follow.
    mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes += [UInt8(ascii: "\""), UInt8(ascii: ":")]
        needsComma = false
    }

    mutating func string(_ text: String) {
        separate()
        GoText.appendJSONString(Array(text.utf8), to: &bytes)
    }

    /// Bytes that should be UTF-8; what is not becomes U+FFFD.
    mutating func string(_ bytes: [UInt8]) {
        separate()
        GoText.appendJSONString(bytes, to: &self.bytes)
    }

    mutating func digest(_ digest: Digest) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        digest.appendHex(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func base64(_ value: [UInt8]) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        Base64.append(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func number(_ value: UInt64) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func boolean(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// A time with the offset that was recorded with it.
    mutating func time(_ moment: Timestamp, utcOffsetSeconds: Int) {
        var civil = CivilTime(utc: moment.adding(seconds: Int64(utcOffsetSeconds)))
        civil.offsetSeconds = utcOffsetSeconds
        string(civil.rfc3339)
    }

    /// A time in the zone of this process.
    mutating func time(_ moment: Timestamp) { string(moment.rfc3339Local) }

    mutating func strings(_ values: [String]) {
        beginArray()
        for value in values { string(value) }
        endArray()
    }

    /// A time of a node, with years outside 0...9999 moved inside.
    mutating func nodeTime(_ moment: Timestamp) {
        separate()
        GoTime.appendJSON(moment, to: &bytes)
    }

    /// Adds bytes that stand outside of any value, such as a final newline.
    mutating func append(_ byte: UInt8) { bytes.append(byte) }
}
