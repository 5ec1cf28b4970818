internal import CLinux
internal import Glibc

/// An open directory that entries are reached from, so that no component of the way to it can be swapped for a link.
///
/// Shared by threads; closed when the last of them lets it go.
package final class DirectoryHandle: Sendable {
    private let descriptor: FileDescriptor
    /// Where the directory was when it was opened; for messages only.
    package let path: FilePath
    private let onClose: (@Sendable () -> Void)?

    private init(_ descriptor: consuming FileDescriptor, path: FilePath, onClose: (@Sendable () -> Void)?) {
        self.descriptor = descriptor
        self.path = path
        self.onClose = onClose
    }

    deinit { onClose?() }

    /// The number of the descriptor; valid as long as this object lives.
    package var raw: Int32 { descriptor.raw }

    /// Opens a directory by its path, following links on the way: for places that the configuration names.
    package static func open(_ path: FilePath, onClose: (@Sendable () -> Void)? = nil) throws(SystemError) -> DirectoryHandle {
        DirectoryHandle(
            try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK), path: path, onClose: onClose)
    }

    /// Opens a directory in this one; a link in its place is ELOOP or ENOTDIR.
    ///
    /// - Parameters:
    ///   - entry: The path of the entry, for messages; its last component is opened.
    ///   - onClose: Called when the handle is closed.
    package func openDirectory(
        _ entry: FilePath, onClose: (@Sendable () -> Void)? = nil
    ) throws(SystemError) -> DirectoryHandle {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK
        let opened = try openRaw(entry, flags)
        return DirectoryHandle(FileDescriptor(owning: opened), path: entry, onClose: onClose)
    }

    /// Opens a file for reading without following a link, without waiting for a pipe or terminal, and without touching its
    /// access time where that is permitted.
    package func openFile(_ entry: FilePath) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try openRaw(entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY))
    }

    private func openRaw(_ entry: FilePath, _ flags: Int32) throws(SystemError) -> Int32 {
        // O_NOATIME is the owner's and root's alone; others read without it.
        let quiet = flags | Int32(SENTINEL_O_NOATIME)
        return try unsafe entry.withLastComponent { (name) throws(SystemError) -> Int32 in
            do throws(SystemError) {
                return try systemCall("open", path: entry) { unsafe sentinel_openat(raw, name, quiet, 0) }
            } catch {
                if error.number != EPERM { throw error }
                return try systemCall("open", path: entry) { unsafe sentinel_openat(raw, name, flags, 0) }
            }
        }
    }

    /// Status of an entry itself; a link is not followed.
    package func status(of entry: FilePath) throws(SystemError) -> FileStatus {
        var value = stat()
        try unsafe entry.withLastComponent { (name) throws(SystemError) -> Void in
            try systemCall("lstat", path: entry) { unsafe fstatat(raw, name, &value, AT_SYMLINK_NOFOLLOW) }
        }
        return FileStatus(value)
    }

    /// Status of the directory itself.
    package func status() throws(SystemError) -> FileStatus { try descriptor.status(path: path) }

    /// The target of a symbolic link, as its bytes.
    package func linkTarget(of entry: FilePath) throws(SystemError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = try unsafe entry.withLastComponent { (name) throws(SystemError) -> Int in
            try systemCall("readlink", path: entry) {
                unsafe buffer.withUnsafeMutableBytes { target in
                    guard let start = target.baseAddress else { return -1 }
                    return unsafe readlinkat(raw, name, start.assumingMemoryBound(to: CChar.self), target.count)
                }
            }
        }
        return Array(buffer[..<count])
    }

    /// True when the file system is an interface of the kernel, not a place where files are kept: proc, sysfs, cgroup and the like.
    package var isPseudoFileSystem: Bool {
        Self.pseudoFileSystems.contains(UInt32(truncatingIfNeeded: sentinel_filesystem_type(descriptor.raw)))
    }

    /// `f_type` numbers of linux/magic.h. autofs is among them because looking inside would mount things.
    private static let pseudoFileSystems: Set<UInt32> = [
        0x9FA0 /* proc */, 0x6265_6572 /* sysfs */, 0x27_E0EB /* cgroup */, 0x6367_7270 /* cgroup2 */, 0x1CD1 /* devpts */,
        0x6462_6720 /* debugfs */, 0x7472_6163 /* tracefs */, 0x7363_6673 /* securityfs */, 0x6165_676C /* pstore */,
        0xCAFE_4A11 /* bpf */, 0x6265_6570 /* configfs */, 0x1980_0202 /* mqueue */, 0x9584_58F6 /* hugetlbfs */,
        0x4249_4E4D /* binfmt_misc */, 0xDE5E_81E4 /* efivarfs */, 0x6759_6969 /* rpc_pipefs */, 0x6E73_6673 /* nsfs */,
        0x6573_5543 /* fusectl */, 0xF97C_FF8C /* selinuxfs */, 0x0187 /* autofs */,
    ]

    /// Reads all entries but `.` and `..`, sorted bytewise by name.
    package func list() throws(SystemError) -> DirectoryListing {
        var listing = DirectoryListing()
        var buffer = [UInt8](repeating: 0, count: 32 * 1024)
        try systemCall("lseek", path: path) { lseek(descriptor.raw, 0, SEEK_SET) }
        while true {
            let count = try systemCall("getdents64", path: path) {
                unsafe buffer.withUnsafeMutableBytes { unsafe sentinel_getdents64(descriptor.raw, $0.baseAddress, $0.count) }
            }
            if count == 0 { break }
            listing.append(kernelEntries: buffer[..<count])
        }
        listing.sort()
        return listing
    }
}

/// The entries of one directory in one block of memory.
package struct DirectoryListing: Sendable {
    private struct Entry {
        let start: Int
        let count: Int
        let kind: FileStatus.Kind
    }
    private var names: [UInt8] = []
    private var entries: [Entry] = []

    package var count: Int { entries.count }
    /// What the directory says the entry is; `unknown` where the file system does not say.
    package func kind(_ index: Int) -> FileStatus.Kind { entries[index].kind }
    package func name(_ index: Int) -> ArraySlice<UInt8> {
        let entry = entries[index]
        return names[entry.start..<entry.start + entry.count]
    }

    fileprivate mutating func append(kernelEntries bytes: ArraySlice<UInt8>) {
        var offset = bytes.startIndex
        // Layout: getdents64(2); offset of the name is 19.
        while offset + 19 < bytes.endIndex {
            let length = Int(bytes[offset + 16]) | Int(bytes[offset + 17]) << 8
            if length < 20 || offset + length > bytes.endIndex { return }
            let name = bytes[offset + 19..<offset + length].prefix { $0 != 0 }
            let isSelfOrParent = name.first == 0x2E && (name.count == 1 || (name.count == 2 && name.last == 0x2E))
            if !isSelfOrParent {
                entries.append(Entry(start: names.count, count: name.count, kind: Self.kind(ofType: bytes[offset + 18])))
                names.append(contentsOf: name)
            }
            offset += length
        }
    }

    fileprivate mutating func sort() {
        let names = names
        unsafe names.withUnsafeBytes { bytes in
            entries.sort { left, right in
                guard let base = bytes.baseAddress else { return false }
                let order = unsafe memcmp(base + left.start, base + right.start, min(left.count, right.count))
                return order == 0 ? left.count < right.count : order < 0
            }
        }
    }

    private static func kind(ofType type: UInt8) -> FileStatus.Kind {
        switch type {
        case 1: .fifo
        case 2: .characterDevice
        case 4: .directory
        case 6: .blockDevice
        case 8: .file
        case 10: .symlink
        case 12: .socket
        default: .unknown
        }
    }
}
