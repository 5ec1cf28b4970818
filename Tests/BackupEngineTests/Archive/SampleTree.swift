import Glibc
import Platform
import TestSupport

@testable import BackupEngine

/// A directory with one of everything a file system can hold, for round trips.
enum SampleTree {
    /// Names that quoting, sorting and escaping stumble over.
    static let names: [[UInt8]] = [
        Array("plain".utf8), Array("with space".utf8), Array("new\nline".utf8), Array("quote\"s and \\ back".utf8), [0x62, 0xFF, 0x65],
        Array("nbsp\u{A0}".utf8), Array("private\u{E000}\u{F0000}".utf8), Array("Phường Đống Đa 😀".utf8), Array("<&>".utf8),
        Array("-rf".utf8), Array("*?[a]".utf8), [1, 0x7F, 0x1B], [0xC3], Array(String(repeating: "x", count: 255).utf8),
    ]

    /// Makes the tree below `root`, which must not exist.
    ///
    /// - Parameters:
    ///   - random: Content; a few MB so that files are cut.
    ///   - isForRestic014: Without attributes of symbolic links: restic 0.14 does not store them, and restores them to what the link
    ///     points at. Later versions do as we do.
    static func make(at root: FilePath, _ random: inout SeededRandom, isForRestic014: Bool = false) throws {
        try DurableFiles.makeDirectories(root)
        let top = try FileDescriptor.open(root, O_RDONLY | O_DIRECTORY)
        for name in names { try write(name, Array("content of a name".utf8), in: top) }
        try write("empty", [], in: top)
        try write("one", [7], in: top)
        try write("large", random.bytes(5 << 20), in: top)
        try write("large twin", random.bytes(100), in: top)
        try write("zeros", [UInt8](repeating: 0, count: 1_300_000), in: top)
        try write("secret", Array("000".utf8), in: top, permissions: 0)
        try write("setuid", Array("#!".utf8), in: top, permissions: 0o6755)
        try writeSparse("sparse", in: top)
        try top.makeSymlink(Array("link".utf8), target: Array("plain".utf8))
        try top.makeSymlink(Array("dangling".utf8), target: Array("/nowhere/\u{1F600}".utf8))
        try top.makeSymlink(Array("escape".utf8), target: Array("/etc".utf8))
        try top.makeSpecialFile(Array("pipe".utf8), kind: .fifo, mode: 0o640, device: 0)
        if isRoot {
            try top.makeSpecialFile(Array("null".utf8), kind: .characterDevice, mode: 0o666, device: 259)
            try top.makeSpecialFile(Array("loop".utf8), kind: .blockDevice, mode: 0o660, device: 1792)
            try top.setOwnerOfEntry(Array("one".utf8), uid: 12345, gid: 54321)
            try top.setOwnerOfEntry(Array("link".utf8), uid: 12345, gid: 0)
        }
        try makeSocket(root / "socket")
        for name in ["empty directory", "sticky", "nested"] { try top.makeDirectory(Array(name.utf8), mode: 0o755) }
        try top.openEntry(Array("sticky".utf8), O_RDONLY | O_DIRECTORY).setPermissions(0o3777)
        let nested = try top.openEntry(Array("nested".utf8), O_RDONLY | O_DIRECTORY)
        try nested.makeDirectory(Array("deeper".utf8), mode: 0o700)
        let deeper = try nested.openEntry(Array("deeper".utf8), O_RDONLY | O_DIRECTORY)
        try write("file", random.bytes(70_000), in: deeper)
        try deeper.makeHardLink(Array("second name".utf8), to: Array("large".utf8), in: top)
        try nested.makeHardLink(Array("third name".utf8), to: Array("large".utf8), in: top)
        for index in 0..<300 { try write("many-\(index)", random.bytes(index), in: nested) }
        try setAttributes(top)
        if isRoot && !isForRestic014 {
            try ExtendedAttributes.set(Array("trusted.link".utf8), to: [1], ofEntry: Array("link".utf8), in: top)
        }
        // Times last, deepest first: every change above touches a directory.
        try setTime("file", "1965-05-05T00:00:00.5Z", in: deeper)
        try setTime("deeper", "2001-02-03T04:05:06.000000007Z", in: nested)
        try setTime("nested", "2020-06-30T23:59:59Z", in: top)
        try setTime("link", "2003-03-03T03:03:03.123Z", in: top)
        // Not before 1935: the offsets of some zones then had seconds, which RFC 3339 cannot say and restic loses.
        try setTime("plain", "1951-12-13T20:45:52Z", in: top)
        try setTime("pipe", "2030-01-01T00:00:00Z", in: top)
        try top.setTimes(accessed: Timestamp(seconds: 1_500_000_000), modified: Timestamp(seconds: 1_600_000_000, nanoseconds: 1))
    }

    private static func write(
        _ name: String, _ bytes: [UInt8], in directory: borrowing FileDescriptor, permissions: UInt32 = 0o644
    ) throws {
        try write(Array(name.utf8), bytes, in: directory, permissions: permissions)
    }

    private static func write(
        _ name: [UInt8], _ bytes: [UInt8], in directory: borrowing FileDescriptor, permissions: UInt32 = 0o644
    ) throws {
        let file = try directory.openEntry(name, O_WRONLY | O_CREAT | O_EXCL)
        try file.writeAll(bytes, path: "")
        try file.setPermissions(permissions)
    }

    private static func writeSparse(_ name: String, in directory: borrowing FileDescriptor) throws {
        let file = try directory.openEntry(Array(name.utf8), O_WRONLY | O_CREAT | O_EXCL)
        try file.resize(to: 3 << 20)
        let end = try directory.openEntry(Array(name.utf8), O_WRONLY | O_APPEND)
        try end.writeAll(Array("middle".utf8), path: "")
        try file.resize(to: 6 << 20)
    }

    private static func setTime(_ name: String, _ text: String, in directory: borrowing FileDescriptor) throws {
        let moment = Timestamp(rfc3339: text)!
        try directory.setTimesOfEntry(Array(name.utf8), accessed: moment, modified: moment)
    }

    private static func setAttributes(_ top: borrowing FileDescriptor) throws {
        try ExtendedAttributes.set(Array("user.origin".utf8), to: Array("Đội ứng cứu".utf8), ofEntry: Array("plain".utf8), in: top)
        try ExtendedAttributes.set(Array("user.empty".utf8), to: [], ofEntry: Array("plain".utf8), in: top)
        try ExtendedAttributes.set(Array("user.binary".utf8), to: [0, 255, 10], ofEntry: Array("nested".utf8), in: top)
        if isRoot {
            // rw-rw----+ with one named user, in the kernel's layout: version 2, entries of tag, permissions and id.
            let acl: [UInt8] =
                [2, 0, 0, 0] + entry(1, 6, nil) + entry(2, 6, 1000) + entry(4, 4, nil) + entry(16, 6, nil) + entry(32, 0, nil)
            try ExtendedAttributes.set(Array("system.posix_acl_access".utf8), to: acl, ofEntry: Array("one".utf8), in: top)
            try ExtendedAttributes.set(
                Array("system.posix_acl_default".utf8), to: acl, ofEntry: Array("empty directory".utf8), in: top)
        }
    }

    private static func entry(_ tag: UInt8, _ permissions: UInt8, _ id: UInt32?) -> [UInt8] {
        let id = id ?? .max
        return [tag, 0, permissions, 0] + (0..<4).map { UInt8(truncatingIfNeeded: id >> UInt32(8 * $0)) }
    }

    private static func makeSocket(_ path: FilePath) throws {
        let socket = FileDescriptor(owning: Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            for (index, byte) in path.bytes.prefix(buffer.count - 1).enumerated() { unsafe buffer[index] = byte }
        }
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket.raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if status != 0 { throw SystemError("bind", EINVAL, path: path) }
    }
}

/// Everything about the entries of a directory that a restore must bring back, one line per entry.
struct TreeDescription: Equatable, CustomStringConvertible {
    private(set) var lines: [String] = []

    /// - Parameter root: Its own metadata is left out.
    init(_ root: FilePath) throws {
        var links: [UInt64: String] = [:]
        try describe(try FileDescriptor.open(root, O_RDONLY | O_DIRECTORY), "", &links)
    }

    private mutating func describe(
        _ directory: borrowing FileDescriptor, _ prefix: String, _ links: inout [UInt64: String]
    ) throws {
        for name in try directory.sortedNames(limit: 1 << 20) {
            let status = try directory.statusOfEntry(name)
            if status.kind == .socket { continue }
            let path = "\(prefix)/\(escapedForDisplay(name))"
            var line = "\(path) \(status.kind) \(String(status.mode, radix: 8)) \(status.uid):\(status.gid) \(status.modified.rfc3339UTC)"
            for attribute in try ExtendedAttributes.all(ofEntry: name, in: directory).sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
                line += " \(escapedForDisplay(attribute.name))=\(hexText(attribute.value))"
            }
            switch status.kind {
            case .file:
                let file = try directory.openEntryForReading(name, isDirectory: false)
                line += " \(status.sizeBytes) \(try SHA256.hash(try file.readAll(limit: 1 << 30, path: "")).short)"
                if status.links > 1 {
                    line += " = \(links[status.inode] ?? path)"
                    links[status.inode] = links[status.inode] ?? path
                }
            case .symlink: line += " -> \(escapedForDisplay(try directory.linkTargetOfEntry(name)))"
            case .blockDevice, .characterDevice: line += " \(status.specialDevice)"
            default: break
            }
            lines.append(line)
            if status.kind == .directory {
                try describe(try directory.openEntryForReading(name, isDirectory: true), path, &links)
            }
        }
    }

    var description: String { lines.joined(separator: "\n") }

    /// The lines in which two trees differ.
    static func difference(_ one: TreeDescription, _ other: TreeDescription) -> [String] {
        let (left, right) = (Set(one.lines), Set(other.lines))
        return one.lines.filter { !right.contains($0) }.map { "- \($0)" } + other.lines.filter { !left.contains($0) }.map { "+ \($0)" }
    }
}
