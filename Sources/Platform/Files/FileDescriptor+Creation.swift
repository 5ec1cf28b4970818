internal import CLinux
internal import Glibc

/// Making and changing what lies in an open directory. No call follows a symbolic link, and names hold no slash.
extension FileDescriptor {
    package func makeDirectory(_ name: [UInt8], mode: UInt32) throws(SystemError) {
        try entryCall("mkdir", name) { unsafe mkdirat(raw, $0, mode) }
    }

    package func makeSymlink(_ name: [UInt8], target: [UInt8]) throws(SystemError) {
        try entryCall("symlink", name) { entry in withTerminated(target) { unsafe symlinkat($0, raw, entry) } }
    }

    /// Makes a pipe, or a device (which needs CAP_MKNOD).
    ///
    /// - Parameters:
    ///   - mode: Permission bits.
    ///   - device: `st_rdev`; 0 for a pipe.
    package func makeSpecialFile(_ name: [UInt8], kind: FileStatus.Kind, mode: UInt32, device: UInt64) throws(SystemError) {
        let type: UInt32 =
            switch kind {
            case .fifo: 0o010000
            case .characterDevice: 0o020000
            case .blockDevice: 0o060000
            default: 0
            }
        if type == 0 { throw SystemError("mknod", EINVAL, subject: escapedForDisplay(name)) }
        try entryCall("mknod", name) { unsafe mknodat(raw, $0, type | mode & 0o7777, dev_t(device)) }
    }

    /// Gives the file `existing` in `directory` a second name in this one.
    package func makeHardLink(_ name: [UInt8], to existing: [UInt8], in directory: borrowing FileDescriptor) throws(SystemError) {
        let source = directory.raw
        try entryCall("link", name) { entry in withTerminated(existing) { unsafe linkat(source, $0, raw, entry, 0) } }
    }

    /// Renames within this directory, replacing what had the new name.
    package func renameEntry(_ name: [UInt8], to newName: [UInt8]) throws(SystemError) {
        try entryCall("rename", newName) { entry in withTerminated(name) { unsafe renameat(raw, $0, raw, entry) } }
    }

    package func removeEntry(_ name: [UInt8], isDirectory: Bool) throws(SystemError) {
        try entryCall(isDirectory ? "rmdir" : "unlink", name) { unsafe unlinkat(raw, $0, isDirectory ? AT_REMOVEDIR : 0) }
    }

    /// Changes owner and group of the entry itself.
    package func setOwnerOfEntry(_ name: [UInt8], uid: UInt32, gid: UInt32) throws(SystemError) {
        try entryCall("lchown", name) { unsafe fchownat(raw, $0, uid, gid, AT_SYMLINK_NOFOLLOW) }
    }

    /// Sets both times of the entry itself.
    package func setTimesOfEntry(_ name: [UInt8], accessed: Timestamp, modified: Timestamp) throws(SystemError) {
        let times = [timespec(accessed), timespec(modified)]
        try entryCall("utimensat", name) { unsafe utimensat(raw, $0, times, AT_SYMLINK_NOFOLLOW) }
    }

    /// Sets the twelve permission bits of the entry itself; ENOTSUP for a symbolic link, which has none.
    package func setPermissionsOfEntry(_ name: [UInt8], _ permissions: UInt32) throws(SystemError) {
        try entryCall("fchmodat", name) { unsafe fchmodat(raw, $0, permissions & 0o7777, AT_SYMLINK_NOFOLLOW) }
    }

    package func setOwner(uid: UInt32, gid: UInt32) throws(SystemError) {
        try systemCall("fchown") { fchown(raw, uid, gid) }
    }

    package func setTimes(accessed: Timestamp, modified: Timestamp) throws(SystemError) {
        let times = [timespec(accessed), timespec(modified)]
        try systemCall("futimens") { unsafe futimens(raw, times) }
    }

    /// - Parameter permissions: The twelve bits of `chmod`.
    package func setPermissions(_ permissions: UInt32) throws(SystemError) {
        try systemCall("fchmod") { fchmod(raw, permissions & 0o7777) }
    }

    /// Makes the file `sizeBytes` long; new bytes read as zeros and take no space.
    package func resize(to sizeBytes: UInt64) throws(SystemError) {
        guard let size = off_t(exactly: sizeBytes) else { throw SystemError("ftruncate", EFBIG) }
        try systemCall("ftruncate") { ftruncate(raw, size) }
    }

    /// Writes all of `bytes` at `offset`.
    package func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            guard let place = off_t(exactly: offset + UInt64(done)) else { throw SystemError("pwrite", EFBIG) }
            done += try systemCall("pwrite") { unsafe pwrite(raw, rest.baseAddress, rest.count, place) }
        }
    }
}

extension timespec {
    fileprivate init(_ moment: Timestamp) {
        self.init(tv_sec: Int(moment.seconds), tv_nsec: Int(moment.nanoseconds))
    }
}
