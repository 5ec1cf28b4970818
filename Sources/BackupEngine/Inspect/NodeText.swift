package import Platform

/// Entries of a snapshot in the forms in which restic prints them.
package enum NodeText {
    /// `-rw-r--r--`, `dtrwxrwxrwx`, `Lrwxrwxrwx`: Go's `os.FileMode.String`.
    package static func permissions(_ mode: FileMode) -> String {
        var text = ""
        for (index, letter) in "dalTLDpSugct?".enumerated() where mode.rawValue & 1 << UInt32(31 - index) != 0 { text.append(letter) }
        if text.isEmpty { text = "-" }
        for (index, letter) in "rwxrwxrwx".enumerated() { text.append(mode.rawValue & 1 << UInt32(8 - index) != 0 ? letter : "-") }
        return text
    }

    /// The mode with the bits of the type, which trees of old versions may lack.
    private static func completeMode(_ node: Node) -> FileMode {
        let type: UInt32 =
            switch node.kind {
            case .dir: FileMode.directory
            case .symlink: FileMode.symlink
            case .dev: FileMode.device
            case .chardev: FileMode.device | FileMode.characterDevice
            case .fifo: FileMode.fifo
            case .socket: FileMode.socket
            case .file, .irregular, .unknown: 0
            }
        return FileMode(rawValue: node.mode.rawValue | type)
    }

    /// One line of `ls -l` and `find -l`.
    ///
    /// - Parameter size: The size as it is to be shown.
    package static func long(_ path: FilePath, _ node: Node, size: String) -> String {
        func padded(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
        let target = node.kind == .symlink ? " -> \(FilePath(bytes: node.linkTarget))" : ""
        let time = CivilTime(local: node.modified).display.prefix(19)
        return "\(permissions(completeMode(node))) \(padded(String(node.uid), 5)) \(padded(String(node.gid), 5)) \(padded(size, 6)) \(time) \(path)\(target)"
    }

    /// One line of `ls --json`; `path_b64` is added where the path is no UTF-8.
    package static func listing(_ path: FilePath, _ node: Node) -> String {
        var text = JSONText()
        text.beginObject()
        text.key("name")
        text.string(node.name)
        text.key("type")
        text.string(node.kind.rawValue)
        text.key("path")
        text.string(path.bytes)
        text.key("uid")
        text.number(UInt64(node.uid))
        text.key("gid")
        text.number(UInt64(node.gid))
        // Always for files, even when empty, never for others.
        if node.kind == .file { text.member("size", node.size) }
        text.memberUnlessZero("mode", UInt64(node.mode.rawValue))
        text.key("permissions")
        text.string(permissions(node.mode))
        times(node, &text)
        text.memberUnlessZero("inode", node.inode)
        text.key("message_type")
        text.string("node")
        text.key("struct_type")
        text.string("node")
        if path.utf8 == nil {
            text.key("path_b64")
            text.base64(path.bytes)
        }
        text.endObject()
        return String(decoding: text.bytes, as: UTF8.self)
    }

    /// One element of `matches` in `find --json`.
    package static func match(_ path: FilePath, _ node: Node) -> String {
        var text = JSONText()
        text.beginObject()
        text.key("path")
        text.string(path.bytes)
        text.key("permissions")
        text.string(permissions(node.mode))
        text.key("type")
        text.string(node.kind.rawValue)
        text.memberUnlessZero("mode", UInt64(node.mode.rawValue))
        times(node, &text)
        text.member("uid", UInt64(node.uid))
        text.member("gid", UInt64(node.gid))
        if !node.user.isEmpty {
            text.key("user")
            text.string(node.user)
        }
        if !node.group.isEmpty {
            text.key("group")
            text.string(node.group)
        }
        text.memberUnlessZero("inode", node.inode)
        text.memberUnlessZero("device_id", node.deviceID)
        text.memberUnlessZero("size", node.size)
        text.memberUnlessZero("links", node.links)
        if node.kind == .symlink {
            text.key("linktarget")
            text.string(node.linkTarget)
        }
        if path.utf8 == nil {
            text.key("path_b64")
            text.base64(path.bytes)
        }
        text.endObject()
        return String(decoding: text.bytes, as: UTF8.self)
    }

    /// The first line of `ls --json`: the snapshot, with what is listed.
    package static func snapshot(_ snapshot: Snapshot) -> String {
        element(snapshot, with: [("message_type", "snapshot"), ("struct_type", "snapshot")])
    }

    /// One element of `snapshots --json`: the fields of the file, then `id` and `short_id`.
    package static func element(_ snapshot: Snapshot) -> String { element(snapshot, with: []) }

    private static func element(_ snapshot: Snapshot, with members: [(StaticString, String)]) -> String {
        var rest = JSONText()
        rest.beginObject()
        rest.key("id")
        rest.digest(snapshot.id)
        for (key, value) in [("short_id", snapshot.id.short)] + members {
            rest.key(key)
            rest.string(value)
        }
        rest.endObject()
        // Both are objects: the end of one and the start of the other become a comma.
        return String(decoding: SnapshotFile.encode(snapshot).dropLast() + [UInt8(ascii: ",")] + rest.bytes.dropFirst(), as: UTF8.self)
    }

    private static func times(_ node: Node, _ text: inout JSONText) {
        text.key("mtime")
        text.nodeTime(node.modified)
        text.key("atime")
        text.nodeTime(node.accessed)
        text.key("ctime")
        text.nodeTime(node.changed)
    }
}

extension JSONText {
    mutating func member(_ name: StaticString, _ value: UInt64) {
        key(name)
        number(value)
    }

    mutating func memberUnlessZero(_ name: StaticString, _ value: UInt64) {
        if value != 0 { member(name, value) }
    }
}

extension FilePath {
    /// For comparisons that ignore case: by Unicode's rules where a name is text, else by those of ASCII.
    package var lowercased: FilePath { FilePath(bytes: PathSelection.lowercased(bytes)) }
}
