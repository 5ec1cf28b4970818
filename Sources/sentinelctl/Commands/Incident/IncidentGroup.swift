internal import ArgumentParser

struct IncidentGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incident", abstract: help("Sự cố: xem, ghi chú, giao việc, kết thúc.", "Incidents: look, note, assign, close."),
        subcommands: [
            IncidentListCommand.self, IncidentShowCommand.self, IncidentOpenCommand.self, IncidentNoteCommand.self,
            IncidentAssignCommand.self, IncidentResolveCommand.self, IncidentCloseCommand.self, IncidentReopenCommand.self,
        ])
}
