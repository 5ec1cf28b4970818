package import Platform

/// Type and permissions as Go's `os.FileMode` has them: what a tree stores. Not `st_mode`.
///
/// Type bits and setuid, setgid, sticky sit at the top (31 directory, 27 symlink, 26 device, 25 fifo, 24 socket, 23 setuid,
/// 22 setgid, 21 character device beside 26, 20 sticky, 19 irregular); bits 0-8 are the permissions.
package struct FileMode: Hashable, Sendable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    static let directory: UInt32 = 1 << 31
    static let symlink: UInt32 = 1 << 27
    static let device: UInt32 = 1 << 26
    static let fifo: UInt32 = 1 << 25
    static let socket: UInt32 = 1 << 24
    static let setuid: UInt32 = 1 << 23
    static let setgid: UInt32 = 1 << 22
    static let characterDevice: UInt32 = 1 << 21
    static let sticky: UInt32 = 1 << 20
    static let irregular: UInt32 = 1 << 19

    /// The mode of a file as `lstat` reports it.
    package init(_ status: FileStatus) {
        var value = status.mode & 0o777
        if status.mode & 0o4000 != 0 { value |= Self.setuid }
        if status.mode & 0o2000 != 0 { value |= Self.setgid }
        if status.mode & 0o1000 != 0 { value |= Self.sticky }
        switch status.kind {
        case .file: break
        case .directory: value |= Self.directory
        case .symlink: value |= Self.symlink
        case .fifo: value |= Self.fifo
        case .socket: value |= Self.socket
        case .blockDevice: value |= Self.device
        case .characterDevice: value |= Self.device | Self.characterDevice
        case .unknown: value |= Self.irregular
        }
        rawValue = value
    }

    /// The twelve bits that `chmod` takes.
    package var permissions: UInt32 {
        var value = rawValue & 0o777
        if rawValue & Self.setuid != 0 { value |= 0o4000 }
        if rawValue & Self.setgid != 0 { value |= 0o2000 }
        if rawValue & Self.sticky != 0 { value |= 0o1000 }
        return value
    }

    /// Ten characters as `ls -l` prints them, such as `-rwsr-x---`.
    package var listing: String {
        let kind: Character =
            if rawValue & Self.directory != 0 { "d" } else if rawValue & Self.symlink != 0 { "l" } else if rawValue & Self.characterDevice != 0 {
                "c"
            } else if rawValue & Self.device != 0 { "b" } else if rawValue & Self.fifo != 0 { "p" } else if rawValue & Self.socket != 0 { "s" } else { "-" }
        var text = String(kind)
        for (shift, special, mark) in [(6, Self.setuid, "s"), (3, Self.setgid, "s"), (0, Self.sticky, "t")] as [(UInt32, UInt32, String)] {
            let bits = rawValue >> shift & 7
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            if rawValue & special != 0 {
                text += bits & 1 != 0 ? mark : mark.uppercased()
            } else {
                text += bits & 1 != 0 ? "x" : "-"
            }
        }
        return text
    }
}
