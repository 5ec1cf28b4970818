internal import ControlAPI
internal import HealthEngine
internal import IncidentCore
internal import Ledger
internal import Logging
internal import Platform
internal import Synchronization

/// The process that holds the record: ledger, control socket, checks, schedules, notification.
enum CoreProcess {
    static func run(_ channel: Channel) async -> Int32 {
        LoggingSystem.bootstrap { Journal(label: $0) }
        do {
            let link = try Link<ParentMessage>(channel, name: "parent-link")
            var arrivals = link.arrivals.makeAsyncIterator()
            guard case .setup(let setup)? = await arrivals.next()?.value else { return ProcessExit.failure }
            let parent = ParentLink(link)
            let core: Core
            do {
                core = try await Core.make(setup, parent: parent)
            } catch {
                try parent.tell(fatal(error))
                return ProcessExit.failure
            }
            try await core.run(arrivals: &arrivals)
            return ProcessExit.success
        } catch {
            Journal.report("core", error)
            return ProcessExit.failure
        }
    }

    private static func fatal(_ error: any Error) -> CoreMessage {
        let explained = error as? any ExplainedError
        let message = explained?.message ?? Phrase(verbatim: escapedForDisplay("\(error)"))
        let hint = explained?.hint ?? Phrase(vi: "xem nhật ký dịch vụ", en: "see the service's journal")
        return .fatal(vi: message.vi, en: message.en, hintVi: hint.vi, hintEn: hint.en)
    }
}

/// All parts of the core, wired together.
struct Core: Sendable {
    private static let drainTenthsOfSecond = 150

    let layout: StateLayout
    let setup: RoleSetup
    let site: SiteState
    let ledger: Ledger
    let definitions: PlaybookDefinitions
    let incidents: IncidentService
    let jobs: JobService
    let drills: DrillService
    let repositories: RepositoryService
    let history: SpaceHistory?
    /// Signs what leaves this host beside checkpoints.
    let signer: NoteSigner
    let accepts: BaselineAccepts
    let parent: ParentLink
    let watch: WatchLink
    let watchService: WatchService
    let blind: BlindIntervals
    let runs: RunRegistry
    let center: JobCenter
    let commands: CommandService
    let outbox: OutboxLoop
    let findings: FindingSink
    let health: HealthHolder
    let server: ControlServer

    /// Opens everything, in the order in which it can fail without leaving a trace.
    static func make(_ setup: RoleSetup, parent: ParentLink) async throws -> Core {
        let layout = setup.layout
        let policy = try loadPolicy(setup)
        Journal.language.withLock { $0 = policy.configuration.site.language }
        let server = ControlServer(socketPath: layout.socket, isSystem: layout.isSystem)
        try server.claimSocket()
        let signer = try LedgerKey.load(layout, siteCode: policy.configuration.site.code)
        let ledger = try Ledger.open(
            directory: layout.state, key: signer.key, origin: signer.verifier.name, projections: IncidentService.projections)
        // What a drill that was killed has restored is nobody's to keep.
        try DrillScratch.removeLeftovers(in: layout.scratch)
        let site = SiteState(policy)
        let batches = BatchStore(directory: LedgerFiles(directory: layout.state).batches)
        let definitions = PlaybookDefinitions(batches: batches)
        try definitions.preserve(policy.playbooks)
        let incidents = IncidentService(ledger: ledger, definitions: definitions, batches: batches, policy: { site.policy })
        let history = openHistory(layout)
        let repositories = RepositoryService(incidents: incidents, history: history)
        let jobs = JobService(incidents: incidents, repositories: repositories)
        let drills = DrillService(incidents: incidents)
        let accepts = BaselineAccepts(ledger: ledger)
        let commands = CommandService(parent: parent)
        let outbox = OutboxLoop(site: site, ledger: ledger, incidents: incidents, commands: commands)
        let changed: @Sendable () async -> Void = {
            await outbox.wake()
            do {
                _ = try await ledger.checkpoint()
            } catch {
                Journal.report("core", error)
            }
        }
        let findings = FindingSink(incidents: incidents, incidentsChanged: changed)
        let watch = WatchLink()
        let blind = BlindIntervals()
        let runs = RunRegistry()
        return Core(
            layout: layout, setup: setup, site: site, ledger: ledger, definitions: definitions, incidents: incidents, jobs: jobs,
            drills: drills, repositories: repositories, history: history, signer: signer, accepts: accepts, parent: parent, watch: watch,
            watchService: WatchService(site: site, layout: layout, link: watch, accepts: accepts, findings: findings, blind: blind),
            blind: blind, runs: runs,
            center: JobCenter(
                site: site, parent: parent, runs: runs, jobs: jobs, drills: drills, repositories: repositories, gate: RepositoryGate(), watch: watch,
                layout: layout, incidentsChanged: changed),
            commands: commands, outbox: outbox, findings: findings, health: HealthHolder(), server: server)
    }

    /// Measurements are no part of the record: without them there is no trend, and everything else works.
    private static func openHistory(_ layout: StateLayout) -> SpaceHistory? {
        do {
            return try SpaceHistory(layout.history)
        } catch {
            Journal.report("core", error)
            return nil
        }
    }

    /// Configuration and playbooks, both valid or neither.
    static func loadPolicy(_ setup: RoleSetup) throws -> ResponsePolicy {
        let isSystem = setup.layout.isSystem
        return ResponsePolicy(
            configuration: try Configuration.load(path: FilePath(setup.configurationPath), checkOwner: isSystem),
            playbooks: try PlaybookLibrary.load(
                directories: setup.playbookDirectories.map { FilePath($0) }, checkOwner: isSystem))
    }

    /// Runs until the parent says stop or is gone.
    func run(arrivals: inout AsyncStream<Link<ParentMessage>.Arrival>.Iterator) async throws {
        try await record("daemon.started", ["version": "0.1.0", "restarts": JSONValue(setup.restarts)])
        await takeUpBrokenGlass()
        await center.publishRepositories()
        let services = Task { try await serve() }
        let failure = Task {
            // A part that ends before the parent says so takes the whole core with it: half a daemon is none.
            do {
                try await services.value
            } catch is CancellationError {
                return
            } catch {
                Journal.report("core", error)
            }
            parent.close()
        }
        while let arrival = await arrivals.next() {
            switch arrival.value {
            case .setup: continue
            case .started(let id, _): await parent.started(id, descriptor: arrival.descriptor)
            case .startFailed(let id, let reason): await parent.failed(id, reason: reason)
            case .exited(let id, let status): await parent.exited(id, status: status)
            case .watch:
                guard let descriptor = arrival.descriptor else { continue }
                let channel = try Channel(owning: FileDescriptor(owning: descriptor), sendLimitSeconds: 30)
                Task { await watchService.serve(channel) }
            case .reload: await reload()
            case .stop:
                // The loop goes on meanwhile: it hears of the jobs' ends. Closing the link ends it.
                Task {
                    services.cancel()
                    await drain()
                    parent.close()
                }
            }
        }
        services.cancel()
        await failure.value
        await finish()
    }

    /// What was done past the daemon while it was down.
    private func takeUpBrokenGlass() async {
        do {
            if try await !repositories.takeUpBrokenGlass(in: layout.brokenGlass).isEmpty { await outbox.wake() }
        } catch {
            Journal.report("core", error)
        }
    }

    /// Has the jobs stop in order, and waits until what they say is in the ledger.
    private func drain() async {
        await parent.terminateAll()
        for _ in 0..<Self.drainTenthsOfSecond {
            if await runs.running.allSatisfy({ $0.kind == JobKind.scan.rawValue }) { return }
            // Nothing cancels this task; a shorter pause would only look sooner.
            _ = try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// All long-running parts side by side; the first that fails ends the others.
    private func serve() async throws {
        let routes = ControlRoutes(
            core: self,
            access: Access(
                site: site, isSystem: layout.isSystem, ledger: ledger, refusals: RefusalLimit()))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await server.run(router: routes.router(), logger: Self.serverLog) {
                    do {
                        try parent.tell(.ready)
                    } catch {
                        Journal.report("core", error)
                    }
                }
            }
            group.addTask { try await ScheduleLoop(site: site, center: center, jobs: jobs, runs: runs).run() }
            group.addTask { try await health.run(core: self) }
            group.addTask { try await outbox.run() }
            group.addTask { try await heartbeat() }
            group.addTask { try await upkeep() }
            try await group.next()
            group.cancelAll()
        }
    }

    /// The server logs each connection that is cut at the end; only what ends the server itself is news.
    private static let serverLog: Logger = {
        var logger = Logger(label: "control")
        logger.logLevel = .critical
        return logger
    }()

    /// Tells the parent that the core lives, which means: that the ledger answers.
    private func heartbeat() async throws {
        while true {
            _ = try await ledger.read { try EventTable.count(in: $0) }
            try parent.tell(.alive)
            try await Task.sleep(for: .seconds(5))
        }
    }

    /// What is due now and then: objectives, reminders, a checkpoint when something was written since the last.
    private func upkeep() async throws {
        var checkpointed: Int64 = -1
        while true {
            do {
                let outcomes = try await jobs.checkObjectives()
                _ = try await repositories.checkSpace()
                let reminders = try await incidents.queueReminders()
                if reminders > 0 || !outcomes.isEmpty { await outbox.wake() }
                let count = try await ledger.read { try EventTable.count(in: $0) }
                if count != checkpointed {
                    _ = try await ledger.checkpoint()
                    checkpointed = count
                }
            } catch {
                if Task.isCancelled { throw CancellationError() }
                Journal.report("core", error)
            }
            try await Task.sleep(for: .seconds(60))
        }
    }

    private func reload() async {
        do {
            let policy = try Self.loadPolicy(setup)
            try definitions.preserve(policy.playbooks)
            let old = site.configuration.digest
            site.replace(policy)
            Journal.language.withLock { $0 = policy.configuration.site.language }
            try await watchService.reconfigure()
            await health.restart()
            await outbox.wake()
            await center.publishRepositories()
            try await record("daemon.reloaded", ["from": JSONValue(old.hex), "to": JSONValue(policy.configuration.digest.hex)])
        } catch {
            Journal.report("core", error)
            Journal.notice("core", Phrase(vi: "giữ nguyên cấu hình đang chạy", en: "the running configuration stays in force"))
        }
        do {
            try parent.tell(.reloaded)
        } catch {
            Journal.report("core", error)
        }
    }

    private func finish() async {
        do {
            try await record("daemon.stopped", [:])
            _ = try await ledger.checkpoint()
        } catch {
            Journal.report("core", error)
        }
        ledger.close()
        do {
            try DurableFiles.remove(layout.socket)
        } catch {
            Journal.report("core", error)
        }
    }

    private func record(_ kind: String, _ facts: [String: JSONValue]) async throws {
        var facts = facts
        facts["configuration"] = JSONValue(site.configuration.digest.hex)
        let draft = EventDraft(kind: kind, subject: "daemon", actor: .system("core"), facts: facts)
        _ = try await ledger.commit { try $0.append(draft) }
    }
}
