internal import Glibc

/// What `lstat` says about one entry, without interpretation.
package struct FileStatus: Sendable, Equatable {
    package enum Kind: UInt8, Sendable, Codable {
        case file, directory, symlink, fifo, socket, blockDevice, characterDevice, unknown
    }

    package var kind: Kind
    /// All of `st_mode`, type bits included.
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    package var sizeBytes: UInt64
    package var blocks512: UInt64
    package var modified: Timestamp
    package var changed: Timestamp
    package var accessed: Timestamp
    package var inode: UInt64
    package var device: UInt64
    package var specialDevice: UInt64
    package var links: UInt64

    init(_ raw: stat) {
        mode = raw.st_mode
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .symlink
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFBLK: .blockDevice
            case S_IFCHR: .characterDevice
            default: .unknown
            }
        uid = raw.st_uid
        gid = raw.st_gid
        sizeBytes = UInt64(clamping: raw.st_size)
        blocks512 = UInt64(clamping: raw.st_blocks)
        modified = Timestamp(seconds: Int64(raw.st_mtim.tv_sec), nanoseconds: Int32(raw.st_mtim.tv_nsec))
        changed = Timestamp(seconds: Int64(raw.st_ctim.tv_sec), nanoseconds: Int32(raw.st_ctim.tv_nsec))
        accessed = Timestamp(seconds: Int64(raw.st_atim.tv_sec), nanoseconds: Int32(raw.st_atim.tv_nsec))
        inode = UInt64(raw.st_ino)
        device = UInt64(raw.st_dev)
        specialDevice = UInt64(raw.st_rdev)
        links = UInt64(raw.st_nlink)
    }

    /// The twelve permission bits, setuid, setgid and sticky included.
    package var permissions: UInt32 { mode & 0o7777 }

    /// Status of `path` itself; a symbolic link is not followed.
    package static func ofLink(_ path: FilePath) throws(SystemError) -> FileStatus {
        var raw = stat()
        try systemCall("lstat", path: path) { unsafe path.withCString { unsafe lstat($0, &raw) } }
        return FileStatus(raw)
    }

    /// Status of an entry of the open directory `directory` itself; a symbolic link is not followed.
    static func ofEntry(_ name: [UInt8], at directory: Int32) throws(SystemError) -> FileStatus {
        var raw = stat()
        try entryCall("lstat", name) { unsafe fstatat(directory, $0, &raw, AT_SYMLINK_NOFOLLOW) }
        return FileStatus(raw)
    }

    /// Status of what `path` leads to.
    package static func of(_ path: FilePath) throws(SystemError) -> FileStatus {
        var raw = stat()
        try systemCall("stat", path: path) { unsafe path.withCString { unsafe stat($0, &raw) } }
        return FileStatus(raw)
    }

    /// True when something lies at `path`, a dangling link included.
    package static func exists(_ path: FilePath) throws(SystemError) -> Bool {
        do {
            _ = try ofLink(path)
            return true
        } catch {
            if error.isMissing { return false }
            throw error
        }
    }
}
