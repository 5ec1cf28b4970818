internal import BackupEngine
internal import Glibc
internal import IncidentCore
internal import Platform
internal import Synchronization

/// One backup or drill: the only kind of process that ever holds a repository password.
enum JobProcess {
    static func run(_ channel: Channel) -> Int32 {
        do {
            guard let message = try channel.receive(as: JobSetup.self, timeoutSeconds: 30) else { return ProcessExit.failure }
            let cancellation = CancellationFlag()
            try watch(channel, cancellation)
            let report = carryOut(message, cancellation, ProgressReporter(channel))
            try channel.send(report)
            return ProcessExit.success
        } catch {
            Journal.report("job", error)
            return ProcessExit.failure
        }
    }

    /// The end of the core, or SIGTERM, stops the work in order; a job that does not stop in time is ended.
    private static func watch(_ channel: Channel, _ cancellation: CancellationFlag) throws {
        let signals = try SignalWatcher([.terminate, .interrupt, .hangup])
        try OwnThread.start(name: "job-signals") {
            while let received = try? signals.wait(timeoutSeconds: nil) {
                // `restic unlock` asks with SIGHUP whether the holder of a lock lives.
                if received.signal != .hangup { cancellation.cancel() }
            }
        }
        try OwnThread.start(name: "job-link") {
            while let rest = try? channel.receive(), rest.bytes.isEmpty {}
            cancellation.cancel()
            sleep(10)
            _exit(ProcessExit.failure)
        }
    }

    private static func carryOut(_ setup: JobSetup, _ cancellation: CancellationFlag, _ progress: ProgressReporter) -> JobReport {
        let passwords = Passwords(setup)
        switch setup.order {
        case .backup(let order):
            var runner = BackupJobRunner(password: passwords.password)
            // Beside the keys, in the state directory: 0700, and on a disk that has room for copies.
            let scratch = FilePath(setup.keys).parent / "scratch"
            runner.streamSources = { settings in settings.flatMap { $0.sources(scratch: scratch, secret: passwords.read) } }
            return .backup(runner.run(order, cancellation: cancellation, progress: progress.report))
        case .drill(let order):
            return .drill(DrillRunner(password: passwords.password).run(order, cancellation: cancellation, progress: progress.report))
        }
    }
}

/// Finds the passwords of repositories: by name in the configuration, from credentials or the keys directory.
private struct Passwords: Sendable {
    private let references: [String: SecretReference]
    private let store: SecretStore

    init(_ setup: JobSetup) {
        references = Dictionary(
            setup.passwords.map { entry in
                (entry.repository, entry.isFile ? .file(FilePath(entry.source)) : .credential(entry.source))
            }, uniquingKeysWith: { first, _ in first })
        store = SecretStore(credentials: environmentValue("CREDENTIALS_DIRECTORY").map { FilePath($0) }, keys: FilePath(setup.keys))
    }

    func read(_ reference: SecretReference) throws -> [UInt8] { try store.read(reference) }

    func password(_ repository: String) throws -> [UInt8] {
        guard let reference = references[repository] else {
            throw DaemonError(
                message: Phrase(
                    vi: "cấu hình không có kho '\(repository)'", en: "the configuration has no repository '\(repository)'"), hint: nil)
        }
        return try store.read(reference)
    }
}

/// Tells the core how far the work is, at most a few times a second.
private final class ProgressReporter: Sendable {
    private static let intervalNanoseconds: UInt64 = 250_000_000
    private let channel: Channel
    private let last = Mutex<UInt64>(0)

    init(_ channel: Channel) { self.channel = channel }

    func report(_ fraction: Double?, _ activity: String) {
        let now = Monotonic.nanoseconds()
        let isDue = last.withLock { last in
            if now - last < Self.intervalNanoseconds { return false }
            last = now
            return true
        }
        // A core that is gone is noticed by the reading thread.
        if isDue { try? channel.send(JobReport.progress(fraction, activity)) }
    }
}
