internal import CLinux
internal import Glibc

/// Extended attributes, of open files and of directory entries (symbolic links included) without following them.
package enum ExtendedAttributes {
    /// The kernel's own bounds: 64 KiB for a list of names and for one value.
    private static let limitBytes = 65_536

    /// Names and values in the order of the kernel. Empty on file systems that have none.
    ///
    /// An attribute that vanishes between the two calls is left out.
    package static func all(of file: borrowing FileDescriptor) throws(SystemError) -> [(name: [UInt8], value: [UInt8])] {
        let descriptor = file.raw
        return try collect(
            list: { buffer, size in unsafe flistxattr(descriptor, buffer, size) },
            get: { name, buffer, size in unsafe fgetxattr(descriptor, name, buffer, size) })
    }

    /// The attributes of an entry of `directory`; the entry is not opened, so pipes, devices and links are safe.
    package static func all(
        ofEntry name: [UInt8], in directory: borrowing FileDescriptor
    ) throws(SystemError) -> [(name: [UInt8], value: [UInt8])] {
        let path = entryPath(name, in: directory)
        return try collect(
            list: { buffer, size in withTerminated(path) { unsafe llistxattr($0, buffer, size) } },
            get: { attribute, buffer, size in withTerminated(path) { unsafe lgetxattr($0, attribute, buffer, size) } })
    }

    /// The attributes of a directory that may have been opened as a mere starting point (`O_PATH`).
    package static func all(
        ofOpenDirectory directory: borrowing FileDescriptor
    ) throws(SystemError) -> [(name: [UInt8], value: [UInt8])] {
        try all(ofEntry: [UInt8(ascii: ".")], in: directory)
    }

    /// Sets one attribute of an open file, replacing an old value.
    package static func set(_ attribute: [UInt8], to value: [UInt8], of file: borrowing FileDescriptor) throws(SystemError) {
        let descriptor = file.raw
        try named("fsetxattr", attribute) {
            withTerminated(attribute) { unsafe fsetxattr(descriptor, $0, value, value.count, 0) }
        }
    }

    /// Removes one attribute of an open file.
    package static func remove(_ attribute: [UInt8], of file: borrowing FileDescriptor) throws(SystemError) {
        let descriptor = file.raw
        try named("fremovexattr", attribute) { withTerminated(attribute) { unsafe fremovexattr(descriptor, $0) } }
    }

    /// Sets one attribute of an entry, replacing an old value.
    package static func set(
        _ attribute: [UInt8], to value: [UInt8], ofEntry name: [UInt8], in directory: borrowing FileDescriptor
    ) throws(SystemError) {
        let path = entryPath(name, in: directory)
        try named("lsetxattr", attribute) {
            withTerminated(path) { path in
                withTerminated(attribute) { unsafe lsetxattr(path, $0, value, value.count, 0) }
            }
        }
    }

    /// Removes one attribute of an entry.
    package static func remove(
        _ attribute: [UInt8], ofEntry name: [UInt8], in directory: borrowing FileDescriptor
    ) throws(SystemError) {
        let path = entryPath(name, in: directory)
        try named("lremovexattr", attribute) {
            withTerminated(path) { path in withTerminated(attribute) { unsafe lremovexattr(path, $0) } }
        }
    }

    /// `/proc/self/fd/N/name`: the l…xattr calls take paths only, and this one starts at the open directory, whatever happens to its own path.
    private static func entryPath(_ name: [UInt8], in directory: borrowing FileDescriptor) -> [UInt8] {
        Array("/proc/self/fd/\(directory.raw)/".utf8) + name
    }

    private static func named(_ call: String, _ attribute: [UInt8], _ body: () -> Int32) throws(SystemError) {
        do throws(SystemError) {
            try systemCall(call, body)
        } catch {
            throw SystemError(call, error.number, subject: escapedForDisplay(attribute))
        }
    }

    @safe private static func collect(
        list: (UnsafeMutablePointer<CChar>?, Int) -> Int,
        get: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws(SystemError) -> [(name: [UInt8], value: [UInt8])] {
        let list = try fill("listxattr") { buffer in
            unsafe list(buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        guard let names = list else { return [] }
        if names.isEmpty { return [] }
        var result: [(name: [UInt8], value: [UInt8])] = []
        for name in names.split(separator: 0) {
            let name = Array(name)
            let value = try fill("getxattr") { buffer in
                withTerminated(name) { unsafe get($0, buffer.baseAddress, buffer.count) }
            }
            if let value { result.append((name: name, value: value)) }
        }
        return result
    }

    /// Calls with a small buffer first, then with the largest; nil when there is no such attribute or the file system has none at all.
    @safe private static func fill(
        _ call: String, _ body: (UnsafeMutableRawBufferPointer) -> Int
    ) throws(SystemError) -> [UInt8]? {
        for capacity in [256, limitBytes] {
            var buffer = [UInt8](repeating: 0, count: capacity)
            do throws(SystemError) {
                let count = try unsafe buffer.withUnsafeMutableBufferPointer { (bytes) throws(SystemError) -> Int in
                    try systemCall(call) { unsafe body(UnsafeMutableRawBufferPointer(bytes)) }
                }
                return Array(buffer.prefix(count))
            } catch {
                switch error.number {
                case ERANGE where capacity < limitBytes: continue
                case ENOTSUP, ENODATA: return nil
                default: throw error
                }
            }
        }
        return nil
    }
}
