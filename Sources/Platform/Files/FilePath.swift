/// A path as the kernel knows it: bytes without NUL, in no particular encoding.
package struct FilePath: Hashable, Sendable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    package let bytes: [UInt8]

    /// - Parameter bytes: Everything from the first NUL on is dropped, as the kernel would.
    package init(bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes.prefix { $0 != 0 })
    }

    package init(_ string: String) {
        self.init(bytes: string.utf8)
    }

    package init(stringLiteral value: String) {
        self.init(value)
    }

    package static let slash = UInt8(ascii: "/")

    package var isAbsolute: Bool { bytes.first == Self.slash }
    package var isEmpty: Bool { bytes.isEmpty }

    /// The components between slashes; `//` and a trailing slash add none, `.` is dropped, `..` is kept.
    package var components: [[UInt8]] {
        bytes.split(separator: Self.slash).map(Array.init).filter { $0 != [UInt8(ascii: ".")] }
    }

    /// The last component; empty for `/`.
    package var name: [UInt8] { components.last ?? [] }

    /// The path without its last component; `/` stays `/`, a single relative name gives `.`.
    package var parent: FilePath {
        let all = components
        if all.count <= 1 { return isAbsolute ? "/" : "." }
        return FilePath(bytes: (isAbsolute ? [Self.slash] : []) + Array(all.dropLast().joined(separator: [Self.slash])))
    }

    package func appending(_ component: some Sequence<UInt8>) -> FilePath {
        if bytes.isEmpty { return FilePath(bytes: component) }
        var joined = bytes
        if joined.last != Self.slash { joined.append(Self.slash) }
        joined.append(contentsOf: component)
        return FilePath(bytes: joined)
    }

    package func appending(_ component: String) -> FilePath { appending(component.utf8) }

    package static func / (path: FilePath, component: String) -> FilePath { path.appending(component) }

    /// The same path with `.`, `//` and a trailing slash removed; `..` is resolved by its text only.
    package var normalised: FilePath {
        var result: [[UInt8]] = []
        for component in components {
            if component == Array("..".utf8), let last = result.last, last != component {
                result.removeLast()
            } else if component == Array("..".utf8), isAbsolute {
                continue
            } else {
                result.append(component)
            }
        }
        let joined = Array(result.joined(separator: [Self.slash]))
        if isAbsolute { return FilePath(bytes: [Self.slash] + joined) }
        return joined.isEmpty ? "." : FilePath(bytes: joined)
    }

    /// True when `self` is `ancestor` or lies below it, by components.
    package func isBelow(_ ancestor: FilePath) -> Bool {
        let mine = components
        let theirs = ancestor.components
        return isAbsolute == ancestor.isAbsolute && mine.count >= theirs.count && mine.prefix(theirs.count).elementsEqual(theirs)
    }

    /// The path when it is valid UTF-8, else nil: what JSON can carry without loss.
    package var utf8: String? { String(validating: bytes, as: UTF8.self) }

    /// The path for people: control bytes and invalid UTF-8 as `\xNN`, so that no name can move a cursor or forge a line.
    package var description: String { escapedForDisplay(bytes) }

    /// Bytewise order, as the kernel and restic compare names.
    package static func < (left: FilePath, right: FilePath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// Calls `body` with the NUL-terminated bytes.
    package func withCString<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let terminated = ContiguousArray(bytes.map { CChar(bitPattern: $0) }) + [0]
        return try unsafe terminated.withUnsafeBufferPointer { buffer throws(Failure) in
            // A terminated buffer is never empty, so it has a base address.
            guard let base = buffer.baseAddress else { return try unsafe body(emptyCString) }
            return try unsafe body(base)
        }
    }
}

/// A terminated empty string that lives as long as the process.
private nonisolated(unsafe) let emptyCString: UnsafePointer<CChar> = {
    let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    unsafe pointer.initialize(to: 0)
    return unsafe UnsafePointer(pointer)
}()

/// Shows bytes to a person: valid printable UTF-8 as it is; control characters, bidirectional overrides, backslash and invalid bytes escaped.
package func escapedForDisplay(_ bytes: some Sequence<UInt8>) -> String {
    var result = ""
    let bytes = Array(bytes)
    var index = 0
    while index < bytes.count {
        let length = utf8Length(of: bytes[index])
        let end = index + length
        if length > 0, end <= bytes.count, let text = String(validating: bytes[index..<end], as: UTF8.self),
            let scalar = text.unicodeScalars.first
        {
            switch scalar.value {
            case 0x0A: result += "\\n"
            case 0x09: result += "\\t"
            case 0x5C: result += "\\\\"
            case 0..<0x20, 0x7F, 0x80..<0xA0, 0x200B...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                for byte in bytes[index..<end] { result += hexEscape(byte) }
            default: result.unicodeScalars.append(scalar)
            }
            index = end
        } else {
            result += hexEscape(bytes[index])
            index += 1
        }
    }
    return result
}

/// Shows a text to a person; see ``escapedForDisplay(_:)-bytes``.
package func escapedForDisplay(_ text: String) -> String { escapedForDisplay(Array(text.utf8)) }

private func utf8Length(of lead: UInt8) -> Int {
    switch lead {
    case 0..<0x80: 1
    case 0xC2..<0xE0: 2
    case 0xE0..<0xF0: 3
    case 0xF0..<0xF5: 4
    default: 0
    }
}

private func hexEscape(_ byte: UInt8) -> String {
    let digits = Array("0123456789abcdef")
    return "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
}
