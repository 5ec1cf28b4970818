internal import Glibc
internal import IncidentCore
internal import Platform
internal import Synchronization

/// Starts the other processes, starts them again when they die, and speaks with the service manager.
///
/// Single-threaded: one loop over descriptors and timers. It reads no network and parses only the configuration.
final class ParentProcess {
    /// A child and what it is there for.
    private struct Member {
        let process: ChildProcess
        let role: ProcessRole
    }

    private static let drainSeconds = 25.0
    private static let silenceSeconds = 60.0
    private static let quickDeaths = 5

    private var setup: RoleSetup
    private var configuration: Configuration
    private let loop = PollLoop()
    private let spawner = RoleSpawner()
    private let signals: SignalWatcher
    private var core: Member?
    private var coreChannel: Channel?
    private var watch: Member?
    /// Jobs and commands, by the name that the core gave them.
    private var workers: [String: Member] = [:]
    private var isStopping = false
    private var isReady = false
    private var fatal: DaemonError?
    private var exitStatus = ProcessExit.success
    private var lastSign: UInt64 = Monotonic.nanoseconds()
    private var deathsBeforeReady = 0
    private var watchDeaths = 0

    init(setup: RoleSetup, configuration: Configuration) throws {
        self.setup = setup
        self.configuration = configuration
        signals = try SignalWatcher()
    }

    /// Runs until the daemon is told to stop, or cannot go on.
    ///
    /// - Returns: The exit status.
    func run() throws -> Int32 {
        loop.watch(signals.descriptor) { [unowned self] in
            while let received = try signals.next() { try handle(received.signal) }
        }
        loop.schedule(afterSeconds: 5, repeats: true) { [unowned self] in try checkForSilence() }
        try startCore()
        try loop.run()
        try endEveryone()
        return exitStatus
    }

    // MARK: Signals

    private func handle(_ signal: ProcessSignal) throws {
        switch signal {
        case .terminate, .interrupt: try stop()
        case .hangup: try reload()
        case .child: try reap()
        default: break
        }
    }

    private func stop() throws {
        if isStopping { return }
        isStopping = true
        _ = try? ServiceNotifier.stopping()
        Journal.notice("parent", Phrase(vi: "đang dừng, chờ việc dở hoàn tất", en: "stopping, waiting for work in progress"))
        guard let coreChannel else { return loop.stop() }
        send(.stop, over: coreChannel)
        loop.schedule(afterSeconds: Self.drainSeconds) { [unowned self] in loop.stop() }
    }

    /// Reads the configuration again. A wrong one changes nothing.
    private func reload() throws {
        do {
            let layout = setup.layout
            let fresh = try Configuration.load(path: FilePath(setup.configurationPath), checkOwner: layout.isSystem)
            if fresh.site.timezone != configuration.site.timezone {
                Journal.notice(
                    "parent",
                    Phrase(
                        vi: "múi giờ mới có hiệu lực sau khi khởi động lại dịch vụ", en: "the new time zone takes effect when the service is restarted"))
            }
            configuration = fresh
            Journal.language.withLock { $0 = fresh.site.language }
            _ = try? ServiceNotifier.reloading()
            if let coreChannel { send(.reload, over: coreChannel) }
        } catch {
            Journal.report("parent", error)
            Journal.notice(
                "parent",
                Phrase(
                    vi: "giữ nguyên cấu hình đang chạy", en: "the running configuration stays in force"))
        }
    }

    // MARK: Children

    private func startCore() throws {
        let pair = try ChannelPair.make(sendLimitSeconds: 10)
        let channel = pair.first
        let process = try spawn(.core, descriptor: pair.second.descriptor)
        core = Member(process: process, role: .core)
        coreChannel = channel
        lastSign = Monotonic.nanoseconds()
        loop.watch(channel.descriptor) { [unowned self] in try receive(from: channel) }
        send(.setup(setup), over: channel)
        try startWatch()
    }

    private func startWatch() throws {
        guard let coreChannel, !isStopping else { return }
        let pair = try ChannelPair.make()
        watch = Member(process: try spawn(.watch, descriptor: pair.first.descriptor), role: .watch)
        send(.watch, over: coreChannel, descriptor: pair.second.descriptor)
    }

    private func spawn(_ role: ProcessRole, descriptor: Int32) throws -> ChildProcess {
        try spawner.spawn(
            role, arguments: [setup.layout.isSystem ? "system" : "state"], environment: childEnvironment, descriptors: [descriptor])
    }

    /// What children may know of this process's environment.
    private var childEnvironment: [String: String] {
        var result = ["TZ": configuration.site.timezone]
        // Says in the process table which installation a process belongs to.
        result["SENTINEL_STATE"] = setup.stateDirectory
        for name in ["PATH", "HOME", "LANG", "CREDENTIALS_DIRECTORY", "JOURNAL_STREAM", "SENTINEL_FAULTS", "TMPDIR", "SSL_CERT_FILE"] {
            result[name] = environmentValue(name)
        }
        return result
    }

    private func reap() throws {
        for (id, member) in workers {
            guard let status = try member.process.poll() else { continue }
            workers[id] = nil
            if let coreChannel { send(.exited(id: id, status: status.shellStatus), over: coreChannel) }
        }
        if let member = watch, let status = try member.process.poll() {
            watch = nil
            if !isStopping { try watchDied(status) }
        }
        if let member = core, let status = try member.process.poll() { try coreDied(status) }
    }

    private func watchDied(_ status: ExitStatus) throws {
        watchDeaths += 1
        Journal.notice(
            "parent",
            Phrase(
                vi: "tiến trình giám sát tệp đã dừng (\(status.phrase.vi)), đang khởi động lại",
                en: "the watch process ended (\(status.phrase.en)), starting it again"))
        loop.schedule(afterSeconds: pause(after: watchDeaths)) { [unowned self] in
            if watch == nil { try startWatch() }
        }
    }

    private func coreDied(_ status: ExitStatus) throws {
        // Its last words may still be in the socket.
        while let coreChannel, try receiveOne(from: coreChannel) {}
        if let coreChannel { loop.unwatch(coreChannel.descriptor) }
        coreChannel = nil
        core = nil
        if isStopping { return loop.stop() }
        if let fatal {
            Journal.report("parent", fatal)
            exitStatus = ProcessExit.failure
            return loop.stop()
        }
        try endEveryone()
        deathsBeforeReady = isReady ? 1 : deathsBeforeReady + 1
        isReady = false
        Journal.notice(
            "parent",
            Phrase(
                vi: "tiến trình lõi đã dừng (\(status.phrase.vi)), đang khởi động lại", en: "the core process ended (\(status.phrase.en)), starting it again"))
        if deathsBeforeReady > Self.quickDeaths {
            Journal.report(
                "parent",
                DaemonError(
                    message: Phrase(vi: "tiến trình lõi không khởi động được", en: "the core process cannot start"),
                    hint: Phrase(vi: "xem các dòng phía trên trong nhật ký", en: "see the lines above in the journal")))
            exitStatus = ProcessExit.failure
            return loop.stop()
        }
        setup.restarts += 1
        loop.schedule(afterSeconds: pause(after: deathsBeforeReady)) { [unowned self] in
            if core == nil, !isStopping { try startCore() }
        }
    }

    /// 0.1 s, 0.2 s, 0.4 s … 10 s.
    private func pause(after deaths: Int) -> Double { min(10, 0.1 * Double(1 << min(deaths, 10))) }

    /// Ends all children that are left: first politely, then not.
    private func endEveryone() throws {
        if let coreChannel { loop.unwatch(coreChannel.descriptor) }
        var rest = [core, watch].compactMap { $0 } + workers.values
        (core, watch, workers) = (nil, nil, [:])
        coreChannel = nil
        for member in rest { try member.process.signal(.terminate) }
        let deadline = Deadline(afterSeconds: 5)
        while !rest.isEmpty {
            rest = try rest.filter { try $0.process.poll() == nil }
            if rest.isEmpty { break }
            if deadline.isPast {
                for member in rest { try member.process.signal(.kill) }
            }
            usleep(10_000)
        }
    }

    // MARK: The core's messages

    private func receive(from channel: Channel) throws {
        if try !receiveOne(from: channel) { try reap() }
    }

    /// - Returns: False when nothing came, or the other end is closed.
    private func receiveOne(from channel: Channel) throws -> Bool {
        do {
            guard let message = try channel.receive(timeoutSeconds: 0) else {
                loop.unwatch(channel.descriptor)
                return false
            }
            try handle(message.decode(as: CoreMessage.self))
            return true
        } catch let error as ChannelError {
            if error.code != .timedOut { loop.unwatch(channel.descriptor) }
            return false
        }
    }

    private func handle(_ message: CoreMessage) throws {
        lastSign = Monotonic.nanoseconds()
        switch message {
        case .ready:
            isReady = true
            deathsBeforeReady = 0
            _ = try? ServiceNotifier.ready()
        case .alive: _ = try? ServiceNotifier.watchdog()
        case .reloaded:
            _ = try? ServiceNotifier.ready()
            Journal.notice("parent", Phrase(vi: "đã nạp cấu hình mới", en: "the new configuration is in force"))
        case .status(let text): _ = try? ServiceNotifier.status(text)
        case .start(let id, let role): try startWorker(id, role)
        case .end(let id): try workers[id]?.process.signal(.terminate)
        case .fatal(let vi, let en, let hintVi, let hintEn):
            fatal = DaemonError(message: Phrase(vi: vi, en: en), hint: Phrase(vi: hintVi, en: hintEn))
        }
    }

    private func startWorker(_ id: String, _ roleName: String) throws {
        guard let coreChannel else { return }
        guard let role = ProcessRole(rawValue: roleName), role != .core, role != .watch, !isStopping else {
            return send(.startFailed(id: id, reason: "role"), over: coreChannel)
        }
        do {
            let pair = try ChannelPair.make()
            let process = try spawn(role, descriptor: pair.first.descriptor)
            workers[id] = Member(process: process, role: role)
            send(.started(id: id, processID: process.pid), over: coreChannel, descriptor: pair.second.descriptor)
        } catch let error as any ExplainedError {
            send(.startFailed(id: id, reason: error.message.en), over: coreChannel)
        }
    }

    private func send(_ message: ParentMessage, over channel: Channel, descriptor: Int32? = nil) {
        do {
            try channel.send(message, descriptor: descriptor)
        } catch {
            // The core is gone or stuck; its end will be noticed and acted upon.
            Journal.report("parent", error)
        }
    }

    /// A core that shows no sign of life is ended; its death then has it started again.
    private func checkForSilence() throws {
        guard let core, isReady, Double(Monotonic.nanoseconds() - lastSign) / 1e9 > Self.silenceSeconds else { return }
        Journal.notice(
            "parent",
            Phrase(
                vi: "tiến trình lõi không trả lời, buộc dừng", en: "the core process does not answer, ending it"))
        try core.process.signal(.kill)
    }
}
