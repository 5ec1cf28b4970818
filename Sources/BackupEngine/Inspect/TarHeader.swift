internal import Platform

/// One entry of a tar archive: a ustar header, preceded by a pax header for what ustar cannot say (POSIX.1-2001).
enum TarHeader {
    static let blockBytes = 512
    /// Two blocks of zeros.
    static let end = [UInt8](repeating: 0, count: 2 * blockBytes)

    /// Zeros that fill the last block of a content.
    static func padding(_ size: UInt64) -> [UInt8] {
        [UInt8](repeating: 0, count: (blockBytes - Int(size % UInt64(blockBytes))) % blockBytes)
    }

    /// The header of an entry.
    ///
    /// - Parameter name: Relative, with a slash at the end of a directory.
    static func bytes(_ name: [UInt8], _ node: Node) -> [UInt8] {
        var records: [(key: String, value: [UInt8])] = []
        let size = node.kind == .file ? node.size : 0
        let target = node.kind == .symlink ? node.linkTarget : []
        func needsRecord(_ text: [UInt8], _ limit: Int) -> Bool { text.count > limit || text.contains { $0 >= 0x80 } }
        if needsRecord(name, 100) { records.append(("path", name)) }
        if needsRecord(target, 100) { records.append(("linkpath", target)) }
        if size > 0o77777777777 { records.append(("size", Array(String(size).utf8))) }
        if node.uid > 0o7777777 { records.append(("uid", Array(String(node.uid).utf8))) }
        if node.gid > 0o7777777 { records.append(("gid", Array(String(node.gid).utf8))) }
        if needsRecord(Array(node.user.utf8), 32) { records.append(("uname", Array(node.user.utf8))) }
        if needsRecord(Array(node.group.utf8), 32) { records.append(("gname", Array(node.group.utf8))) }
        let modified = node.modified == Node.unsetTime ? Timestamp(seconds: 0) : node.modified
        if modified.seconds < 0 || modified.seconds > 0o77777777777 || modified.nanoseconds != 0 {
            records.append(("mtime", Array(seconds(modified).utf8)))
        }
        for attribute in node.extendedAttributes {
            switch String(decoding: attribute.name, as: UTF8.self) {
            case "system.posix_acl_access": if let text = PosixACL.text(attribute.value) { records.append(("SCHILY.acl.access", text)) }
            case "system.posix_acl_default": if let text = PosixACL.text(attribute.value) { records.append(("SCHILY.acl.default", text)) }
            case let name: records.append(("SCHILY.xattr." + name, attribute.value))
            }
        }
        var result: [UInt8] = []
        if !records.isEmpty {
            let body = records.flatMap { record($0.key, $0.value) }
            var header = Block()
            header.set(0, 100, Array("PaxHeaders.0/entry".utf8))
            header.octal(100, 8, 0o644)
            header.octal(108, 8, 0)
            header.octal(116, 8, 0)
            header.octal(124, 12, UInt64(body.count))
            header.octal(136, 12, 0)
            result += header.finished(type: "x") + body + padding(UInt64(body.count))
        }
        var header = Block()
        header.set(0, 100, Array(name.prefix(100)))
        header.octal(100, 8, UInt64(node.mode.permissions))
        header.octal(108, 8, UInt64(node.uid) & 0o7777777)
        header.octal(116, 8, UInt64(node.gid) & 0o7777777)
        header.octal(124, 12, size > 0o77777777777 ? 0 : size)
        header.octal(136, 12, UInt64(min(max(modified.seconds, 0), 0o77777777777)))
        header.set(157, 100, Array(target.prefix(100)))
        header.set(265, 32, Array(Array(node.user.utf8).prefix(32)))
        header.set(297, 32, Array(Array(node.group.utf8).prefix(32)))
        let type: Unicode.Scalar
        switch node.kind {
        case .dir: type = "5"
        case .symlink: type = "2"
        case .fifo: type = "6"
        case .chardev, .dev:
            type = node.kind == .dev ? "4" : "3"
            header.octal(329, 8, UInt64(DeviceNumber.major(node.device)))
            header.octal(337, 8, UInt64(DeviceNumber.minor(node.device)))
        default: type = "0"
        }
        return result + header.finished(type: type)
    }

    /// Decimal seconds with a fraction, also before 1970: -0.5 is half a second before.
    private static func seconds(_ moment: Timestamp) -> String {
        let isNegative = moment.seconds < 0
        var whole = moment.seconds.magnitude
        var fraction = UInt64(moment.nanoseconds)
        if isNegative && fraction > 0 {
            whole -= 1
            fraction = 1_000_000_000 - fraction
        }
        var text = (isNegative ? "-" : "") + String(whole)
        if fraction > 0 {
            var digits = String(fraction)
            digits = String(repeating: "0", count: 9 - digits.count) + digits
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        return text
    }

    /// `LENGTH KEY=VALUE\n`, where the length counts itself.
    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = key.utf8.count + value.count + 3
        var length = rest + String(rest).count
        if rest + String(length).count != length { length = rest + String(length).count }
        return Array("\(length) \(key)=".utf8) + value + [UInt8(ascii: "\n")]
    }

    private struct Block {
        private var bytes = [UInt8](repeating: 0, count: blockBytes)

        mutating func set(_ offset: Int, _ width: Int, _ value: [UInt8]) {
            for (index, byte) in value.prefix(width).enumerated() { bytes[offset + index] = byte }
        }

        /// Octal digits and a NUL.
        mutating func octal(_ offset: Int, _ width: Int, _ value: UInt64) {
            let digits = String(value, radix: 8)
            set(offset, width - 1, Array((String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits).utf8))
        }

        func finished(type: Unicode.Scalar) -> [UInt8] {
            var block = self
            block.set(156, 1, [UInt8(truncatingIfNeeded: type.value)])
            block.set(257, 8, Array("ustar\u{0}00".utf8))
            block.set(148, 8, Array(repeating: UInt8(ascii: " "), count: 8))
            let sum = block.bytes.reduce(0) { $0 + UInt64($1) }
            block.octal(148, 7, sum)
            block.bytes[154] = 0
            return block.bytes
        }
    }
}

/// POSIX ACLs in the kernel's binary layout (version 2: entries of tag, permissions, id) as text.
enum PosixACL {
    /// - Returns: nil for what is no such list.
    static func text(_ value: [UInt8]) -> [UInt8]? {
        func number(_ offset: Int, _ count: Int) -> UInt32 { value[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        guard value.count >= 4, (value.count - 4) % 8 == 0, number(0, 4) == 2 else { return nil }
        var result = ""
        for offset in stride(from: 4, to: value.count, by: 8) {
            let id = number(offset + 4, 4)
            switch number(offset, 2) {
            case 0x01: result += "user:"
            case 0x02: result += "user:\(id)"
            case 0x04: result += "group:"
            case 0x08: result += "group:\(id)"
            case 0x10: result += "mask:"
            case 0x20: result += "other:"
            default: return nil
            }
            let permissions = number(offset + 2, 2)
            result += ":" + (permissions & 4 != 0 ? "r" : "-") + (permissions & 2 != 0 ? "w" : "-") + (permissions & 1 != 0 ? "x" : "-") + "\n"
        }
        return Array(result.utf8)
    }
}

/// The two halves of `st_rdev`, in the encoding of Linux.
enum DeviceNumber {
    static func major(_ device: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: device >> 8 & 0xFFF | device >> 32 & 0xFFFF_F000) }
    static func minor(_ device: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: device & 0xFF | device >> 12 & 0xFFFF_FF00) }
}
