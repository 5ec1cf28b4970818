internal import Glibc

package enum WorkingDirectory {
    /// The absolute path that relative paths start at.
    package static func current() throws(SystemError) -> FilePath {
        guard let text = unsafe getcwd(nil, 0) else { throw SystemError("getcwd", ENOENT) }
        defer { unsafe free(text) }
        return unsafe FilePath(bytes: UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) })
    }
}

/// Whom this process acts as.
package enum ProcessIdentity {
    package static var isRoot: Bool { geteuid() == 0 }
    /// Owner of the files that this process makes.
    package static var effectiveUser: UInt32 { geteuid() }
    /// Group of the files that this process makes, where the directory does not decide it.
    package static var effectiveGroup: UInt32 { getegid() }
}
