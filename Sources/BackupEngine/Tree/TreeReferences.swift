internal import Platform

/// What a tree refers to, without the rest of its nodes: enough to find out which blobs are in use.
struct TreeReferences {
    /// Blobs of its files.
    private(set) var data: [Digest] = []
    /// Trees of its directories.
    private(set) var subtrees: [Digest] = []

    /// Reads a tree blob with the tolerance and the bounds of ``TreeDecoder``.
    init(decoding bytes: [UInt8]) throws(TreeFormatError) {
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
            var isFirstNode = true
            while try cursor.next(isFirst: &isFirstNode, close: UInt8(ascii: "]")) { try readNode(&cursor) }
        }
        if !cursor.isAtEnd() { throw cursor.failure("dữ liệu thừa", "data after the end") }
    }

    private mutating func readNode(_ cursor: inout JSONCursor) throws(TreeFormatError) {
        let firstBlob = data.count
        var subtree: Digest?
        var kind: [UInt8] = []
        try cursor.expect(UInt8(ascii: "{"))
        var isFirst = true
        while try cursor.next(isFirst: &isFirst, close: UInt8(ascii: "}")) {
            switch String(decoding: try cursor.key(), as: UTF8.self) {
            case "type": kind = try cursor.string()
            case "content":
                if try cursor.takeNull() { continue }
                try cursor.expect(UInt8(ascii: "["))
                var isFirstBlob = true
                while try cursor.next(isFirst: &isFirstBlob, close: UInt8(ascii: "]")) { data.append(try cursor.digest()) }
            case "subtree": subtree = try cursor.takeNull() ? nil : try cursor.digest()
            default: try cursor.skipValue()
            }
        }
        // As restic: what other kinds of nodes name is not used.
        if !kind.elementsEqual("file".utf8) { data.removeSubrange(firstBlob...) }
        if kind.elementsEqual("dir".utf8), let subtree { subtrees.append(subtree) }
    }
}
