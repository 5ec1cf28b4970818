internal import ArgumentParser
internal import ControlAPI
internal import Platform

struct DoctorCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: help("Kiểm tra chính hệ thống giám sát và chỉ cách khắc phục.", "Examine Sentinel itself and say how to mend it."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let lines: [DoctorAnswer] = try await ControlClient(daemon, interface).get(Route.doctor)
        if interface.isJSON {
            interface.line(try jsonText(lines))
        } else {
            for line in lines {
                let mark = line.isGood ? interface.green("OK  ") : interface.red(interface("LỖI ", "BAD "))
                interface.line("\(mark) \(line.name): \(interface(line.detail.vi, line.detail.en))")
                if let hint = line.hint { interface.line("     \(interface("gợi ý", "hint")): \(interface(hint.vi, hint.en))") }
            }
        }
        return lines.allSatisfy(\.isGood) ? .success : ControlAPI.ExitCode.failure.rawValue
    }
}
