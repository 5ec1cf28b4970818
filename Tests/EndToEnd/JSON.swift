import FoundationEssentials

/// Any JSON value, for looking into what the programs print.
enum JSON: Decodable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(JSON.self, from: Data(bytes)) else { return nil }
        self = value
    }

    /// One value per line, as restic prints its progress.
    static func lines(_ text: String) -> [JSON] {
        text.split(separator: "\n").compactMap { JSON(Array($0.utf8)) }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    subscript(_ key: String) -> JSON {
        if case .object(let members) = self { return members[key] ?? .null }
        return .null
    }

    subscript(_ index: Int) -> JSON {
        if case .array(let items) = self, items.indices.contains(index) { return items[index] }
        return .null
    }

    var items: [JSON] {
        if case .array(let items) = self { return items }
        return []
    }

    var text: String? {
        if case .string(let value) = self { return value }
        return nil
    }

    var integer: Int? {
        if case .number(let value) = self { return Int(value) }
        return nil
    }

    var isTrue: Bool { self == .bool(true) }
}

extension JSON {
    /// The incidents of `incident list --json`.
    var incidents: [JSON] { items }

    /// The id of the step that `incident show --json` asks for next.
    var nextStep: String? { self["summary"]["next"]["step"].text }

    /// The steps that may follow `step` in the playbook at work, by `incident show --json`.
    func successors(of step: String) -> [String] {
        let run = self["runs"].items.last { $0["superseded"] == .null }
        return run?["steps"].items.first { $0["id"].text == step }.map { $0["next"].items.compactMap(\.text) } ?? []
    }
}
