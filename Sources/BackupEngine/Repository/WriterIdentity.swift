internal import Glibc
internal import Platform

/// Who writes: what locks and key files say about this process.
struct WriterIdentity: Sendable, Hashable {
    let hostname: String
    let username: String
    let uid: UInt32
    let gid: UInt32
    let pid: Int32

    /// This process, now.
    static func current() -> WriterIdentity {
        let uid = geteuid()
        // A user without a name, or a user database that does not answer, is no reason to have no backup.
        let name = (try? UserDatabase.account(uid: uid))?.name
        return WriterIdentity(
            hostname: currentHostname(), username: name ?? String(uid), uid: uid, gid: getegid(), pid: getpid())
    }

    private static func currentHostname() -> String {
        var name = [CChar](repeating: 0, count: 256)
        // POSIX does not promise an end to a name that was cut: the last byte stays zero.
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// True unless the kernel says that no process has this number, or that it ended and waits for its parent to look. EPERM means
    /// that it lives and belongs to somebody else.
    static func isAlive(pid: Int32) -> Bool {
        guard pid > 0, kill(pid, 0) == 0 || errno != ESRCH else { return false }
        guard let bytes = try? DurableFiles.read(FilePath("/proc/\(pid)/stat"), limit: 4096), let end = bytes.lastIndex(of: UInt8(ascii: ")")) else {
            return true
        }
        return !bytes[(end + 1)...].starts(with: Array(" Z".utf8))
    }
}

/// Blocks this thread.
func pause(seconds: Double) {
    var request = timespec(tv_sec: Int(seconds), tv_nsec: Int(seconds.truncatingRemainder(dividingBy: 1) * 1e9))
    var rest = timespec()
    while unsafe nanosleep(&request, &rest) == -1, errno == EINTR { request = rest }
}
