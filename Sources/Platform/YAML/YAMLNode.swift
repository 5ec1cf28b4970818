/// Where something stands in a YAML file; both numbers start at 1, columns count characters.
package struct YAMLPosition: Sendable, Hashable, Comparable {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: YAMLPosition, right: YAMLPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// One value of a YAML file, with its place. Scalars stay text: only the reader knows what type it expects.
package struct YAMLNode: Sendable {
    package enum Value: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
    }

    package let value: Value
    package let position: YAMLPosition

    package init(_ value: Value, at position: YAMLPosition) {
        self.value = value
        self.position = position
    }

    /// True for an empty plain scalar, `~` and `null`: a key without a value.
    package var isNull: Bool {
        if case .scalar(let scalar) = value { scalar.isNull } else { false }
    }
}

/// A scalar as it was written, after unescaping.
package struct YAMLScalar: Sendable, Hashable {
    package let text: String
    /// False when it was quoted or a block: `"30"` is text, `30` may be a number.
    package let isPlain: Bool

    package init(text: String, isPlain: Bool) {
        self.text = text
        self.isPlain = isPlain
    }

    package var isNull: Bool { isPlain && (text.isEmpty || text == "~" || text == "null") }
}

/// One key of a mapping with its value. Keys are unique within their mapping.
package struct YAMLEntry: Sendable {
    package let key: String
    package let keyPosition: YAMLPosition
    package let value: YAMLNode

    package init(key: String, keyPosition: YAMLPosition, value: YAMLNode) {
        self.key = key
        self.keyPosition = keyPosition
        self.value = value
    }
}
