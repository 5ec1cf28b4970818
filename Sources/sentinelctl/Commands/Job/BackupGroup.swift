internal import ArgumentParser
internal import ControlAPI
internal import FoundationEssentials
internal import IncidentCore
internal import Platform

struct BackupGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: help("Công việc sao lưu trong cấu hình.", "The backup jobs of the configuration."),
        subcommands: [
            BackupRunCommand.self, BackupListCommand.self, BackupSnapshotsCommand.self, BackupApproveCommand.self, BackupRejectCommand.self,
            BackupRepositoriesCommand.self, HoldPlaceCommand.self, HoldListCommand.self, HoldReleaseCommand.self, HoldExportCommand.self,
            HoldVerifyCommand.self,
        ])
}

struct BackupRunCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: help("Chạy một công việc ngay bây giờ.", "Run a job now."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Tên công việc.", "Name of the job."))) var job: String
    @Flag(
        help: ArgumentHelp(
            help("Sau đó xóa theo quy tắc giữ và thu hồi dữ liệu.", "Then forget by the policy and free unused data.")))
    var prune = false

    func execute(_ interface: Interface) async throws -> Int32 {
        let client = ControlClient(daemon, interface)
        let run = try await RunFollower(client: client, interface: interface).follow(
            client.post(Route.jobRun(pathComponent(job)), [String: String]()))
        let result = try JSONDecoder().decode(BackupResult.self, from: Data((run.result ?? "").utf8))
        if interface.isJSON { interface.line(run.result ?? "{}") }
        for target in result.targets where !interface.isJSON {
            interface.line(
                interface(
                    "\(target.repository): \(target.outcome.title.vi), bản \(target.snapshot?.prefix(8) ?? "-"), \(target.files) tệp, thêm \(sizeText(UInt64(clamping: target.bytesStored))).",
                    "\(target.repository): \(target.outcome.title.en), snapshot \(target.snapshot?.prefix(8) ?? "-"), \(target.files) files, added \(sizeText(UInt64(clamping: target.bytesStored)))."
                ))
            for note in target.notes { interface.warn("  ! \(interface.text(note))") }
            for problem in target.unreadableFirst { interface.warn("  ! \(problem.path): \(interface.text(problem.reason))") }
        }
        if prune {
            let known: [RepositoryView] = try await client.get(Route.repositories)
            for target in result.targets where target.outcome != .failed {
                // What takes no deletion from here was never meant.
                if known.first(where: { $0.name == target.repository })?.isAppendOnly ?? true { continue }
                try await followUpkeep(
                    client.post(Route.prune(pathComponent(target.repository)), PruneRepository(forgets: true)), client, interface)
            }
        }
        return switch result.outcome {
        case .complete: .success
        case .incomplete: ControlAPI.ExitCode.incomplete.rawValue
        case .failed: ControlAPI.ExitCode.failure.rawValue
        }
    }
}

struct BackupListCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: help("Các công việc và mức bảo vệ.", "The jobs and how well they protect."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let jobs: [JobView] = try await ControlClient(daemon, interface).get(Route.jobs)
        if interface.isJSON {
            interface.line(try jsonText(jobs))
            return .success
        }
        interface.table(
            [
                interface("Tên", "Name"), interface("Kho", "Repositories"), interface("Lịch", "Schedule"), "RPO", interface("Bản mới nhất", "Newest snapshot"),
                interface("Lần tới", "Next run"),
            ],
            jobs.map { job in
                [
                    job.name, job.repositories.joined(separator: ","), job.schedule ?? "-", interface.text(job.recoveryPoint.title),
                    job.newestSnapshot.map(timeText) ?? "-", job.nextRun.map(timeText) ?? "-",
                ]
            })
        return .success
    }
}

struct HoldListCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "holds", abstract: help("Các lệnh giữ bản sao lưu.", "Holds on snapshots."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        try showHolds(try await ControlClient(daemon, interface).get(Route.holds), interface)
        return .success
    }
}

struct HoldPlaceCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: help("Giữ các bản sao lưu vì một sự cố: không gì được xóa chúng.", "Hold snapshots because of an incident: nothing may delete them."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Số sự cố.", "Number of the incident."))) var incident: String
    @Option(help: ArgumentHelp(help("Chỉ công việc này (lặp lại được); mặc định: tất cả.", "Only this job (repeatable); all by default."))) var job: [String] =
        []
    @Option(help: ArgumentHelp(help("Lý do.", "Reason."))) var reason: String?

    func execute(_ interface: Interface) async throws -> Int32 {
        let holds: [HoldView] = try await ControlClient(daemon, interface).post(
            Route.holds, PlaceHold(incident: incident, jobs: job, reason: reason))
        try showHolds(holds, interface)
        return .success
    }
}

struct HoldReleaseCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: help("Bỏ một lệnh giữ (quản trị).", "Release a hold (administrators)."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Mã lệnh giữ.", "ID of the hold."))) var id: String
    @Option(help: ArgumentHelp(help("Lý do.", "Reason."))) var reason: String

    func execute(_ interface: Interface) async throws -> Int32 {
        let holds: [HoldView] = try await ControlClient(daemon, interface).post(Route.holdRelease, ReleaseHold(id: id, reason: reason))
        try showHolds(holds, interface)
        return .success
    }
}

private func showHolds(_ holds: [HoldView], _ interface: Interface) throws {
    if interface.isJSON {
        interface.line(try jsonText(holds))
        return
    }
    interface.table(
        [
            interface("Mã", "ID"), interface("Công việc", "Job"), interface("Sự cố", "Incident"), interface("Từ lúc", "Placed"), interface("Đã bỏ", "Released"),
            interface("Số bản", "Snapshots"),
        ],
        holds.map { [$0.id, $0.job, $0.incident ?? "-", timeText($0.placed), $0.released.map(timeText) ?? "-", "\($0.snapshots)"] })
}
