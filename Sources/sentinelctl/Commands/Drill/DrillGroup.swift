internal import ArgumentParser
internal import ControlAPI
internal import FoundationEssentials
internal import IncidentCore
internal import Platform

struct DrillGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: help("Diễn tập khôi phục: khôi phục thật, đọc lại, so sánh, đo.", "Restore drills: restore for real, read back, compare, measure."),
        subcommands: [DrillRunCommand.self, DrillListCommand.self, DrillShowCommand.self])
}

struct DrillRunCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: help("Chạy một cuộc diễn tập ngay bây giờ.", "Run a drill now."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Flag(help: ArgumentHelp(help("Mọi cuộc diễn tập đã đến hạn theo lịch.", "All drills that are due by their schedule."))) var due = false
    @Argument(help: ArgumentHelp(help("Tên cuộc diễn tập.", "Name of the drill."))) var drill: String?

    func validate() throws {
        if due == (drill != nil) { throw ValidationError(help("nêu tên cuộc diễn tập, hoặc --due", "name a drill, or --due")) }
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let client = ControlClient(daemon, interface)
        var names = drill.map { [$0] } ?? []
        if due {
            let drills: [DrillView] = try await client.get(Route.drills)
            let now = Timestamp.now()
            names = drills.filter { view in
                // What runs by the daemon's own schedule is not run twice: only a drill whose time has passed without a run is due.
                view.nextRun.flatMap { Timestamp(rfc3339: $0) }.map { $0 <= now } ?? (view.last == nil)
            }.map(\.name)
            if names.isEmpty {
                interface.line(interface("Không có cuộc diễn tập nào đến hạn.", "No drill is due."))
                return .success
            }
        }
        var worst = Int32.success
        for name in names {
            let run = try await RunFollower(client: client, interface: interface).follow(
                client.post(Route.drillRun(pathComponent(name)), [String: String]()))
            let result = try JSONDecoder().decode(DrillResult.self, from: Data((run.result ?? "").utf8))
            if interface.isJSON { interface.line(run.result ?? "{}") } else { showDrill(result, interface) }
            if result.outcome != .passed { worst = ControlAPI.ExitCode.damaged.rawValue }
        }
        return worst
    }
}

struct DrillListCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: help("Các cuộc diễn tập và kết quả cuối.", "The drills and their last results."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let drills: [DrillView] = try await ControlClient(daemon, interface).get(Route.drills)
        if interface.isJSON {
            interface.line(try jsonText(drills))
            return .success
        }
        interface.table(
            [
                interface("Tên", "Name"), interface("Công việc", "Job"), interface("Lịch", "Schedule"), interface("Kết quả cuối", "Last result"),
                interface("Lúc", "When"), "RTO/RPO",
            ],
            drills.map { drill in
                [
                    drill.name, drill.job, drill.schedule ?? "-", drill.last.map { interface.text($0.outcome.title) } ?? "-",
                    drill.last.map { timeText($0.ended) } ?? "-", drill.last.map { String(objectives($0, interface).dropFirst(2)) } ?? "-",
                ]
            })
        return .success
    }
}

struct DrillShowCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: help("Các lần chạy của một cuộc diễn tập.", "The runs of one drill."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Tên cuộc diễn tập.", "Name of the drill."))) var drill: String

    func execute(_ interface: Interface) async throws -> Int32 {
        let runs: [DrillRunView] = try await ControlClient(daemon, interface).get(Route.drills + "/" + pathComponent(drill))
        if interface.isJSON {
            interface.line(try jsonText(runs))
            return .success
        }
        interface.table(
            [
                interface("Lúc", "When"), interface("Kết quả", "Result"), interface("Bản sao lưu", "Snapshot"), interface("Tệp", "Files"),
                interface("Sai khác", "Problems"), "RTO/RPO", interface("Sự kiện", "Event"),
            ],
            runs.map { run in
                [
                    timeText(run.ended), interface.text(run.outcome.title), String(run.snapshot?.prefix(8) ?? "-"), "\(run.files)",
                    "\(run.problems)", String(objectives(run, interface).dropFirst(2)), "#\(run.sequence)",
                ]
            })
        return .success
    }
}

/// Prints one drill: outcome first, then what proves it.
private func showDrill(_ result: DrillResult, _ interface: Interface) {
    let title = interface.text(result.outcome.title)
    interface.line(
        interface.bold("\(interface("Diễn tập", "Drill")) \(result.drill): \(result.outcome == .passed ? interface.green(title) : interface.red(title))"))
    interface.line(
        interface(
            "Bản sao lưu \(result.snapshot?.prefix(8) ?? "-"): khôi phục \(result.files) tệp (\(sizeText(UInt64(clamping: result.bytes)))), đọc lại và so khớp, \(result.problemCount) sai khác.",
            "Snapshot \(result.snapshot?.prefix(8) ?? "-"): restored \(result.files) files (\(sizeText(UInt64(clamping: result.bytes)))), read back and compared, \(result.problemCount) differences."
        ))
    if let time = result.recoveryTimeMilliseconds {
        interface.line("RTO: \(durationText(Double(time) / 1000))\(result.recoveryTimeObjectiveSeconds.map { " / \(durationText(Double($0)))" } ?? "")")
    }
    if let point = result.recoveryPointSeconds {
        interface.line("RPO: \(durationText(Double(point)))\(result.recoveryPointObjectiveSeconds.map { " / \(durationText(Double($0)))" } ?? "")")
    }
    for assertion in result.assertions {
        interface.line("  \(assertion.isPassed ? "[x]" : "[ ]") \(assertion.name): \(interface.text(assertion.detail))")
    }
    for problem in result.problems { interface.line("  ! \(problem.path): \(interface.text(problem.reason))") }
    if let failure = result.failure {
        interface.line("\(interface("Lý do", "Reason")): \(interface.text(failure.message))")
        if let hint = failure.hint { interface.line("\(interface("gợi ý", "hint")): \(interface.text(hint))") }
    }
}
