internal import ArgumentParser
internal import ControlAPI
internal import Platform

struct HealthGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: help("Tình trạng các dịch vụ được theo dõi.", "State of the services that are checked."),
        subcommands: [HealthListCommand.self], defaultSubcommand: HealthListCommand.self)
}

struct HealthListCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: help("Liệt kê các phép kiểm tra.", "List the checks."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let checks: [HealthAnswer] = try await ControlClient(daemon, interface).get(Route.health)
        if interface.isJSON {
            interface.line(try jsonText(checks))
            return .success
        }
        interface.table(
            [interface("Tên", "Name"), interface("Tình trạng", "State"), interface("Từ lúc", "Since"), interface("Chi tiết", "Detail")],
            checks.map { check in
                [check.name, healthState(check.state, interface), check.since.map(timeText) ?? "-", interface(check.detail.vi, check.detail.en)]
            })
        return .success
    }
}
