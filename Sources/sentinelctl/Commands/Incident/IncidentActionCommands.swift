internal import ArgumentParser
internal import ControlAPI
internal import IncidentCore
internal import Platform

struct IncidentOpenCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: help("Mở một sự cố bằng tay.", "Open an incident by hand."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Tiêu đề.", "Title."))) var title: String
    @Option(help: ArgumentHelp(help("low, medium, high hoặc critical.", "low, medium, high or critical."))) var severity = "medium"
    @Option(help: ArgumentHelp(help("Mã kịch bản.", "ID of a playbook."))) var playbook: String?
    @Option(help: ArgumentHelp(help("Hệ thống bị ảnh hưởng.", "The affected asset."))) var asset: String?
    @Option(help: ArgumentHelp(help("Ghi chú.", "Note."))) var note: String?

    func execute(_ interface: Interface) async throws -> Int32 {
        let detail: IncidentDetail = try await ControlClient(daemon, interface).post(
            Route.incidents, OpenIncident(title: title, severity: severity, playbook: playbook, asset: asset, note: note))
        try show(detail, interface)
        return .success
    }
}

/// A command that does one thing to one incident.
protocol IncidentActionCommand: SentinelCommand {
    var daemon: DaemonOptions { get }
    var id: String { get }
    var action: IncidentAction { get }
}

extension IncidentActionCommand {
    func execute(_ interface: Interface) async throws -> Int32 {
        let detail: IncidentDetail = try await ControlClient(daemon, interface).post(
            Route.incidentAction(pathComponent(id)), action)
        try show(detail, interface)
        return .success
    }
}

struct IncidentNoteCommand: IncidentActionCommand {
    static let configuration = CommandConfiguration(commandName: "note", abstract: help("Ghi thêm vào diễn biến.", "Add a note."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Số sự cố.", "Number of the incident."))) var id: String
    @Argument(help: ArgumentHelp(help("Nội dung.", "Text."))) var note: String
    var action: IncidentAction { IncidentAction(verb: .note, note: note) }
}

struct IncidentAssignCommand: IncidentActionCommand {
    static let configuration = CommandConfiguration(commandName: "assign", abstract: help("Giao cho một người.", "Give it to a person."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Số sự cố.", "Number of the incident."))) var id: String
    @Argument(help: ArgumentHelp(help("Tên trong 'team.people'.", "A name of 'team.people'."))) var person: String
    @Option(help: ArgumentHelp(help("Ghi chú.", "Note."))) var note: String?
    var action: IncidentAction { IncidentAction(verb: .assign, note: note, assignee: person) }
}

struct IncidentResolveCommand: IncidentActionCommand {
    static let configuration = CommandConfiguration(commandName: "resolve", abstract: help("Đánh dấu đã khắc phục.", "Mark as resolved."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Số sự cố.", "Number of the incident."))) var id: String
    @Option(help: ArgumentHelp(help("Ghi chú.", "Note."))) var note: String?
    var action: IncidentAction { IncidentAction(verb: .resolve, note: note) }
}

struct IncidentCloseCommand: IncidentActionCommand {
    static let configuration = CommandConfiguration(commandName: "close", abstract: help("Đóng sự cố.", "Close the incident."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Số sự cố.", "Number of the incident."))) var id: String
    @Option(help: ArgumentHelp(help("Lý do, khi còn bước bắt buộc chưa xong.", "Reason, while mandatory steps are open."))) var note: String?
    var action: IncidentAction { IncidentAction(verb: .close, note: note) }
}

struct IncidentReopenCommand: IncidentActionCommand {
    static let configuration = CommandConfiguration(commandName: "reopen", abstract: help("Mở lại.", "Take it up again."))
    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Số sự cố.", "Number of the incident."))) var id: String
    @Option(help: ArgumentHelp(help("Lý do (bắt buộc).", "Reason (required)."))) var note: String
    var action: IncidentAction { IncidentAction(verb: .reopen, note: note) }
}
