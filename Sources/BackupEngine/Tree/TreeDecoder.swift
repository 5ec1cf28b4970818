internal import Platform

/// Reads the nodes of a tree one after the other, so that a directory of a million files needs no million nodes in memory.
///
/// Tolerant as restic is: unknown keys, missing times and owners, upper-case IDs, a missing last newline. Bounded: no recursion,
/// at most ``maximumNodes`` nodes and ``maximumBytes`` bytes, whole numbers as 64 bits without floating point.
package struct TreeDecoder {
    /// One directory is one blob, so this bounds the memory of one directory, not of a backup.
    package static let maximumBytes = 1 << 30
    package static let maximumNodes = 1 << 22
    static let maximumAttributes = 1 << 12

    private var cursor: JSONCursor
    private var state = State.beforeNodes
    private var isFirst = true
    private var isFirstMember = true
    private var count = 0

    private enum State { case beforeNodes, inNodes, finished }

    package init(_ bytes: [UInt8]) throws(TreeFormatError) {
        cursor = JSONCursor(bytes)
        if bytes.count > Self.maximumBytes { throw cursor.failure("quá lớn", "too large") }
        try cursor.expect(UInt8(ascii: "{"))
    }

    /// The next node, or nil after the last one, when the rest of the tree has been checked too.
    package mutating func next() throws(TreeFormatError) -> Node? {
        while true {
            switch state {
            case .finished: return nil
            case .beforeNodes:
                guard try cursor.next(isFirst: &isFirstMember, close: UInt8(ascii: "}")) else {
                    if !cursor.isAtEnd() { throw cursor.failure("dữ liệu thừa", "data after the end") }
                    state = .finished
                    continue
                }
                if try cursor.key() != Array("nodes".utf8) {
                    try cursor.skipValue()
                } else if !(try cursor.takeNull()) {
                    try cursor.expect(UInt8(ascii: "["))
                    isFirst = true
                    state = .inNodes
                }
            case .inNodes:
                if try cursor.next(isFirst: &isFirst, close: UInt8(ascii: "]")) {
                    count += 1
                    if count > Self.maximumNodes { throw cursor.failure("quá nhiều mục", "too many nodes") }
                    return try node()
                }
                state = .beforeNodes
            }
        }
    }

    private mutating func node() throws(TreeFormatError) -> Node {
        var node = Node(name: [], kind: .unknown)
        var rawTarget: [UInt8]?
        try cursor.expect(UInt8(ascii: "{"))
        var isFirst = true
        while try cursor.next(isFirst: &isFirst, close: UInt8(ascii: "}")) {
            let key = try cursor.key()
            switch String(decoding: key, as: UTF8.self) {
            case "name":
                guard let name = GoText.unquote(try cursor.string()) else {
                    throw cursor.failure("tên có ký tự thoát sai", "name with a wrong escape")
                }
                node.name = name
            case "type": node.kind = Node.Kind(rawValue: String(decoding: try cursor.string(), as: UTF8.self)) ?? .unknown
            case "mode": node.mode = FileMode(rawValue: try cursor.number32())
            case "mtime": node.modified = try time()
            case "atime": node.accessed = try time()
            case "ctime": node.changed = try time()
            case "uid": node.uid = try cursor.number32()
            case "gid": node.gid = try cursor.number32()
            case "user": node.user = String(decoding: try cursor.string(), as: UTF8.self)
            case "group": node.group = String(decoding: try cursor.string(), as: UTF8.self)
            case "inode": node.inode = try cursor.number()
            case "device_id": node.deviceID = try cursor.number()
            case "size": node.size = try cursor.number()
            case "links": node.links = try cursor.number()
            case "linktarget": node.linkTarget = try cursor.string()
            case "linktarget_raw":
                let raw = try base64()
                rawTarget = raw.isEmpty ? nil : raw
            case "extended_attributes": node.extendedAttributes = try attributes()
            case "device": node.device = try cursor.number()
            case "content": node.content = try content()
            case "subtree": node.subtree = try cursor.takeNull() ? nil : try cursor.digest()
            case "error": node.error = String(decoding: try cursor.string(), as: UTF8.self)
            default: try cursor.skipValue()
            }
        }
        if let rawTarget { node.linkTarget = rawTarget }
        return node
    }

    private mutating func time() throws(TreeFormatError) -> Timestamp {
        let text = try cursor.string()
        if text.isEmpty { return Node.unsetTime }
        guard let moment = Timestamp(rfc3339: String(decoding: text, as: UTF8.self)) else {
            throw cursor.failure("thời điểm không hợp lệ", "invalid time")
        }
        return moment
    }

    private mutating func base64() throws(TreeFormatError) -> [UInt8] {
        guard let value = Base64.decode(String(decoding: try cursor.string(), as: UTF8.self)) else {
            throw cursor.failure("base64 không hợp lệ", "invalid base64")
        }
        return value
    }

    private mutating func content() throws(TreeFormatError) -> [Digest]? {
        if try cursor.takeNull() { return nil }
        try cursor.expect(UInt8(ascii: "["))
        var result: [Digest] = []
        var isFirst = true
        while try cursor.next(isFirst: &isFirst, close: UInt8(ascii: "]")) { result.append(try cursor.digest()) }
        return result
    }

    private mutating func attributes() throws(TreeFormatError) -> [ExtendedAttribute] {
        if try cursor.takeNull() { return [] }
        try cursor.expect(UInt8(ascii: "["))
        var result: [ExtendedAttribute] = []
        var isFirst = true
        while try cursor.next(isFirst: &isFirst, close: UInt8(ascii: "]")) {
            if result.count == Self.maximumAttributes { throw cursor.failure("quá nhiều thuộc tính mở rộng", "too many extended attributes") }
            var attribute = ExtendedAttribute(name: [], value: [])
            try cursor.expect(UInt8(ascii: "{"))
            var isFirstMember = true
            while try cursor.next(isFirst: &isFirstMember, close: UInt8(ascii: "}")) {
                switch String(decoding: try cursor.key(), as: UTF8.self) {
                case "name": attribute.name = try cursor.string()
                case "value": attribute.value = try base64()
                default: try cursor.skipValue()
                }
            }
            result.append(attribute)
        }
        return result
    }
}
