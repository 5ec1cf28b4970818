internal import Glibc

/// Reads files whose owner and permissions matter: what is checked is what is read, because both use one descriptor.
package enum RegularFile {
    /// Reads a whole regular file of at most `limit` bytes.
    ///
    /// - Returns: The content, and the status of the very file that was read.
    /// - Throws: EISDIR for a directory, EINVAL for a pipe, device or socket (none of them is waited for), EFBIG beyond `limit`.
    package static func read(_ path: FilePath, limit: Int) throws(SystemError) -> (bytes: [UInt8], status: FileStatus) {
        // O_NONBLOCK: opening a pipe without a writer would otherwise wait for ever.
        let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let status = try file.status(path: path)
        switch status.kind {
        case .file: return (bytes: try file.readAll(limit: limit, path: path), status: status)
        case .directory: throw SystemError("read", EISDIR, path: path)
        default: throw SystemError("read", EINVAL, path: path)
        }
    }
}
