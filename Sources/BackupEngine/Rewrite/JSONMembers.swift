internal import Platform

/// A JSON object as its members, each value in the bytes it was written in: what nobody changes survives, unknown fields and the
/// offsets of times included.
struct JSONMembers {
    private var members: [(name: [UInt8], value: [UInt8])] = []

    /// - Throws: `TreeFormatError` for anything but one object.
    init(_ bytes: [UInt8]) throws(TreeFormatError) {
        var cursor = JSONCursor(bytes)
        try cursor.expect(UInt8(ascii: "{"))
        var isFirst = true
        while try cursor.next(isFirst: &isFirst, close: UInt8(ascii: "}")) {
            let name = try cursor.key()
            cursor.skipSpace()
            let start = cursor.position
            try cursor.skipValue()
            members.append((name, Array(bytes[start..<cursor.position])))
        }
        if !cursor.isAtEnd() { throw cursor.failure("dữ liệu thừa", "data after the end") }
    }

    /// The value of a member as JSON; nil when it is not there.
    subscript(_ name: String) -> [UInt8]? { members.last { $0.name.elementsEqual(name.utf8) }?.value }

    /// Replaces, adds or (with nil) removes a member.
    ///
    /// - Parameter order: Names in the order of the format: a new member comes right after the last that stands before it there.
    mutating func set(_ name: String, _ value: [UInt8]?, order: [String]) {
        let place = members.firstIndex { $0.name.elementsEqual(name.utf8) }
        members.removeAll { $0.name.elementsEqual(name.utf8) }
        guard let value else { return }
        let before = order.prefix { $0 != name }
        let last = members.lastIndex { member in before.contains { member.name.elementsEqual($0.utf8) } }
        let next = before.count == order.count ? members.count : (last ?? -1) + 1
        members.insert((Array(name.utf8), value), at: place ?? next)
    }

    var bytes: [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "{")]
        for (index, member) in members.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            GoText.appendJSONString(member.name, to: &text)
            text.append(UInt8(ascii: ":"))
            text += member.value
        }
        text.append(UInt8(ascii: "}"))
        return text
    }
}
