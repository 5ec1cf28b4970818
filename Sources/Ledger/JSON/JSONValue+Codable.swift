internal import FoundationEssentials
internal import Platform

extension JSONValue: Codable {
    /// Bytes that a Swift value may take as JSON when it becomes a ``JSONValue``.
    private static let conversionLimitBytes = 64 << 20

    /// The JSON form of a Swift value. Integers stay exact; a fraction, or an integer beyond 64 bits, is refused.
    package init(encoding value: some Encodable) throws(JSONError) {
        let data: Data
        do {
            data = try JSONEncoder().encode(value)
        } catch {
            throw JSONError(.mismatch, detail: Self.explain(error))
        }
        try self.init(parsing: Array(data), limitBytes: Self.conversionLimitBytes)
    }

    /// The Swift value that this JSON value describes.
    ///
    /// - Throws: `.mismatch` with the path of the member that does not fit.
    package func decode<Value: Decodable>(as type: Value.Type = Value.self) throws(JSONError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(canonicalBytes))
        } catch {
            throw JSONError(.mismatch, detail: Self.explain(error))
        }
    }

    private static func explain(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }
        let text =
            switch error {
            case DecodingError.keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
            case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
                DecodingError.dataCorrupted(let context):
                "\(place(context.codingPath)): \(context.debugDescription)"
            case EncodingError.invalidValue(_, let context): "\(place(context.codingPath)): \(context.debugDescription)"
            default: "\(error)"
            }
        return escapedForDisplay(text)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
