internal import Glibc

/// Directories that the service manager makes for root and that belong to the service's user.
package enum ServiceDirectory {
    /// Makes a directory if it is missing and gives it, but nothing in it, to `owner`. Needs root in system mode.
    ///
    /// - Throws: ENOTDIR or ELOOP when something else lies at `path`, a symbolic link included.
    package static func prepare(_ path: FilePath, owner: Account, mode: UInt32) throws(SystemError) {
        try DurableFiles.makeDirectories(path, mode: mode)
        let directory = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let status = try directory.status(path: path)
        let raw = directory.raw
        if status.uid != owner.uid || status.gid != owner.gid {
            try systemCall("fchown", path: path) { fchown(raw, owner.uid, owner.gid) }
        }
        if status.permissions != mode { try systemCall("fchmod", path: path) { fchmod(raw, mode) } }
    }
}
