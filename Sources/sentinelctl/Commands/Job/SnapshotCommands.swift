internal import ArgumentParser
internal import ControlAPI
internal import FoundationEssentials
internal import IncidentCore
internal import Platform

struct BackupSnapshotsCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots",
        abstract: help(
            "Các bản sao lưu trong sổ: nhận lúc nào, có đáng tin không, còn giữ không.",
            "The snapshots in the record: when received, how they stand, whether they are kept."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Tên công việc.", "Name of the job."))) var job: String

    func execute(_ interface: Interface) async throws -> Int32 {
        try showSnapshots(try await ControlClient(daemon, interface).get(Route.jobSnapshots(pathComponent(job))), interface)
        return .success
    }
}

struct BackupApproveCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: help(
            "Xác nhận bản sao lưu bị nghi ngờ là tốt: từ nay nó được thay bản cũ.",
            "Say that doubtful snapshots are good: from now on they may displace older ones."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Tên công việc.", "Name of the job."))) var job: String
    @Argument(help: ArgumentHelp(help("Mã các bản.", "IDs of the snapshots."))) var snapshots: [String] = []
    @Flag(help: ArgumentHelp(help("Mọi bản đang chờ.", "All that wait."))) var all = false
    @Option(help: ArgumentHelp(help("Ghi chú.", "Note."))) var note: String?

    func execute(_ interface: Interface) async throws -> Int32 {
        try await judge(job, snapshots, all: all, isGood: true, note: note, daemon, interface)
    }
}

struct BackupRejectCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject",
        abstract: help(
            "Loại bản sao lưu hỏng: quy tắc giữ được phép xóa nó.", "Say that snapshots are no backups: retention may remove them."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Tên công việc.", "Name of the job."))) var job: String
    @Argument(help: ArgumentHelp(help("Mã các bản.", "IDs of the snapshots."))) var snapshots: [String] = []
    @Flag(help: ArgumentHelp(help("Mọi bản đang chờ.", "All that wait."))) var all = false
    @Option(help: ArgumentHelp(help("Lý do.", "Reason."))) var note: String

    func execute(_ interface: Interface) async throws -> Int32 {
        try await judge(job, snapshots, all: all, isGood: false, note: note, daemon, interface)
    }
}

struct BackupRepositoriesCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "repositories", abstract: help("Các kho trong cấu hình.", "The repositories of the configuration."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let views: [RepositoryView] = try await ControlClient(daemon, interface).get(Route.repositories)
        if interface.isJSON {
            interface.line(try jsonText(views))
            return .success
        }
        interface.table(
            [
                interface("Tên", "Name"), interface("Số bản", "Snapshots"), interface("Đang giữ", "Held"), interface("Chờ xác nhận", "Waiting"),
                interface("Dọn lần cuối", "Last prune"), interface("Còn trống", "Free"), interface("Nơi", "Location"),
            ],
            views.map { view in
                [
                    view.name, "\(view.snapshots)", "\(view.held)", "\(view.waiting)", view.pruned.map(timeText) ?? "-", spaceText(view, interface),
                    view.location + (view.isAppendOnly ? interface(" [chỉ ghi thêm]", " [append-only]") : ""),
                ]
            })
        for view in views {
            if let failure = view.failure { interface.warn("\(view.name): \(interface.text(failure))") }
        }
        return .success
    }
}

/// `12.0 GiB, đầy sau 9 ngày`.
func spaceText(_ view: RepositoryView, _ interface: Interface) -> String {
    guard let free = view.freeBytes else { return "-" }
    let days = view.daysUntilFull.map { interface(", đầy sau \($0) ngày", ", full in \($0) days") } ?? ""
    return sizeText(UInt64(clamping: free)) + days
}

/// Follows an upkeep that the daemon carries out and says what came of it.
///
/// - Returns: The result as JSON text.
@discardableResult
func followUpkeep(_ start: RunAnswer, _ client: ControlClient, _ interface: Interface) async throws -> UpkeepResult {
    let run = try await RunFollower(client: client, interface: interface).follow(start)
    let result = try JSONDecoder().decode(UpkeepResult.self, from: Data((run.result ?? "").utf8))
    if interface.isJSON {
        interface.line(run.result ?? "{}")
        return result
    }
    let verb = result.isDryRun ? interface("sẽ xóa", "would remove") : interface("đã xóa", "removed")
    if result.forgets {
        let count = result.removed.count
        interface.line("\(result.repository): \(verb) \(interface("\(count) bản", "\(count) snapshots")).")
        for id in result.removed { interface.line("  \(id.prefix(8))") }
    }
    for kept in result.kept {
        interface.warn("  \(kept.snapshot.prefix(8)) \(interface("được giữ", "stays")): \(interface.text(kept.reason))")
    }
    if result.prunes {
        let freed = sizeText(UInt64(clamping: result.bytesRemoved))
        interface.line(
            result.isDryRun
                ? interface("\(result.repository): sẽ thu hồi \(freed).", "\(result.repository): would free \(freed).")
                : interface("\(result.repository): đã thu hồi \(freed).", "\(result.repository): freed \(freed)."))
    }
    return result
}

private func judge(
    _ job: String, _ snapshots: [String], all: Bool, isGood: Bool, note: String?, _ daemon: DaemonOptions, _ interface: Interface
) async throws -> Int32 {
    if snapshots.isEmpty != all {
        throw CommandFailure(
            vi: "nêu mã các bản, hoặc --all", en: "name snapshots, or use --all",
            hint: Phrase(vi: "xem 'sentinelctl backup snapshots \(job)'", en: "see 'sentinelctl backup snapshots \(job)'"), .usage)
    }
    let judged: [SnapshotView] = try await ControlClient(daemon, interface).post(
        Route.judge(pathComponent(job)), JudgeSnapshots(snapshots: snapshots, isGood: isGood, note: note))
    try showSnapshots(judged, interface)
    return .success
}

private func showSnapshots(_ views: [SnapshotView], _ interface: Interface) throws {
    if interface.isJSON {
        interface.line(try jsonText(views))
        return
    }
    interface.table(
        [
            interface("Mã", "ID"), interface("Kho", "Repository"), interface("Nhận lúc", "Received"), interface("Tình trạng", "Standing"),
            interface("Tệp", "Files"), interface("Dung lượng", "Size"), interface("Giữ", "Kept"), interface("Lý do", "Reason"),
        ],
        views.map { view in
            let kept = view.isKept.map { $0 ? interface("có", "yes") : interface("không", "no") } ?? "-"
            let reasons = view.doubts.map(interface.text) + view.holds + (view.reason.map { [interface.text($0)] } ?? [])
            return [
                String(view.snapshot.prefix(8)), view.repository, timeText(view.received),
                interface.text(view.standing.title) + (view.isIncomplete ? interface(", thiếu", ", incomplete") : ""), "\(view.files)",
                sizeText(UInt64(clamping: view.bytes)), kept, reasons.joined(separator: "; "),
            ]
        })
}
