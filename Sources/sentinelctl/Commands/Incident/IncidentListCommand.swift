internal import ArgumentParser
internal import ControlAPI
internal import IncidentCore
internal import Platform

struct IncidentListCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: help("Liệt kê sự cố chưa đóng.", "List incidents that are not closed."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Flag(help: ArgumentHelp(help("Kể cả sự cố đã đóng.", "Closed ones too."))) var all = false

    func execute(_ interface: Interface) async throws -> Int32 {
        let client = ControlClient(daemon, interface)
        let list: [IncidentSummary] = try await client.get(Route.incidents + (all ? "?all=true" : ""))
        if interface.isJSON {
            interface.line(try jsonText(list))
            return .success
        }
        if list.isEmpty {
            interface.line(interface("Không có sự cố nào.", "No incidents."))
            return .success
        }
        interface.table(
            [
                interface("Số", "Number"), interface("Mức độ", "Severity"), interface("Trạng thái", "Status"), interface("Diễn biến", "Condition"),
                interface("Mở lúc", "Opened"), interface("Tiêu đề", "Title"),
            ],
            list.map { incident in
                [
                    incident.id, interface.text(incident.severity.title), interface.text(incident.status.title),
                    interface.text(incident.condition.title), timeText(incident.opened), interface.text(incident.title),
                ]
            })
        return .success
    }
}
