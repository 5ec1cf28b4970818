/// Reads one YAML document into a tree.
///
/// The subset is what a person writes by hand: scalars, sequences, mappings with scalar keys. Anchors, aliases (with them every
/// "billion laughs"), tags, duplicate keys and a second document are refused with their line.
package enum YAMLDocument {
    /// Parses `bytes`.
    ///
    /// - Parameters:
    ///   - file: The name for error messages; it is escaped here.
    ///   - limits: Bounds on size, depth and number of values.
    package static func parse(_ bytes: [UInt8], file name: String, limits: YAMLLimits = YAMLLimits()) throws(YAMLError) -> YAMLNode {
        let file = escapedForDisplay(name)
        guard bytes.count <= limits.byteCount else {
            throw YAMLError(
                .limit, file: file, line: 1,
                problem: Phrase(
                    vi: "tệp có \(bytes.count) byte, giới hạn là \(limits.byteCount)",
                    en: "the file has \(bytes.count) bytes, the limit is \(limits.byteCount)"))
        }
        return try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(YAMLError) -> YAMLNode in
            var parser = try unsafe YAMLEventParser(buffer, file: file)
            var builder = YAMLTreeBuilder(file: file, limits: limits)
            while true {
                let (event, position) = try parser.next()
                if case .streamEnd = event { return try builder.finish() }
                try builder.add(event, at: position)
            }
        }
    }
}

/// Grows the tree from events, with an explicit stack: no input can exhaust the thread's stack.
private struct YAMLTreeBuilder {
    /// A sequence or mapping whose end has not come yet. Always changed in place: a copy per key would be quadratic.
    private struct Open {
        let position: YAMLPosition
        let isMapping: Bool
        var items: [YAMLNode] = []
        var entries: [YAMLEntry] = []
        var lineOfKey: [String: Int] = [:]
        var pendingKey: (text: String, position: YAMLPosition)?

        var node: YAMLNode { YAMLNode(isMapping ? .mapping(entries) : .sequence(items), at: position) }
    }

    private let file: String
    private let limits: YAMLLimits
    private var stack: [Open] = []
    private var root: YAMLNode?
    private var nodeCount = 0
    private var documentCount = 0

    init(file: String, limits: YAMLLimits) {
        self.file = file
        self.limits = limits
    }

    mutating func add(_ event: YAMLEvent, at position: YAMLPosition) throws(YAMLError) {
        switch event {
        case .streamStart, .streamEnd, .documentEnd: break
        case .documentStart:
            documentCount += 1
            if documentCount > 1 {
                throw error(
                    .unsupported, position,
                    Phrase(vi: "chỉ được có một tài liệu YAML trong tệp", en: "a second YAML document in the same file"),
                    hint: Phrase(vi: "xóa dòng '---' và phần sau nó", en: "remove the '---' and what follows it"))
            }
        case .alias(let name):
            let name = escapedForDisplay(name)
            throw error(
                .unsupported, position,
                Phrase(vi: "không hỗ trợ tham chiếu '*\(name)'", en: "alias '*\(name)' is not supported"), hint: Self.writeOut)
        case .scalar(let scalar, let properties):
            try check(properties, at: position)
            if scalar.text.utf8.contains(0) {
                throw error(.syntax, position, Phrase(vi: "chuỗi chứa ký tự NUL", en: "the text holds a NUL character"))
            }
            try count(at: position)
            try add(scalar, at: position)
        case .sequenceStart(let properties):
            try open(Open(position: position, isMapping: false), properties)
        case .mappingStart(let properties):
            try open(Open(position: position, isMapping: true), properties)
        case .sequenceEnd, .mappingEnd:
            // libyaml balances its events, so something is open.
            if let closed = stack.popLast() { try add(closed.node) }
        }
    }

    func finish() throws(YAMLError) -> YAMLNode {
        guard let root, !root.isNull else {
            throw YAMLError(.empty, file: file, line: 1, problem: Phrase(vi: "tệp không có nội dung", en: "the file is empty"))
        }
        return root
    }

    /// A scalar is a key when the innermost open mapping waits for one.
    private mutating func add(_ scalar: YAMLScalar, at position: YAMLPosition) throws(YAMLError) {
        guard let top = stack.indices.last, stack[top].isMapping, stack[top].pendingKey == nil else {
            return try add(YAMLNode(.scalar(scalar), at: position))
        }
        if let first = stack[top].lineOfKey.updateValue(position.line, forKey: scalar.text) {
            let key = escapedForDisplay(scalar.text)
            throw error(
                .duplicateKey, position,
                Phrase(
                    vi: "khóa '\(key)' bị lặp lại, lần đầu ở dòng \(first)",
                    en: "key '\(key)' is given twice, first in line \(first)"),
                hint: Phrase(vi: "giữ lại một trong hai", en: "keep one of the two"))
        }
        stack[top].pendingKey = (text: scalar.text, position: position)
    }

    private mutating func add(_ node: YAMLNode) throws(YAMLError) {
        guard let top = stack.indices.last else {
            root = node
            return
        }
        guard stack[top].isMapping else {
            stack[top].items.append(node)
            return
        }
        guard let key = stack[top].pendingKey else {
            throw error(
                .unsupported, node.position, Phrase(vi: "khóa phải là một chuỗi đơn giản", en: "a key must be a plain text"))
        }
        stack[top].entries.append(YAMLEntry(key: key.text, keyPosition: key.position, value: node))
        stack[top].pendingKey = nil
    }

    private mutating func open(_ container: Open, _ properties: YAMLProperties) throws(YAMLError) {
        let position = container.position
        try check(properties, at: position)
        try count(at: position)
        if stack.count >= limits.depth {
            throw error(
                .limit, position,
                Phrase(vi: "lồng nhau quá \(limits.depth) mức", en: "nested deeper than \(limits.depth) levels"))
        }
        stack.append(container)
    }

    private mutating func count(at position: YAMLPosition) throws(YAMLError) {
        nodeCount += 1
        if nodeCount > limits.nodeCount {
            throw error(
                .limit, position, Phrase(vi: "quá \(limits.nodeCount) giá trị", en: "more than \(limits.nodeCount) values"))
        }
    }

    private func check(_ properties: YAMLProperties, at position: YAMLPosition) throws(YAMLError) {
        if let anchor = properties.anchor.map({ escapedForDisplay($0) }) {
            throw error(
                .unsupported, position,
                Phrase(vi: "không hỗ trợ điểm neo '&\(anchor)'", en: "anchor '&\(anchor)' is not supported"), hint: Self.writeOut)
        }
        if let tag = properties.tag.map({ escapedForDisplay($0) }) {
            throw error(
                .unsupported, position, Phrase(vi: "không hỗ trợ thẻ '\(tag)'", en: "tag '\(tag)' is not supported"),
                hint: Phrase(
                    vi: "xóa thẻ; chuỗi bắt đầu bằng '!' phải đặt trong dấu nháy",
                    en: "remove the tag; a text that starts with '!' must be quoted"))
        }
    }

    private static let writeOut = Phrase(
        vi: "viết đầy đủ giá trị; chuỗi bắt đầu bằng '*' hoặc '&' phải đặt trong dấu nháy",
        en: "write the value out; a text that starts with '*' or '&' must be quoted")

    private func error(_ code: YAMLError.Code, _ position: YAMLPosition, _ problem: Phrase, hint: Phrase? = nil) -> YAMLError {
        YAMLError(code, file: file, line: position.line, problem: problem, hint: hint)
    }
}
