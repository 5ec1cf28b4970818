internal import Platform

/// Writes a tree as Go's `encoding/json` writes it, byte for byte: the SHA-256 of these bytes is the tree's ID.
///
/// Field order, omissions and escapes: docs/format.md, "Trees".
package struct TreeEncoder: Sendable {
    private static let header = Array("{\"nodes\":[".utf8)

    private var bytes: [UInt8]
    private var lastName: [UInt8]?
    package private(set) var nodeCount = 0

    package init() { bytes = Self.header }

    /// Adds the next node.
    ///
    /// - Returns: False, and nothing is added, unless the name follows the last one in bytewise order.
    package mutating func append(_ node: Node) -> Bool {
        if let lastName, !lastName.lexicographicallyPrecedes(node.name) { return false }
        if nodeCount > 0 { bytes.append(UInt8(ascii: ",")) }
        Self.append(node, to: &bytes)
        lastName = node.name
        nodeCount += 1
        return true
    }

    /// The finished tree; its SHA-256 is its ID.
    package consuming func finish() -> [UInt8] {
        bytes.append(contentsOf: "]}\n".utf8)
        return bytes
    }

    static func append(_ node: Node, to output: inout [UInt8]) {
        output.append(contentsOf: "{\"name\":".utf8)
        GoText.appendQuotedName(node.name, to: &output)
        output.append(contentsOf: ",\"type\":".utf8)
        GoText.appendJSONString(node.kind.rawValue.utf8, to: &output)
        appendUnlessZero("mode", UInt64(node.mode.rawValue), to: &output)
        output.append(contentsOf: ",\"mtime\":".utf8)
        let start = output.count
        GoTime.appendJSON(node.modified, to: &output)
        let end = output.count
        output.append(contentsOf: ",\"atime\":".utf8)
        if node.accessed == node.modified {
            // Copied first: a slice would hold on to the whole tree, and appending would then copy all of it.
            let text = Array(output[start..<end])
            output.append(contentsOf: text)
        } else {
            GoTime.appendJSON(node.accessed, to: &output)
        }
        output.append(contentsOf: ",\"ctime\":".utf8)
        GoTime.appendJSON(node.changed, to: &output)
        output.append(contentsOf: ",\"uid\":".utf8)
        appendNumber(UInt64(node.uid), to: &output)
        output.append(contentsOf: ",\"gid\":".utf8)
        appendNumber(UInt64(node.gid), to: &output)
        appendUnlessEmpty("user", node.user.utf8, to: &output)
        appendUnlessEmpty("group", node.group.utf8, to: &output)
        appendUnlessZero("inode", node.inode, to: &output)
        appendUnlessZero("device_id", node.deviceID, to: &output)
        appendUnlessZero("size", node.size, to: &output)
        appendUnlessZero("links", node.links, to: &output)
        appendUnlessEmpty("linktarget", node.linkTarget, to: &output)
        if String(validating: node.linkTarget, as: UTF8.self) == nil {
            output.append(contentsOf: ",\"linktarget_raw\":".utf8)
            appendBase64(node.linkTarget, to: &output)
        }
        if !node.extendedAttributes.isEmpty { append(node.extendedAttributes, to: &output) }
        appendUnlessZero("device", node.device, to: &output)
        output.append(contentsOf: ",\"content\":".utf8)
        if let content = node.content {
            append(content, to: &output)
        } else {
            output.append(contentsOf: "null".utf8)
        }
        if let subtree = node.subtree {
            output.append(contentsOf: ",\"subtree\":".utf8)
            append(subtree, to: &output)
        }
        appendUnlessEmpty("error", node.error.utf8, to: &output)
        output.append(UInt8(ascii: "}"))
    }

    private static func append(_ attributes: [ExtendedAttribute], to output: inout [UInt8]) {
        output.append(contentsOf: ",\"extended_attributes\":[".utf8)
        for (index, attribute) in attributes.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: "{\"name\":".utf8)
            GoText.appendJSONString(attribute.name, to: &output)
            output.append(contentsOf: ",\"value\":".utf8)
            appendBase64(attribute.value, to: &output)
            output.append(UInt8(ascii: "}"))
        }
        output.append(UInt8(ascii: "]"))
    }

    private static func append(_ content: [Digest], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        for (index, id) in content.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            append(id, to: &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    private static func append(_ id: Digest, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        id.appendHex(to: &output)
        output.append(UInt8(ascii: "\""))
    }

    private static func appendKey(_ key: StaticString, to output: inout [UInt8]) {
        output.append(contentsOf: ",\"".utf8)
        key.withUTF8Buffer { unsafe output.append(contentsOf: $0) }
        output.append(contentsOf: "\":".utf8)
    }

    private static func appendUnlessZero(_ key: StaticString, _ value: UInt64, to output: inout [UInt8]) {
        if value == 0 { return }
        appendKey(key, to: &output)
        appendNumber(value, to: &output)
    }

    private static func appendUnlessEmpty(_ key: StaticString, _ text: some Collection<UInt8>, to output: inout [UInt8]) {
        if text.isEmpty { return }
        appendKey(key, to: &output)
        GoText.appendJSONString(text, to: &output)
    }

    private static func appendBase64(_ value: [UInt8], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        Base64.append(value, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    private static func appendNumber(_ value: UInt64, to output: inout [UInt8]) {
        var scale: UInt64 = 1
        while value / scale >= 10 { scale *= 10 }
        while scale > 0 {
            output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / scale % 10))
            scale /= 10
        }
    }
}
