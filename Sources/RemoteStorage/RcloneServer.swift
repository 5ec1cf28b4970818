internal import BackupEngine
internal import FoundationEssentials
internal import Glibc
internal import Platform

/// `rclone serve restic` on loopback, with a credential made for this one run; it ends with this process.
///
/// A thread of its own starts it, reads what it says, reaps it, and starts it again when it dies.
final class RcloneServer: Sendable {
    let user: String
    let password: String

    private enum Phase {
        case starting
        /// The address up to the repository.
        case serving(String)
        case failed(RepositoryError)
    }

    private struct State {
        var phase = Phase.starting
        /// The child, until it is reaped.
        var pid: Int32?
        var isStopped = false
        var thread: WorkerThread?
    }

    /// It is started so often within a minute; what dies more often than that does not get better.
    private static let startLimit = 4
    private static let errorTextLimitBytes = 4096

    private let state = Monitor(State())
    private let arguments: [String]
    private let environment: [String: String]
    private let readyLimitSeconds: Double

    /// Starts rclone and waits until it serves.
    ///
    /// - Parameter remote: `REMOTE:PATH`.
    /// - Throws: `.storage` with what rclone said, `.unsupported` when there is none.
    init(_ remote: String, _ access: StorageAccess) throws(RepositoryError) {
        do throws(CryptoError) {
            user = hexText(try SecureRandom.bytes(8))
            password = hexText(try SecureRandom.bytes(24))
        } catch {
            throw .crypto(error)
        }
        let program = try Self.program(access.options["rclone.program"] ?? "rclone")
        let words = (access.options["rclone.args"] ?? "serve restic --b2-hard-delete").split(separator: " ").map(String.init)
        // restic talks over standard input; here it is a loopback port, which every version can.
        arguments = [program] + words.filter { $0 != "--stdio" } + ["--addr", "127.0.0.1:0", "--", remote]
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("RESTIC_") }
        environment["RCLONE_USER"] = user
        environment["RCLONE_PASS"] = password
        self.environment = environment
        readyLimitSeconds = access.options["rclone.timeout"].flatMap { Double($0.hasSuffix("s") ? String($0.dropLast()) : $0) } ?? 60
        do throws(SystemError) {
            // The thread lives as long as the server: it holds what it needs, and not this value.
            let run = Run(state: state, arguments: arguments, environment: environment)
            let thread = try WorkerThread(name: "rclone") { run.supervise() }
            state.change { $0.thread = thread }
        } catch {
            throw .storage(error)
        }
        let phase = state.wait(seconds: readyLimitSeconds) { state -> Phase? in
            if case .starting = state.phase { nil } else { state.phase }
        }
        switch phase {
        case .serving: return
        case .failed(let error):
            stop()
            throw error
        case .starting, nil:
            stop()
            throw RepositoryError(
                .storage, Phrase(vi: "rclone không sẵn sàng sau \(Int(readyLimitSeconds)) giây", en: "rclone was not ready after \(Int(readyLimitSeconds)) s"),
                hint: Phrase(vi: "thử 'rclone lsd \(escapedForDisplay(remote))'", en: "try 'rclone lsd \(escapedForDisplay(remote))'"))
        }
    }

    deinit { stop() }

    private func stop() {
        let thread = state.change { state in
            state.isStopped = true
            // Not reaped yet, so the number is still the child's.
            if let pid = state.pid { kill(pid, SIGTERM) }
            let thread = state.thread
            state.thread = nil
            return thread
        }
        thread?.join()
    }

    /// Where it serves now.
    ///
    /// - Throws: A failure that may pass while it is being started again.
    func base() throws(RestFailure) -> String {
        let phase = state.read { $0.phase }
        switch phase {
        case .serving(let base): return base
        case .failed(let error): throw RestFailure(error)
        case .starting:
            throw RestFailure(Phrase(vi: "rclone đang được khởi động lại", en: "rclone is being started again"), isPermanent: false)
        }
    }

    private static func program(_ name: String) throws(RepositoryError) -> String {
        let candidates =
            name.contains("/")
            ? [name] : (environmentValue("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map { "\($0)/\(name)" }
        for candidate in candidates where unsafe candidate.hasPrefix("/") && access(candidate, X_OK) == 0 { return candidate }
        throw RepositoryError(
            .unsupported,
            Phrase(vi: "không tìm thấy chương trình '\(escapedForDisplay(name))'", en: "program '\(escapedForDisplay(name))' was not found"),
            hint: Phrase(
                vi: "cài bằng 'apt-get install rclone', hoặc chỉ đường dẫn tuyệt đối bằng -o rclone.program=…",
                en: "install it with 'apt-get install rclone', or name its absolute path with -o rclone.program=…"))
    }

    /// What the thread does.
    private struct Run: Sendable {
        let state: Monitor<State>
        let arguments: [String]
        let environment: [String: String]

        func supervise() {
            var starts: [UInt64] = []
            while !state.read({ $0.isStopped }) {
                let now = Monotonic.nanoseconds()
                starts = starts.filter { now - $0 < 60_000_000_000 } + [now]
                let text: String
                do throws(SystemError) {
                    text = try serveOnce()
                } catch {
                    fail(.storage(error))
                    return
                }
                let hasServed = state.change { state in
                    guard case .serving = state.phase else { return false }
                    state.phase = .starting
                    return true
                }
                // What never served is wrong in itself: an unknown remote, a bad option.
                if !hasServed || starts.count >= RcloneServer.startLimit {
                    fail(Self.failure(text))
                    return
                }
                _ = state.wait(seconds: 0.2 * Double(starts.count)) { $0.isStopped ? true : nil }
            }
        }

        private func fail(_ error: RepositoryError) {
            state.change { $0.phase = .failed(error) }
        }

        private static func failure(_ text: String) -> RepositoryError {
            // The last lines say why; each begins with date, time and level.
            let lines = text.split(whereSeparator: \.isNewline).suffix(3).map { escapedForDisplay(String($0)) }.joined(separator: "; ")
            return RepositoryError(
                .storage, Phrase(vi: "rclone đã dừng: \(lines)", en: "rclone ended: \(lines)"),
                hint: Phrase(
                    vi: "'rclone listremotes' in ra các kho đã khai báo; 'rclone config' khai báo kho mới",
                    en: "'rclone listremotes' prints the remotes that are set up; 'rclone config' sets up a new one"))
        }

        /// Runs rclone until it ends.
        ///
        /// - Returns: The last of what it said.
        private func serveOnce() throws(SystemError) -> String {
            let ends = try BoundProcess.pipe()
            let reading = FileDescriptor(owning: ends.reading)
            var writing: FileDescriptor? = FileDescriptor(owning: ends.writing)
            let child = try BoundProcess.start(arguments, environment: environment, errors: ends.writing)
            _ = writing.take()
            let isStopped = state.change { state in
                state.pid = child.pid
                return state.isStopped
            }
            // Stopped between the look and the start.
            if isStopped { kill(child.pid, SIGTERM) }
            var text: [UInt8] = []
            var stoppedAt: UInt64?
            while true {
                let descriptor = reading.raw
                var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let ready = unsafe poll(&request, 1, 1000)
                if state.read({ $0.isStopped }) {
                    let now = Monotonic.nanoseconds()
                    let since = stoppedAt ?? now
                    stoppedAt = since
                    if now - since > 5_000_000_000 { kill(child.pid, SIGKILL) }
                }
                if ready <= 0 { continue }
                var chunk = [UInt8](repeating: 0, count: 4096)
                let count = unsafe read(descriptor, &chunk, chunk.count)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { break }
                text += chunk[..<count]
                if case .starting = state.read({ $0.phase }), let base = Self.address(in: text) {
                    state.change { $0.phase = .serving(base) }
                }
                if text.count > 2 * RcloneServer.errorTextLimitBytes { text.removeFirst(text.count - RcloneServer.errorTextLimitBytes) }
            }
            // Its standard error is closed: it ended, or is about to. From here on only this thread signals it, and reaps it.
            state.change { $0.pid = nil }
            while try child.wait(timeoutSeconds: 1) == nil { kill(child.pid, SIGKILL) }
            return String(decoding: text.suffix(RcloneServer.errorTextLimitBytes), as: UTF8.self)
        }

        /// `… Serving restic REST API on http://127.0.0.1:45501/`
        private static func address(in text: [UInt8]) -> String? {
            let marker = Array("http://127.0.0.1:".utf8)
            guard let found = String(decoding: text, as: UTF8.self).firstRange(of: String(decoding: marker, as: UTF8.self)) else { return nil }
            let digits = String(decoding: text, as: UTF8.self)[found.upperBound...].prefix { $0.isNumber }
            // The number must be whole: something follows it.
            guard let port = Int(digits), (1...65535).contains(port), text.last == 10 else { return nil }
            return "http://127.0.0.1:\(port)/"
        }
    }
}
