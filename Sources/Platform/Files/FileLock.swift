internal import Glibc

/// An advisory lock (`flock`) on a file of its own, held as long as this value lives. The kernel drops it when the process ends.
package struct FileLock: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    private init(descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Takes the lock, or says that somebody else holds it. The file is created when it is missing and never removed:
    /// removing it would let two processes lock two files of one name.
    ///
    /// - Returns: nil when another process, or another part of this one, holds the lock.
    package static func take(_ path: FilePath) throws(SystemError) -> FileLock? {
        let descriptor = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        do {
            try systemCall("flock", path: path) { flock(descriptor.raw, LOCK_EX | LOCK_NB) }
        } catch {
            if error.number == EWOULDBLOCK { return nil }
            throw error
        }
        return FileLock(descriptor: descriptor)
    }

    // Closing is not enough: a child process that is just being started holds a copy of the descriptor until its exec.
    deinit { _ = flock(descriptor.raw, LOCK_UN) }
}
