internal import Glibc

/// How full the file system below a path is.
package struct FileSystemSpace: Sendable, Hashable {
    package let totalBytes: UInt64
    /// What a process without special rights may still write.
    package let freeBytes: UInt64
    /// 0 where the file system counts no inodes (btrfs, most network file systems).
    package let totalInodes: UInt64
    package let freeInodes: UInt64

    package init(totalBytes: UInt64, freeBytes: UInt64, totalInodes: UInt64, freeInodes: UInt64) {
        self.totalBytes = totalBytes
        self.freeBytes = freeBytes
        self.totalInodes = totalInodes
        self.freeInodes = freeInodes
    }

    /// Asks the kernel. On a dead network mount this may never return: call it where it can be abandoned.
    package static func of(_ path: FilePath) throws(SystemError) -> FileSystemSpace {
        var raw = statvfs()
        try systemCall("statvfs", path: path) { unsafe path.withCString { unsafe statvfs($0, &raw) } }
        let block = UInt64(raw.f_frsize)
        return FileSystemSpace(
            totalBytes: UInt64(raw.f_blocks) * block, freeBytes: UInt64(raw.f_bavail) * block,
            totalInodes: UInt64(raw.f_files), freeInodes: UInt64(raw.f_favail))
    }

    package var freePercent: Double { totalBytes == 0 ? 0 : 100 * Double(freeBytes) / Double(totalBytes) }
    /// 100 where inodes are not counted.
    package var freeInodesPercent: Double { totalInodes == 0 ? 100 : 100 * Double(freeInodes) / Double(totalInodes) }
}
