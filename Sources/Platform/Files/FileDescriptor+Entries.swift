internal import CLinux
internal import Glibc

/// Reading what lies in an open directory. No call follows a symbolic link in the last component, and names hold no slash.
extension FileDescriptor {
    /// Opens an entry; fails with ELOOP when it is a symbolic link.
    ///
    /// - Parameter flags: `O_…`; `O_NOFOLLOW` and `O_CLOEXEC` are added.
    package func openEntry(_ name: [UInt8], _ flags: Int32, mode: UInt32 = 0o600) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            owning: try entryCall("open", name) { unsafe sentinel_openat(raw, $0, flags | O_NOFOLLOW, mode) })
    }

    /// Opens a file or directory for reading without leaving a trace in its access time, where the kernel allows that
    /// (the owner, and CAP_FOWNER). Never waits: a pipe that took the place of a file opens at once.
    package func openEntryForReading(_ name: [UInt8], isDirectory: Bool) throws(SystemError) -> FileDescriptor {
        let flags = isDirectory ? O_RDONLY | O_DIRECTORY : O_RDONLY | O_NONBLOCK | O_NOCTTY
        do throws(SystemError) {
            return try openEntry(name, flags | Int32(SENTINEL_O_NOATIME))
        } catch {
            if error.number != EPERM { throw error }
            return try openEntry(name, flags)
        }
    }

    /// Opens a directory as a mere starting point for names; needs no permission to list it. Links in `path` are followed.
    package static func openPath(_ path: FilePath) throws(SystemError) -> FileDescriptor {
        try open(path, Int32(SENTINEL_O_PATH) | O_DIRECTORY)
    }

    /// Opens a directory to list it; a symbolic link in its place is not followed.
    package static func openDirectory(_ path: FilePath) throws(SystemError) -> FileDescriptor {
        try open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// The directory above this one.
    package func openParent() throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            owning: try systemCall("open") { withTerminated(Array("..".utf8)) { unsafe sentinel_openat(raw, $0, O_RDONLY | O_DIRECTORY, 0) } })
    }

    /// The names in this directory, sorted bytewise, without `.` and `..`.
    ///
    /// - Parameter limit: More names than this are EOVERFLOW.
    package func sortedNames(limit: Int) throws(SystemError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        var buffer = [UInt8](repeating: 0, count: 32 * 1024)
        try systemCall("lseek") { lseek(raw, 0, SEEK_SET) }
        while true {
            let count = try unsafe buffer.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) -> Int in
                try systemCall("getdents64") { unsafe sentinel_getdents64(raw, buffer.baseAddress, buffer.count) }
            }
            if count == 0 { break }
            try Self.append(buffer[..<count], to: &names, limit: limit)
        }
        names.sort { $0.lexicographicallyPrecedes($1) }
        return names
    }

    /// Layout of an entry: getdents64(2); its length stands at 16, its name at 19.
    private static func append(_ entries: ArraySlice<UInt8>, to names: inout [[UInt8]], limit: Int) throws(SystemError) {
        var offset = entries.startIndex
        while offset + 19 < entries.endIndex {
            let length = Int(entries[offset + 16]) | Int(entries[offset + 17]) << 8
            if length < 20 || offset + length > entries.endIndex { throw SystemError("getdents64", EIO) }
            let name = entries[offset + 19..<offset + length].prefix { $0 != 0 }
            offset += length
            if name.first == UInt8(ascii: "."), name.count == 1 || name.count == 2 && name.last == UInt8(ascii: ".") { continue }
            if names.count == limit { throw SystemError("getdents64", EOVERFLOW) }
            names.append(Array(name))
        }
    }

    /// Status of an entry itself; a symbolic link is not followed.
    package func statusOfEntry(_ name: [UInt8]) throws(SystemError) -> FileStatus { try FileStatus.ofEntry(name, at: raw) }

    /// Where a symbolic link points, at most 4095 bytes as the kernel stores them.
    package func linkTargetOfEntry(_ name: [UInt8]) throws(SystemError) -> [UInt8] {
        var target = [UInt8](repeating: 0, count: 4096)
        let count = try unsafe target.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) -> Int in
            guard let base = buffer.baseAddress else { return 0 }
            return try entryCall("readlink", name) {
                unsafe readlinkat(raw, $0, UnsafeMutableRawPointer(base).assumingMemoryBound(to: CChar.self), buffer.count)
            }
        }
        return Array(target.prefix(count))
    }
}

/// How a file is going to be read; hints that the kernel may ignore, so failures do not matter.
extension FileDescriptor {
    package func willReadSequentially() { _ = posix_fadvise(raw, 0, 0, POSIX_FADV_SEQUENTIAL) }

    /// Drops the clean cached pages: the next read comes from the disk.
    package func dropCachedPages() { _ = posix_fadvise(raw, 0, 0, POSIX_FADV_DONTNEED) }
}
