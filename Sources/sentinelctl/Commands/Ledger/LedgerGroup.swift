internal import ArgumentParser

struct LedgerGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: help("Sổ cái: kiểm chứng, điểm chốt, bằng chứng.", "The ledger: verification, checkpoints, proofs."),
        subcommands: [
            LedgerVerifyCommand.self, LedgerCheckpointCommand.self, LedgerProveCommand.self, LedgerEventsCommand.self,
            LedgerRebuildCommand.self, LedgerRedactCommand.self, LedgerBenchCommand.self,
        ])
}
