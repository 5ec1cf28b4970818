/// A JSON value without fractions: the form of every fact in the ledger.
///
/// There is one way to write a value (``canonicalBytes``), so its hash means something.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
    package var isNull: Bool { self == .null }

    /// The member `key` of an object; nil for any other value. Setting a member of another value makes it an object.
    package subscript(key: String) -> JSONValue? {
        get { object?[key] }
        set {
            var members = object ?? [:]
            members[key] = newValue
            self = .object(members)
        }
    }

    /// The element `index` of an array; nil outside it and for any other value.
    package subscript(index: Int) -> JSONValue? {
        guard let elements = array, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    package init(_ value: String) { self = .string(value) }
    package init(_ value: String?) { self = value.map { .string($0) } ?? .null }
    package init(_ value: Bool) { self = .bool(value) }
    /// - Parameter value: Clamped to 64 bits, signed.
    package init(_ value: some BinaryInteger) { self = .integer(Int64(clamping: value)) }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// A key given twice keeps its last value.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
}

extension JSONValue {
    /// The one way to write this value: keys in the order of their UTF-8 bytes, no space, integers in decimal, and in
    /// strings only `"`, `\` and the control characters escaped (`\b \t \n \f \r`, else `\u00xx` in lowercase).
    package var canonicalBytes: [UInt8] {
        var result: [UInt8] = []
        write(to: &result)
        return result
    }

    /// ``canonicalBytes`` as text.
    package var canonicalText: String { String(decoding: canonicalBytes, as: UTF8.self) }

    private func write(to result: inout [UInt8]) {
        switch self {
        case .null: result.append(contentsOf: "null".utf8)
        case .bool(let value): result.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): result.append(contentsOf: String(value).utf8)
        case .string(let value): Self.write(value, to: &result)
        case .array(let elements):
            result.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { result.append(UInt8(ascii: ",")) }
                element.write(to: &result)
            }
            result.append(UInt8(ascii: "]"))
        case .object(let members):
            result.append(UInt8(ascii: "{"))
            // Swift orders strings by Unicode equivalence; bytes are what other programs see.
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { result.append(UInt8(ascii: ",")) }
                Self.write(member.key, to: &result)
                result.append(UInt8(ascii: ":"))
                member.value.write(to: &result)
            }
            result.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to result: inout [UInt8]) {
        result.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): result.append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\\"): result.append(contentsOf: "\\\\".utf8)
            case 0x08: result.append(contentsOf: "\\b".utf8)
            case 0x09: result.append(contentsOf: "\\t".utf8)
            case 0x0A: result.append(contentsOf: "\\n".utf8)
            case 0x0C: result.append(contentsOf: "\\f".utf8)
            case 0x0D: result.append(contentsOf: "\\r".utf8)
            case 0..<0x20: result.append(contentsOf: "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
            default: result.append(byte)
            }
        }
        result.append(UInt8(ascii: "\""))
    }
}
