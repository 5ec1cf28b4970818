internal import ArgumentParser

struct IntegrityGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "integrity",
        abstract: help("Toàn vẹn tệp: mốc chuẩn, so sánh, chấp nhận.", "File integrity: baseline, comparison, acceptance."),
        subcommands: [
            BaselineCommand.self, IntegrityCheckCommand.self, ScanCommand.self, ChangesCommand.self, AcceptCommand.self,
            CoverageCommand.self,
        ])
}
