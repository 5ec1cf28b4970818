/// A pattern for one path component, in the language of Go's `filepath.Match`.
///
/// `*` matches any bytes, `?` one character, `[a-z]` and `[^a-z]` one character in or out of a class, `\c` the character c.
struct GlobComponent: Sendable, Hashable {
    private enum Element: Sendable, Hashable {
        case byte(UInt8)
        case anyCharacter
        case anyRun
        case oneOf(ranges: [ClosedRange<UInt32>], isNegated: Bool)
    }
    private let elements: [Element]

    /// - Returns: nil for a malformed pattern: an unfinished class or escape, an empty or inverted class.
    init?(_ pattern: [UInt8]) {
        var elements: [Element] = []
        var rest = pattern[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): if elements.last != .anyRun { elements.append(.anyRun) }
            case UInt8(ascii: "?"): elements.append(.anyCharacter)
            case UInt8(ascii: "["):
                guard let element = Self.characterClass(&rest) else { return nil }
                elements.append(element)
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                elements.append(.byte(escaped))
            default: elements.append(.byte(byte))
            }
        }
        self.elements = elements
    }

    private static func characterClass(_ rest: inout ArraySlice<UInt8>) -> Element? {
        var isNegated = false
        if rest.first == UInt8(ascii: "^") {
            isNegated = true
            rest.removeFirst()
        }
        var ranges: [ClosedRange<UInt32>] = []
        while true {
            if rest.first == UInt8(ascii: "]"), !ranges.isEmpty {
                rest.removeFirst()
                return .oneOf(ranges: ranges, isNegated: isNegated)
            }
            guard let low = classCharacter(&rest) else { return nil }
            var high = low
            if rest.first == UInt8(ascii: "-") {
                rest.removeFirst()
                guard let end = classCharacter(&rest) else { return nil }
                high = end
            }
            // Go accepts an inverted range, which matches nothing.
            if low <= high { ranges.append(low...high) } else { ranges.append(UInt32.max...UInt32.max) }
        }
    }

    private static func classCharacter(_ rest: inout ArraySlice<UInt8>) -> UInt32? {
        guard let first = rest.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "]") else { return nil }
        if first == UInt8(ascii: "\\") {
            rest.removeFirst()
            if rest.isEmpty { return nil }
        }
        let (scalar, length) = GoText.decodeScalar(rest)
        guard let scalar else { return nil }
        rest.removeFirst(length)
        // The class must go on: a closing bracket has to follow somewhere.
        return rest.isEmpty ? nil : scalar.value
    }

    /// Takes time in proportion to pattern times name at worst: only the last run is ever tried again.
    func matches(_ name: [UInt8]) -> Bool {
        var element = 0
        var position = 0
        var retry: (element: Int, position: Int)?
        while true {
            if element < elements.count, elements[element] == .anyRun {
                element += 1
                retry = (element, position)
                continue
            }
            if element == elements.count {
                if position == name.count { return true }
            } else if position < name.count, let length = length(of: elements[element], in: name, at: position) {
                element += 1
                position += length
                continue
            }
            guard let last = retry, last.position < name.count else { return false }
            retry = (last.element, last.position + 1)
            (element, position) = (last.element, last.position + 1)
        }
    }

    /// Bytes that `element` takes at `position`, or nil when it does not match there.
    private func length(of element: Element, in name: [UInt8], at position: Int) -> Int? {
        switch element {
        case .byte(let byte): return name[position] == byte ? 1 : nil
        case .anyRun: return nil
        case .anyCharacter: return GoText.decodeScalar(name[position...]).1
        case .oneOf(let ranges, let isNegated):
            let (scalar, length) = GoText.decodeScalar(name[position...])
            // Bytes that are no UTF-8 count as U+FFFD, as in Go.
            let value = scalar?.value ?? 0xFFFD
            return ranges.contains { $0.contains(value) } != isNegated ? length : nil
        }
    }
}
