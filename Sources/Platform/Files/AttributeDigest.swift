internal import CLinux
internal import Glibc

/// Hashes the extended attributes of files, access control lists and file capabilities among them. Buffers are kept between files.
package struct AttributeDigest: ~Copyable {
    private var hasher: SHA256
    private var names = [UInt8](repeating: 0, count: 4096)
    private var value = [UInt8](repeating: 0, count: 4096)

    /// The kernel allows 64 KiB for all names and for each value (XATTR_LIST_MAX, XATTR_SIZE_MAX).
    private static let limitBytes = 64 * 1024

    package init() throws(CryptoError) { hasher = try SHA256() }

    /// The digest of all attributes of an open file, or nil when it has none.
    ///
    /// Input, for each attribute in bytewise order of the names: length of the name (4 bytes, big-endian), name,
    /// length of the value (4 bytes, big-endian), value.
    package mutating func ofDescriptor(_ raw: Int32, path: FilePath) throws -> Digest? {
        try unsafe digest(
            path, list: { unsafe flistxattr(raw, $0, $1) }, get: { unsafe fgetxattr(raw, $0, $1, $2) })
    }

    /// The same for an entry that is not opened: a link, pipe, device or socket.
    package mutating func ofEntry(_ entry: FilePath, in directory: DirectoryHandle) throws -> Digest? {
        // There is no listxattrat in the kernels we run on; the descriptor's directory in /proc leads to the same place.
        let way = FilePath(directory: FilePath("/proc/self/fd/\(directory.raw)"), entry: entry.lastComponent)
        return try unsafe way.withCString { text in
            try unsafe digest(
                entry, list: { unsafe llistxattr(text, $0, $1) }, get: { unsafe lgetxattr(text, $0, $1, $2) })
        }
    }

    private mutating func digest(
        _ path: FilePath, list: (UnsafeMutablePointer<CChar>?, Int) -> Int,
        get: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws -> Digest? {
        let count: Int
        do throws(SystemError) {
            count = try unsafe Self.filling(&names, "listxattr", path) { buffer in
                unsafe list(buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
            }
        } catch {
            if error.number == ENOTSUP || error.number == ENOSYS { return nil }
            throw error
        }
        if count == 0 { return nil }
        let list = names[..<count].split(separator: 0).sorted { $0.lexicographicallyPrecedes($1) }
        for name in list {
            let terminated = name.map { CChar(bitPattern: $0) } + [0]
            let valueCount: Int
            do throws(SystemError) {
                valueCount = try unsafe Self.filling(&value, "getxattr", path) { buffer in
                    unsafe terminated.withUnsafeBufferPointer { text in
                        guard let base = text.baseAddress else { return -1 }
                        return unsafe get(base, buffer.baseAddress, buffer.count)
                    }
                }
            } catch {
                if error.number == ENODATA { continue }  // removed since it was listed: the status check finds the new ctime
                throw error
            }
            try hasher.update(Self.length(name.count) + name + Self.length(valueCount))
            try hasher.update(Array(value[..<valueCount]))
        }
        return try hasher.finish()
    }

    private static func length(_ count: Int) -> [UInt8] {
        let value = UInt32(truncatingIfNeeded: count)
        return [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    /// Grows `buffer` to the limit once when the kernel says that it is too small.
    private static func filling(
        _ buffer: inout [UInt8], _ call: String, _ path: FilePath, _ body: (UnsafeMutableRawBufferPointer) -> Int
    ) throws(SystemError) -> Int {
        do {
            return try systemCall(call, path: path) { unsafe buffer.withUnsafeMutableBytes { unsafe body($0) } }
        } catch {
            if error.number != ERANGE || buffer.count >= limitBytes { throw error }
            buffer = [UInt8](repeating: 0, count: limitBytes)
            return try systemCall(call, path: path) { unsafe buffer.withUnsafeMutableBytes { unsafe body($0) } }
        }
    }
}
