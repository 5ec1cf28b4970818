internal import Platform

/// A tree blob with the places of its nodes: what is not changed keeps its bytes.
struct RawTree {
    struct Entry {
        let name: [UInt8]
        /// The word in the tree; empty for none.
        let kind: [UInt8]
        let size: UInt64
        /// nil for `null` and when it is not there.
        let content: [Digest]?
        let subtree: Digest?
        /// The whole node, brackets included.
        fileprivate(set) var range: Range<Int>
        fileprivate var sizeRange: Range<Int>?
        fileprivate var contentRange: Range<Int>?
        fileprivate var subtreeRange: Range<Int>?

        var isDirectory: Bool { kind.elementsEqual("dir".utf8) }
        var isFile: Bool { kind.elementsEqual("file".utf8) }
        /// False for the types that `check` refuses.
        var hasValidKind: Bool { !kind.isEmpty && !kind.elementsEqual("irregular".utf8) }
    }

    private let bytes: [UInt8]
    private(set) var entries: [Entry] = []
    /// Where the nodes stand between their brackets; nil when the tree has no array of nodes.
    private var body: Range<Int>?

    init(decoding bytes: [UInt8]) throws(TreeFormatError) {
        self.bytes = bytes
        var cursor = JSONCursor(bytes)
        if bytes.count > TreeDecoder.maximumBytes { throw cursor.failure("quá lớn", "too large") }
        try cursor.expect(UInt8(ascii: "{"))
        var isFirst = true
        while try cursor.next(isFirst: &isFirst, close: UInt8(ascii: "}")) {
            guard try cursor.key().elementsEqual("nodes".utf8) else {
                try cursor.skipValue()
                continue
            }
            if try cursor.takeNull() { continue }
            try cursor.expect(UInt8(ascii: "["))
            let start = cursor.position
            var isFirstNode = true
            while try cursor.next(isFirst: &isFirstNode, close: UInt8(ascii: "]")) {
                if entries.count == TreeDecoder.maximumNodes { throw cursor.failure("quá nhiều mục", "too many nodes") }
                entries.append(try Self.entry(&cursor))
            }
            body = start..<cursor.position - 1
        }
        if !cursor.isAtEnd() { throw cursor.failure("dữ liệu thừa", "data after the end") }
    }

    private static func entry(_ cursor: inout JSONCursor) throws(TreeFormatError) -> Entry {
        cursor.skipSpace()
        let start = cursor.position
        var (name, kind): ([UInt8], [UInt8]) = ([], [])
        var size: UInt64 = 0
        var content: [Digest]?
        var subtree: Digest?
        var (sizeRange, contentRange, subtreeRange): (Range<Int>?, Range<Int>?, Range<Int>?)
        try cursor.expect(UInt8(ascii: "{"))
        var isFirst = true
        while try cursor.next(isFirst: &isFirst, close: UInt8(ascii: "}")) {
            let key = String(decoding: try cursor.key(), as: UTF8.self)
            cursor.skipSpace()
            let value = cursor.position
            switch key {
            case "name":
                guard let unquoted = GoText.unquote(try cursor.string()) else { throw cursor.failure("tên có ký tự thoát sai", "name with a wrong escape") }
                name = unquoted
            case "type": kind = try cursor.string()
            case "size":
                size = try cursor.number()
                sizeRange = value..<cursor.position
            case "content":
                content = try digests(&cursor)
                contentRange = value..<cursor.position
            case "subtree":
                subtree = try cursor.takeNull() ? nil : try cursor.digest()
                subtreeRange = value..<cursor.position
            default: try cursor.skipValue()
            }
        }
        return Entry(
            name: name, kind: kind, size: size, content: content, subtree: subtree, range: start..<cursor.position, sizeRange: sizeRange,
            contentRange: contentRange, subtreeRange: subtreeRange)
    }

    private static func digests(_ cursor: inout JSONCursor) throws(TreeFormatError) -> [Digest]? {
        if try cursor.takeNull() { return nil }
        try cursor.expect(UInt8(ascii: "["))
        var result: [Digest] = []
        var isFirst = true
        while try cursor.next(isFirst: &isFirst, close: UInt8(ascii: "]")) { result.append(try cursor.digest()) }
        return result
    }

    // MARK: Changed nodes

    /// The bytes of a node as they are.
    func bytes(of entry: Entry) -> [UInt8] { Array(bytes[entry.range]) }

    /// A directory with another tree.
    func bytes(of entry: Entry, subtree: Digest) -> [UInt8] {
        var value: [UInt8] = [UInt8(ascii: "\"")]
        subtree.appendHex(to: &value)
        value.append(UInt8(ascii: "\""))
        return replacing(entry, [("subtree", entry.subtreeRange, value)])
    }

    /// A file with other content. A size of 0 is no member, as Go writes it.
    func bytes(of entry: Entry, content: [Digest], size: UInt64) -> [UInt8] {
        var list: [UInt8] = [UInt8(ascii: "[")]
        for (index, id) in content.enumerated() {
            if index > 0 { list.append(UInt8(ascii: ",")) }
            list.append(UInt8(ascii: "\""))
            id.appendHex(to: &list)
            list.append(UInt8(ascii: "\""))
        }
        list.append(UInt8(ascii: "]"))
        var changes: [(String, Range<Int>?, [UInt8])] = [("content", entry.contentRange, list)]
        if entry.sizeRange != nil || size != 0 { changes.append(("size", entry.sizeRange, Array(String(size).utf8))) }
        return replacing(entry, changes)
    }

    /// Members that the node lacks are added at its end.
    private func replacing(_ entry: Entry, _ changes: [(name: String, range: Range<Int>?, value: [UInt8])]) -> [UInt8] {
        var result: [UInt8] = []
        var position = entry.range.lowerBound
        for change in changes.sorted(by: { ($0.range?.lowerBound ?? .max) < ($1.range?.lowerBound ?? .max) }) {
            guard let range = change.range else { continue }
            result += bytes[position..<range.lowerBound]
            result += change.value
            position = range.upperBound
        }
        let end = entry.range.upperBound - 1
        result += bytes[position..<end]
        for change in changes where change.range == nil {
            result += Array(",\"\(change.name)\":".utf8)
            result += change.value
        }
        result.append(UInt8(ascii: "}"))
        return result
    }

    /// The tree with these nodes instead of its own; what stands around them stays.
    func rebuilt(_ nodes: [[UInt8]]) -> [UInt8] {
        guard let body else { return Self.empty }
        var result = Array(bytes[..<body.lowerBound])
        for (index, node) in nodes.enumerated() {
            if index > 0 { result.append(UInt8(ascii: ",")) }
            result += node
        }
        result += bytes[body.upperBound...]
        return result
    }

    /// A tree without nodes.
    static let empty = Array("{\"nodes\":[]}\n".utf8)
}
