internal import ArgumentParser
internal import ControlAPI
internal import IncidentCore
internal import Platform

/// Options of the commands that carry out a step.
struct StepOptions: ParsableArguments {
    @Argument(help: ArgumentHelp(help("Số sự cố.", "Number of the incident."))) var incident: String
    @Argument(help: ArgumentHelp(help("Mã bước.", "ID of the step."))) var step: String
    @Option(help: ArgumentHelp(help("Ghi chú: đã làm gì, thấy gì.", "Note: what was done and seen."))) var note: String?
}

extension SentinelCommand {
    /// Carries a step action out and shows the incident after it.
    func perform(
        _ verb: StepAction.Verb, _ options: StepOptions, next: String? = nil, _ daemon: DaemonOptions, _ interface: Interface
    ) async throws -> Int32 {
        let detail: IncidentDetail = try await ControlClient(daemon, interface).post(
            Route.step(pathComponent(options.incident), pathComponent(options.step)), StepAction(verb: verb, note: options.note, next: next))
        try show(detail, interface)
        return .success
    }
}

struct StepStartCommand: SentinelCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: help("Bắt đầu một bước.", "Start a step."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var step: StepOptions
    func execute(_ interface: Interface) async throws -> Int32 { try await perform(.start, step, daemon, interface) }
}

struct StepDoneCommand: SentinelCommand {
    static let configuration = CommandConfiguration(commandName: "done", abstract: help("Hoàn thành một bước.", "Finish a step."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var step: StepOptions
    @Option(help: ArgumentHelp(help("Bước tiếp theo, khi có nhiều nhánh.", "The step that follows, where there are several."))) var next: String?
    func execute(_ interface: Interface) async throws -> Int32 { try await perform(.done, step, next: next, daemon, interface) }
}

struct StepSkipCommand: SentinelCommand {
    static let configuration = CommandConfiguration(commandName: "skip", abstract: help("Bỏ qua một bước, có lý do.", "Skip a step, with a reason."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var step: StepOptions
    @Option(help: ArgumentHelp(help("Bước tiếp theo, khi có nhiều nhánh.", "The step that follows, where there are several."))) var next: String?
    func execute(_ interface: Interface) async throws -> Int32 { try await perform(.skip, step, next: next, daemon, interface) }
}
