internal import Glibc

/// The names in a directory, without `.` and `..`, in no particular order.
///
/// For directories of our own making. Walking foreign trees needs held descriptors instead.
package func directoryNames(_ path: FilePath) throws(SystemError) -> [[UInt8]] {
    let raw = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY).release()
    guard let stream = unsafe fdopendir(raw) else {
        close(raw)
        throw SystemError("fdopendir", ENOMEM, path: path)
    }
    defer { unsafe closedir(stream) }
    var names: [[UInt8]] = []
    while true {
        // readdir returns nil for the end and for an error; only errno tells them apart.
        errno = 0
        guard let entry = unsafe readdir(stream) else {
            if errno != 0 { throw SystemError("readdir", errno, path: path) }
            return names
        }
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in unsafe Array(bytes.prefix { $0 != 0 }) }
        if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
    }
}
