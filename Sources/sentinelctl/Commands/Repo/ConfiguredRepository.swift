internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Glibc
internal import IncidentCore
internal import Platform

/// Options of commands that delete: how to work past the daemon that looks after the repository.
struct BreakGlassOptions: ParsableArguments {
    @OptionGroup var daemon: DaemonOptions

    @Flag(
        help: ArgumentHelp(
            help(
                "Xóa trực tiếp trong kho do sentineld trông coi; được ghi vào sổ cái và báo động.",
                "Delete directly from a repository that sentineld looks after; it is recorded, and it alarms.")))
    var breakGlass = false

    @Option(help: ArgumentHelp(help("Lý do, bắt buộc với --break-glass.", "Reason, required with --break-glass."))) var reason: String?
}

/// Finds out whether a repository is one that a daemon looks after. Then deletion is the daemon's: its receipts, its holds.
struct ConfiguredRepository {
    enum Verdict {
        /// Nobody's: work on it directly.
        case foreign
        /// The daemon answers and will do it.
        case daemon(KnownRepositories.Entry, ControlClient)
        /// The caller took it upon themselves; the note is written.
        case brokenGlass
    }

    /// What a command goes on with.
    enum Access {
        /// Work on it directly.
        case direct(Repository)
        /// The daemon has done it; the exit status.
        case done(Int32)
    }

    let options: BreakGlassOptions
    let interface: Interface
    /// `forget` or `prune`.
    let command: String

    /// Opens a repository that may be deleted from directly, or has the daemon do the work.
    ///
    /// - Parameter work: What the daemon is to do; the password of the repository is not needed for it.
    func open(
        _ repository: RepositoryOptions, snapshots: [String] = [], work: (KnownRepositories.Entry, ControlClient) async throws -> Int32
    ) async throws -> Access {
        // By its place first, then by its identity: a copy of a repository, or another way to it, is found only when it is open.
        let place = try await verdict(location: repository.name(), identity: nil, snapshots: snapshots)
        if case .daemon(let entry, let client) = place { return .done(try await work(entry, client)) }
        let opened = try await repository.open()
        if case .foreign = place,
            case .daemon(let entry, let client) = try await verdict(
                location: repository.name(), identity: opened.configuration.id, snapshots: snapshots)
        {
            return .done(try await work(entry, client))
        }
        return .direct(opened)
    }

    /// Decides before anything is touched.
    ///
    /// - Parameters:
    ///   - location: As the user named it.
    ///   - identity: The one in `config`, when the repository is open already.
    ///   - snapshots: What is to go, for the note.
    /// - Throws: ``CommandFailure``: ours, but the daemon does not answer and nobody broke the glass; append-only.
    func verdict(location: String, identity: String?, snapshots: [String] = []) async throws -> Verdict {
        let client = ControlClient(options.daemon, interface)
        var isAnswering = true
        var known: KnownRepositories
        do {
            let views: [RepositoryView] = try await client.get(Route.repositories)
            known = KnownRepositories(
                views.map { .init(name: $0.name, location: $0.location, identity: $0.identity, isAppendOnly: $0.isAppendOnly) })
        } catch let failure as CommandFailure where failure.status == ControlAPI.ExitCode.unreachable.rawValue {
            isAnswering = false
            known = KnownRepositories([])
        }
        // A daemon that is down, or another one than that of this call, has left its list.
        for layout in layouts {
            known.repositories += try readable { try KnownRepositories.load(layout.repositories) }?.repositories ?? []
            known.repositories += try readable { try Self.configured(layout.configuration) }?.repositories ?? []
        }
        guard let entry = known.entry(location: location, identity: identity) else { return .foreign }
        if entry.isAppendOnly {
            let refusal = RepositoryService.appendOnly(entry.name)
            throw CommandFailure(vi: refusal.message.vi, en: refusal.message.en, hint: refusal.hint, .refused)
        }
        if options.breakGlass {
            try await breakGlass(entry, isAnswering ? client : nil, snapshots)
            return .brokenGlass
        }
        if isAnswering { return .daemon(entry, client) }
        throw CommandFailure(
            vi: "kho '\(entry.name)' do sentineld trông coi, và sentineld không trả lời: không xóa gì",
            en: "repository '\(entry.name)' is looked after by sentineld, which does not answer: nothing is deleted",
            hint: Phrase(
                vi: "khởi động sentineld; nếu buộc phải xóa ngay: --break-glass --reason '…' (được ghi lại và báo động)",
                en: "start sentineld; if it must be deleted now: --break-glass --reason '…' (it is recorded, and it alarms)"),
            .refused)
    }

    /// The daemon of this call, and the installed one.
    private var layouts: [StateLayout] {
        let own = options.daemon.layout
        return own.isSystem ? [own] : [own, .system]
    }

    /// The repositories of a configuration; nil when there is none. One that is wrong is read as far as the daemon's own list.
    private static func configured(_ path: FilePath) throws -> KnownRepositories? {
        guard try FileStatus.exists(path) else { return nil }
        return KnownRepositories(try Configuration.load(path: path, checkOwner: false).backup)
    }

    /// What this user may not read belongs to a daemon whose repositories this user cannot reach either.
    private func readable(_ body: () throws -> KnownRepositories?) throws -> KnownRepositories? {
        do {
            return try body()
        } catch is SystemError {
            return nil
        } catch is ConfigError {
            return nil
        }
    }

    private func breakGlass(_ entry: KnownRepositories.Entry, _ client: ControlClient?, _ snapshots: [String]) async throws {
        guard let reason = options.reason, !reason.isEmpty else {
            throw CommandFailure(vi: "--break-glass cần --reason", en: "--break-glass needs --reason", .usage)
        }
        if let client {
            _ = try await client.post(
                Route.brokenGlass, BreakGlass(command: command, repository: entry.name, reason: reason, snapshots: Array(snapshots.prefix(32))),
                as: TextAnswer.self)
        } else {
            let uid = getuid()
            let note = BrokenGlass(
                moment: .now(), uid: uid, user: (try UserDatabase.account(uid: uid))?.name ?? "uid \(uid)", command: command,
                repository: entry.name, reason: reason, snapshots: snapshots)
            try note.save(in: options.daemon.layout.brokenGlass)
        }
        interface.warn(
            interface(
                "--break-glass: việc này được ghi vào sổ cái và báo động; lệnh giữ không còn bảo vệ.",
                "--break-glass: this is recorded in the ledger and alarms; holds do not protect any more."))
    }
}

extension ConfiguredRepository {
    /// Has the daemon forget: named snapshots, or whatever the policies of the configuration no longer keep.
    ///
    /// - Parameter hasPolicy: The command line names a policy of its own, which is not how a configured repository is kept.
    /// - Returns: The exit status: 5 when a named snapshot stayed.
    func forget(
        _ entry: KnownRepositories.Entry, _ client: ControlClient, snapshots: [String], hasPolicy: Bool, prunes: Bool, isDryRun: Bool
    ) async throws -> Int32 {
        if hasPolicy {
            throw CommandFailure(
                vi: "kho '\(entry.name)' được giữ theo 'keep' trong cấu hình, không theo quy tắc trên dòng lệnh",
                en: "repository '\(entry.name)' is kept by 'keep' of the configuration, not by rules on the command line",
                hint: Phrase(vi: "sửa cấu hình, hoặc nêu mã các bản", en: "change the configuration, or name snapshots"), .refused)
        }
        let run: RunAnswer = try await client.post(
            Route.forget(pathComponent(entry.name)), ForgetSnapshots(snapshots: snapshots, prunes: prunes, isDryRun: isDryRun))
        let result = try await followUpkeep(run, client, interface)
        return snapshots.isEmpty || result.kept.isEmpty ? .success : ControlAPI.ExitCode.refused.rawValue
    }

    /// Has the daemon prune.
    func prune(_ entry: KnownRepositories.Entry, _ client: ControlClient, isDryRun: Bool) async throws -> Int32 {
        let run: RunAnswer = try await client.post(
            Route.prune(pathComponent(entry.name)), PruneRepository(forgets: false, isDryRun: isDryRun))
        try await followUpkeep(run, client, interface)
        return .success
    }
}
