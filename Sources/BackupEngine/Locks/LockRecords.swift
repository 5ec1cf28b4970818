internal import Glibc
internal import Platform

/// Notes of this machine: which process holds which lock file. One file per lock on a file system that ends with the boot.
///
/// A lock file names only host and process number, and neither is unique: machines are cloned, containers count processes anew,
/// numbers are used again. The name of the lock file is; whoever finds it noted here knows who wrote it. Without a note, for want
/// of a writable place, a dead lock waits for its thirty minutes like everybody else's.
struct LockRecords: Sendable {
    /// The first that exists and can be written takes new notes; all are read.
    private let directories: [FilePath]

    init(directory: FilePath? = nil) { directories = directory.map { [$0] } ?? Self.standard }

    /// `/run/sentinel` belongs to the service; others have their own runtime directory; root may use `/run` itself.
    private static let standard: [FilePath] = {
        var result: [FilePath] = ["/run/sentinel"]
        if let own = environmentValue("XDG_RUNTIME_DIR"), own.hasPrefix("/") { result.append(FilePath(own)) }
        if geteuid() == 0 { result.append("/run") }
        return result
    }()

    private static let prefix = "sentinel-lock-"
    private static let seenPrefix = "sentinel-seen-"
    private func path(_ id: Digest, in directory: FilePath) -> FilePath { directory / (Self.prefix + id.hex) }

    /// Notes that this process holds `id`. Doing without is no failure.
    func add(_ id: Digest) {
        guard let holder = Holder.current() else { return }
        for directory in directories where (try? write(holder.line, to: path(id, in: directory))) != nil {
            sweep(directory)
            return
        }
    }

    /// Removes notes of yesterday: whatever they were about has been stale for a day.
    private func sweep(_ directory: FilePath) {
        let now = Timestamp.now()
        for name in (try? directoryNames(directory)) ?? []
        where name.starts(with: Self.prefix.utf8) || name.starts(with: Self.seenPrefix.utf8) {
            let path = directory.appending(name)
            guard let status = try? FileStatus.ofLink(path), now.seconds(since: status.modified) > 86_400 else { continue }
            _ = unsafe path.withCString { unsafe unlink($0) }
        }
    }

    /// Not forced to disk: what it says holds only until the next boot.
    private func write(_ line: String, to path: FilePath) throws(SystemError) {
        let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
        try file.writeAll(Array(line.utf8), path: path)
    }

    func remove(_ id: Digest) {
        for directory in directories {
            for path in [path(id, in: directory), seenPath(id, in: directory)] { _ = unsafe path.withCString { unsafe unlink($0) } }
        }
    }

    private func seenPath(_ id: Digest, in directory: FilePath) -> FilePath { directory / (Self.seenPrefix + id.hex) }

    /// How long ago this machine saw a lock of others first; the first sight is noted. Nil when nothing can be noted.
    func secondsSinceSeen(_ id: Digest) -> Double? {
        let now = Monotonic.nanoseconds()
        for directory in directories {
            guard let bytes = try? DurableFiles.read(seenPath(id, in: directory), limit: 64),
                let first = UInt64(String(decoding: bytes.prefix { $0 > 32 }, as: UTF8.self)), first <= now
            else { continue }
            return Double(now - first) / 1e9
        }
        for directory in directories where (try? write("\(now)\n", to: seenPath(id, in: directory))) != nil { return 0 }
        return nil
    }

    enum Verdict: Sendable { case alive, gone, unknown }

    /// Whether the process that holds `id` lives; unknown for locks that nobody on this machine noted since it started.
    func holder(of id: Digest) -> Verdict {
        for directory in directories {
            guard let bytes = try? DurableFiles.read(path(id, in: directory), limit: 512),
                let holder = Holder(line: String(decoding: bytes, as: UTF8.self)), let own = Holder.current()
            else { continue }
            // Another boot or another process namespace: the numbers mean nothing here.
            guard holder.boot == own.boot, holder.namespace == own.namespace else { continue }
            return holder.isAlive ? .alive : .gone
        }
        return .unknown
    }
}

/// One process, told apart from all others that ever were.
private struct Holder {
    let boot: String
    let namespace: String
    let pid: Int32
    /// Clock ticks since boot, field 22 of /proc/PID/stat.
    let started: UInt64

    static func current() -> Holder? {
        guard let boot = try? DurableFiles.read("/proc/sys/kernel/random/boot_id", limit: 64), let started = startTime(of: getpid()),
            let namespace = try? FileStatus.of("/proc/self/ns/pid")
        else { return nil }
        let text = String(decoding: boot.prefix { $0 > 32 }, as: UTF8.self)
        return Holder(boot: text, namespace: String(namespace.inode), pid: getpid(), started: started)
    }

    private init(boot: String, namespace: String, pid: Int32, started: UInt64) {
        (self.boot, self.namespace, self.pid, self.started) = (boot, namespace, pid, started)
    }

    init?(line: String) {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 4, let pid = Int32(words[2]), let started = UInt64(words[3]) else { return nil }
        self.init(boot: words[0], namespace: words[1], pid: pid, started: started)
    }

    var line: String { "\(boot) \(namespace) \(pid) \(started)\n" }

    var isAlive: Bool {
        guard WriterIdentity.isAlive(pid: pid) else { return false }
        // A process that cannot be looked at counts as the one that was noted.
        guard let current = Self.startTime(of: pid) else { return true }
        return current == started
    }

    /// Nil when the process cannot be seen; 0 for a zombie, which holds nothing any more.
    private static func startTime(of pid: Int32) -> UInt64? {
        guard let bytes = try? DurableFiles.read(FilePath("/proc/\(pid)/stat"), limit: 4096),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first else { return nil }
        if state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") { return 0 }
        return UInt64(String(decoding: fields[19], as: UTF8.self))
    }
}
