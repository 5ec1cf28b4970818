internal import BackupEngine
internal import Glibc
internal import IncidentCore
internal import Platform
internal import Synchronization

/// One backup, drill or upkeep: the only kind of process that ever holds a repository password.
enum JobProcess {
    static func run(_ channel: Channel) -> Int32 {
        do {
            guard let message = try channel.receive(as: JobSetup.self, timeoutSeconds: 30) else { return ProcessExit.failure }
            let cancellation = CancellationFlag()
            let answers = CoreAnswers(channel)
            try watch(channel, answers, cancellation)
            let report = carryOut(message, answers, cancellation, ProgressReporter(channel))
            try channel.send(report)
            return ProcessExit.success
        } catch {
            Journal.report("job", error)
            return ProcessExit.failure
        }
    }

    /// The end of the core, or SIGTERM, stops the work in order; a job that does not stop in time is ended.
    private static func watch(_ channel: Channel, _ answers: CoreAnswers, _ cancellation: CancellationFlag) throws {
        let signals = try SignalWatcher([.terminate, .interrupt, .hangup])
        try OwnThread.start(name: "job-signals") {
            while let received = try? signals.wait(timeoutSeconds: nil) {
                // `restic unlock` asks with SIGHUP whether the holder of a lock lives.
                if received.signal != .hangup { cancellation.cancel() }
            }
        }
        try OwnThread.start(name: "job-link") {
            while let message = try? channel.receive(), let answer = try? message.decode(as: UpkeepAnswer.self) { answers.put(answer) }
            answers.end()
            cancellation.cancel()
            sleep(10)
            _exit(ProcessExit.failure)
        }
    }

    private static func carryOut(
        _ setup: JobSetup, _ answers: CoreAnswers, _ cancellation: CancellationFlag, _ progress: ProgressReporter
    ) -> JobReport {
        let secrets = Secrets(setup)
        let access = RepositoryAccess(password: secrets.password, credential: secrets.credential)
        switch setup.order {
        case .backup(let order):
            var runner = BackupJobRunner(access: access)
            // Beside the keys, in the state directory: 0700, and on a disk that has room for copies.
            let scratch = FilePath(setup.keys).parent / "scratch"
            runner.streamSources = { settings in settings.flatMap { $0.sources(scratch: scratch, secret: secrets.read) } }
            return .backup(runner.run(order, cancellation: cancellation, progress: progress.report))
        case .drill(let order):
            return .drill(DrillRunner(access: access).run(order, cancellation: cancellation, progress: progress.report))
        case .upkeep(let order):
            let runner = UpkeepRunner(access: access) { question throws(RepositoryError) in try answers.ask(question) }
            return .upkeep(runner.run(order, cancellation: cancellation, progress: progress.report))
        }
    }
}

/// Questions to the core, one at a time. The thread that reads the link puts the answers in.
private final class CoreAnswers: Sendable {
    private struct State {
        var answer: UpkeepAnswer?
        var isOver = false
    }

    /// The core answers from its ledger; a disk that is full for a while may delay it.
    private static let limitSeconds = 300.0
    private let channel: Channel
    private let state = Monitor(State())

    init(_ channel: Channel) { self.channel = channel }

    func put(_ answer: UpkeepAnswer) { state.change { $0.answer = answer } }
    func end() { state.change { $0.isOver = true } }

    /// - Throws: `.interrupted` when the core is gone or silent: without its word nothing is removed.
    func ask(_ question: UpkeepQuestion) throws(RepositoryError) -> UpkeepAnswer {
        do throws(ChannelError) {
            try channel.send(JobReport.question(question))
        } catch {
            throw Self.gone
        }
        let answer: UpkeepAnswer?? = state.wait(seconds: Self.limitSeconds) { (state) -> UpkeepAnswer?? in
            if let answer = state.answer {
                state.answer = nil
                return .some(answer)
            }
            return state.isOver ? .some(nil) : nil
        }
        guard let answer = answer ?? nil else { throw Self.gone }
        return answer
    }

    private static let gone = RepositoryError(
        .interrupted, Phrase(vi: "tiến trình lõi không trả lời", en: "the core process does not answer"),
        hint: Phrase(vi: "không có bản nào bị xóa khi chưa được phép; chạy lại", en: "nothing was removed without its word; run it again"))
}

/// Finds the secrets of repositories: by name in the configuration, from credentials or the keys directory.
private struct Secrets: Sendable {
    private let passwords: [String: SecretReference]
    private let credentials: [String: SecretReference]
    private let store: SecretStore

    init(_ setup: JobSetup) {
        func references(_ purpose: JobSetup.Secret.Purpose) -> [String: SecretReference] {
            Dictionary(
                setup.secrets.filter { $0.purpose == purpose }.map { entry in
                    (entry.repository, entry.isFile ? .file(FilePath(entry.source)) : .credential(entry.source))
                }, uniquingKeysWith: { first, _ in first })
        }
        passwords = references(.password)
        credentials = references(.credential)
        store = SecretStore(credentials: environmentValue("CREDENTIALS_DIRECTORY").map { FilePath($0) }, keys: FilePath(setup.keys))
    }

    func read(_ reference: SecretReference) throws -> [UInt8] { try store.read(reference) }

    func password(_ repository: String) throws -> [UInt8] {
        guard let reference = passwords[repository] else {
            throw DaemonError(
                message: Phrase(
                    vi: "cấu hình không có kho '\(repository)'", en: "the configuration has no repository '\(repository)'"), hint: nil)
        }
        return try store.read(reference)
    }

    func credential(_ repository: String) throws -> [UInt8]? { try credentials[repository].map { try store.read($0) } }
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
