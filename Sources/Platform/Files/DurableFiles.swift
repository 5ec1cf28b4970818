internal import CLinux
internal import Glibc

/// Every write that must survive a power cut goes through this file.
///
/// A file is written under a temporary name in its own directory, forced to disk, renamed, and the directory forced too:
/// after a crash the name leads to the old content, the new content, or nothing, never to a part.
package enum DurableFiles {
    /// Forces the entries of a directory to disk.
    package static func synchroniseDirectory(_ path: FilePath) throws(SystemError) {
        let directory = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
        try directory.synchronise(path: path)
    }

    /// Makes `path` and its missing parents, each forced into its own parent. An existing directory is not changed.
    package static func makeDirectories(_ path: FilePath, mode: UInt32 = 0o700) throws(SystemError) {
        do throws(SystemError) {
            let status = try FileStatus.of(path)
            if status.kind == .directory { return }
            throw SystemError("mkdir", EEXIST, path: path)
        } catch {
            if !error.isMissing { throw error }
        }
        let parent = path.parent
        if parent != path { try makeDirectories(parent, mode: mode) }
        do {
            try systemCall("mkdir", path: path) { unsafe path.withCString { unsafe mkdir($0, mode) } }
        } catch {
            if !error.isExisting { throw error }
        }
        try synchroniseDirectory(parent)
    }

    /// Writes a file that must not exist yet.
    ///
    /// - Throws: EEXIST when `path` exists; nothing is overwritten.
    package static func create(_ path: FilePath, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(SystemError) {
        var file = try TemporaryFile(beside: path)
        try file.write(bytes)
        try file.publish(as: path, mode: mode, replacing: false)
    }

    /// Writes a file, replacing the old content at once or not at all.
    package static func replace(_ path: FilePath, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(SystemError) {
        var file = try TemporaryFile(beside: path)
        try file.write(bytes)
        try file.publish(as: path, mode: mode, replacing: true)
    }

    /// Removes a file and makes the removal durable. A missing file is not an error.
    package static func remove(_ path: FilePath) throws(SystemError) {
        do {
            try systemCall("unlink", path: path) { unsafe path.withCString { unsafe unlink($0) } }
        } catch {
            if error.isMissing { return }
            throw error
        }
        try synchroniseDirectory(path.parent)
    }

    /// Reads a whole file of at most `limit` bytes.
    package static func read(_ path: FilePath, limit: Int) throws(SystemError) -> [UInt8] {
        try FileDescriptor.open(path).readAll(limit: limit, path: path)
    }
}

/// A file under construction: invisible under its final name until ``publish(as:mode:replacing:)``, removed if that never happens.
package struct TemporaryFile: ~Copyable {
    package let path: FilePath
    private let descriptor: FileDescriptor
    private var isPublished = false
    package private(set) var sizeBytes: UInt64 = 0

    /// Creates `<target>-tmp-<random>` in the directory of `target`.
    package init(beside target: FilePath) throws(SystemError) {
        var generator = SystemRandomNumberGenerator()
        let random = String(generator.next(), radix: 16)
        path = FilePath(bytes: target.bytes + Array("-tmp-\(random)".utf8))
        descriptor = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    }

    deinit {
        if !isPublished { _ = unsafe path.withCString { unsafe unlink($0) } }
    }

    package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try unsafe descriptor.writeAll(bytes, path: path)
        sizeBytes += UInt64(bytes.count)
    }

    package mutating func write(_ bytes: [UInt8]) throws(SystemError) {
        try descriptor.writeAll(bytes, path: path)
        sizeBytes += UInt64(bytes.count)
    }

    /// Reads back what was written, from `offset`.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemError) -> Int {
        try unsafe descriptor.read(into: buffer, at: offset, path: path)
    }

    /// Checks the length, forces the content to disk, gives the file its name and forces the directory.
    ///
    /// - Throws: EEXIST when `target` exists and `replacing` is false.
    package mutating func publish(as target: FilePath, mode: UInt32, replacing: Bool) throws(SystemError) {
        if try descriptor.status(path: path).sizeBytes != sizeBytes { throw SystemError("write", EIO, path: path) }
        try systemCall("fchmod", path: path) { fchmod(descriptor.raw, mode) }
        try FaultPoint.reach("file.written")
        try descriptor.synchronise(path: path)
        try FaultPoint.reach("file.synchronised")
        let status: Int32 = try systemCall("rename", path: target) {
            unsafe path.withCString { from in
                unsafe target.withCString { to in
                    if replacing { return unsafe rename(from, to) }
                    return unsafe sentinel_renameat2_noreplace(AT_FDCWD, from, AT_FDCWD, to)
                }
            }
        }
        isPublished = status == 0
        try FaultPoint.reach("file.renamed")
        try DurableFiles.synchroniseDirectory(target.parent)
    }
}
