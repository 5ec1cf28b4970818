internal import Glibc
package import Platform

/// A private directory that is removed, with everything in it, when this value ends.
///
/// It lies below `SENTINEL_TEST_TMPDIR`, else `TMPDIR`, else `/tmp`. With `SENTINEL_TEST_KEEP=1` it stays and its path is printed.
package struct TemporaryDirectory: ~Copyable {
    package let path: FilePath

    /// - Parameter label: A word of the name, to find a kept directory by.
    package init(_ label: String = "test") throws {
        let base = environmentValue("SENTINEL_TEST_TMPDIR") ?? environmentValue("TMPDIR") ?? "/tmp"
        var generator = SystemRandomNumberGenerator()
        path = FilePath(base) / "sentinel-\(label)-\(String(generator.next() as UInt64, radix: 36))"
        try DurableFiles.makeDirectories(path)
    }

    deinit {
        if environmentValue("SENTINEL_TEST_KEEP") == "1" {
            printToStandardError("kept: \(path)")
        } else {
            removeTree(path)
        }
    }

    package static func / (directory: borrowing TemporaryDirectory, component: String) -> FilePath {
        directory.path / component
    }
}

/// Runs `body` with a private directory that is removed afterwards.
package func withTemporaryDirectory<Result>(
    _ label: String = "test", _ body: (FilePath) throws -> Result
) throws -> Result {
    let directory = try TemporaryDirectory(label)
    return try body(directory.path)
}

/// Runs `body` with a private directory that is removed afterwards.
package func withTemporaryDirectory<Result>(
    _ label: String = "test", isolation: isolated (any Actor)? = #isolation, _ body: (FilePath) async throws -> Result
) async throws -> Result {
    let directory = try TemporaryDirectory(label)
    return try await body(directory.path)
}

/// Removes `path` and everything below it, also where a test took the permissions away; what is missing is no error.
///
/// Symbolic links are removed, never followed. Mount points are entered: a test unmounts what it mounted.
package func removeTree(_ path: FilePath) {
    guard let status = try? FileStatus.ofLink(path) else { return }
    guard status.kind == .directory else {
        _ = unsafe path.withCString { unsafe unlink($0) }
        return
    }
    _ = unsafe path.withCString { unsafe chmod($0, 0o700) }
    for name in directoryEntries(path) { removeTree(path.appending(name)) }
    _ = unsafe path.withCString { unsafe rmdir($0) }
}

/// The names in a directory, without `.` and `..`, in no particular order; empty when it cannot be read.
package func directoryEntries(_ path: FilePath) -> [[UInt8]] {
    guard let stream = unsafe path.withCString({ unsafe opendir($0) }) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = unsafe readdir(stream) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe Array(bytes.prefix { $0 != 0 })
        }
        if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
    }
    return names
}

/// Writes one line to standard error at once.
package func printToStandardError(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
}
