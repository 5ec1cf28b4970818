internal import ArgumentParser
internal import ControlAPI

/// The command line of Sentinel. Each area is a folder of `Commands`, each command a file.
@main
struct Sentinelctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sentinelctl",
        abstract: help(
            "Giám sát toàn vẹn, sao lưu, ứng cứu sự cố và diễn tập khôi phục.",
            "Integrity, backups, incident response and recovery drills."),
        discussion: exitCodeHelp,
        version: "sentinel 0.1.0",
        subcommands: [
            StatusCommand.self, DoctorCommand.self,
            IncidentGroup.self, PlaybookGroup.self,
            IntegrityGroup.self, BackupGroup.self, DrillGroup.self, HealthGroup.self,
            RepoGroup.self, LedgerGroup.self,
        ])

    /// The exit statuses, made from the one enum that holds them.
    private static var exitCodeHelp: String {
        let lines = ControlAPI.ExitCode.allCases.map { code in
            let number = String(code.rawValue)
            return "  \(String(repeating: " ", count: 3 - number.count))\(number)  \(help(code.meaning.vi, code.meaning.en))"
        }
        return help("MÃ THOÁT", "EXIT STATUS") + "\n" + lines.joined(separator: "\n")
    }
}
