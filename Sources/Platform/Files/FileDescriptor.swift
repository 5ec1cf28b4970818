internal import CLinux
internal import Glibc

/// An open file, directory or socket: owns the descriptor and closes it exactly once.
package struct FileDescriptor: ~Copyable, Sendable {
    /// The number the kernel gave; valid as long as this value lives.
    package let raw: Int32

    /// Takes ownership of `raw`.
    package init(owning raw: Int32) { self.raw = raw }

    deinit { Glibc.close(raw) }

    /// Gives the descriptor away without closing it.
    package consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }

    /// Opens `path`, close-on-exec.
    ///
    /// - Parameters:
    ///   - flags: `O_…` flags; `O_CLOEXEC` is added.
    ///   - mode: Permissions of a file that is created.
    ///   - directory: An open directory that a relative `path` starts at; the working directory when nil.
    package static func open(
        _ path: FilePath, _ flags: Int32 = O_RDONLY, mode: UInt32 = 0o600, at directory: Int32 = AT_FDCWD
    ) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            owning: try systemCall("open", path: path) {
                unsafe path.withCString { unsafe sentinel_openat(directory, $0, flags, mode) }
            })
    }

    package func status(path: FilePath) throws(SystemError) -> FileStatus {
        var value = stat()
        try systemCall("fstat", path: path) { unsafe fstat(raw, &value) }
        return FileStatus(value)
    }

    /// Reads at most `buffer.count` bytes; 0 means end of file.
    package func read(into buffer: UnsafeMutableRawBufferPointer, path: FilePath) throws(SystemError) -> Int {
        try systemCall("read", path: path) { unsafe Glibc.read(raw, buffer.baseAddress, buffer.count) }
    }

    /// Reads at most `buffer.count` bytes from `offset`; 0 means end of file.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, path: FilePath) throws(SystemError) -> Int {
        try systemCall("pread", path: path) { unsafe pread(raw, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// The same by the number of an open descriptor, which the caller keeps open.
    package static func read(_ raw: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemError) -> Int {
        try systemCall("pread") { unsafe pread(raw, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// Reads the whole file.
    ///
    /// - Parameter limit: More bytes than this are EFBIG: no input is read without a bound.
    package func readAll(limit: Int, path: FilePath) throws(SystemError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(min(limit, Int(clamping: try status(path: path).sizeBytes)) + 1)
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = try unsafe chunk.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) -> Int in
                try unsafe read(into: UnsafeMutableRawBufferPointer(buffer), path: path)
            }
            if count == 0 { return result }
            if result.count + count > limit { throw SystemError("read", EFBIG, path: path) }
            result.append(contentsOf: chunk[..<count])
        }
    }

    /// Writes all of `bytes`.
    package func writeAll(_ bytes: UnsafeRawBufferPointer, path: FilePath) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try systemCall("write", path: path) { unsafe Glibc.write(raw, rest.baseAddress, rest.count) }
        }
    }

    /// Writes all of `bytes`.
    package func writeAll(_ bytes: [UInt8], path: FilePath) throws(SystemError) {
        try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(SystemError) -> Void in
            try unsafe writeAll(UnsafeRawBufferPointer(buffer), path: path)
        }
    }

    /// Forces content and metadata to the disk.
    package func synchronise(path: FilePath) throws(SystemError) {
        try systemCall("fsync", path: path) { fsync(raw) }
    }

    /// Forces everything that was written to the file system of this file to the disk.
    package func synchroniseFileSystem(path: FilePath) throws(SystemError) {
        try systemCall("syncfs", path: path) { sentinel_syncfs(raw) }
    }

    /// Lets a child process inherit the descriptor, or not.
    package func setCloseOnExec(_ closes: Bool) throws(SystemError) {
        try systemCall("fcntl") { sentinel_fcntl(raw, F_SETFD, closes ? Int(FD_CLOEXEC) : 0) }
    }
}
