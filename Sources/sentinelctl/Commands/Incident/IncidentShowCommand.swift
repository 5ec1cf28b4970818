internal import ArgumentParser
internal import ControlAPI
internal import IncidentCore
internal import Platform

struct IncidentShowCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: help("Toàn bộ một sự cố: phát hiện, kịch bản, bước tiếp theo, diễn biến.", "All of one incident: findings, playbook, next step, history."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @Argument(help: ArgumentHelp(help("Số sự cố, ví dụ SC-2026-0001.", "Number of the incident, such as SC-2026-0001."))) var id: String

    func execute(_ interface: Interface) async throws -> Int32 {
        let detail: IncidentDetail = try await ControlClient(daemon, interface).get(Route.incident(pathComponent(id)))
        try show(detail, interface)
        return .success
    }
}

/// A name as one component of a URL's path.
func pathComponent(_ name: String) -> String { percentEncoded(Array(name.utf8)) }

/// Prints an incident as a page.
func show(_ detail: IncidentDetail, _ interface: Interface) throws {
    if interface.isJSON {
        interface.line(try jsonText(detail))
        return
    }
    let summary = detail.summary
    interface.line(interface.bold("\(summary.id)  \(interface.text(summary.title))"))
    interface.line(
        "\(interface("Mức độ", "Severity")): \(interface.text(summary.severity.title))   \(interface("Trạng thái", "Status")): \(interface.text(summary.status.title))   \(interface("Diễn biến", "Condition")): \(interface.text(summary.condition.title))"
    )
    interface.line(
        "\(interface("Mở lúc", "Opened")): \(timeText(summary.opened))   \(interface("Người phụ trách", "Assignee")): \(summary.assignee ?? "-")   \(interface("Hệ thống", "Asset")): \(summary.asset ?? "-")"
    )
    findings(detail, interface)
    if let run = detail.runs.last(where: { $0.superseded == nil }) { playbook(run, interface) }
    for hold in detail.holds where hold.released == nil {
        interface.line(
            interface(
                "Đang giữ các bản sao lưu của '\(hold.job)' (\(hold.snapshots) bản): \(hold.id)",
                "Snapshots of '\(hold.job)' are held (\(hold.snapshots)): \(hold.id)"))
    }
    timeline(detail, interface)
    if let next = summary.next { nextStep(next, summary.id, interface) }
}

private func findings(_ detail: IncidentDetail, _ interface: Interface) {
    interface.line()
    interface.line(interface.bold(interface("Phát hiện", "Findings")))
    if detail.findings.count > 6 { interface.line("  … \(detail.findings.count - 6) \(interface("phát hiện trước đó", "earlier findings"))") }
    for finding in detail.findings.suffix(6) {
        interface.line("  \(timeText(finding.moment))  \(interface.text(finding.summary))")
        for item in finding.items ?? [] { interface.line("      \(changeSign(item.kind)) \(item.path)") }
        if finding.files > Int64(finding.items?.count ?? 0) {
            interface.line("      … \(finding.files) \(interface("tệp", "files"))")
        }
    }
}

private func playbook(_ run: PlaybookRunView, _ interface: Interface) {
    interface.line()
    interface.line(
        interface.bold("\(interface("Kịch bản", "Playbook")): \(interface.text(run.title)) (\(run.playbook), \(interface("bản", "version")) \(run.version))"))
    for step in run.steps {
        let mark =
            switch step.state {
            case .waiting: "[ ]"
            case .ready, .started: "[>]"
            case .done: "[x]"
            case .skipped: "[-]"
            }
        let who = step.endedBy ?? step.startedBy
        let by = who.map { "  (\($0))" } ?? ""
        interface.line("  \(mark) \(step.id): \(interface.text(step.title))\(step.isMandatory ? " *" : "")\(by)")
    }
}

private func timeline(_ detail: IncidentDetail, _ interface: Interface) {
    interface.line()
    interface.line(interface.bold(interface("Diễn biến", "History")))
    for entry in detail.timeline.suffix(15) {
        interface.line("  \(timeText(entry.moment))  #\(entry.sequence)  \(entry.actor): \(interface.text(entry.summary))")
        if let note = entry.note { interface.line("      \(escapedForDisplay(note))") }
    }
}

private func nextStep(_ next: NextStepView, _ incident: String, _ interface: Interface) {
    interface.line()
    interface.line(interface.bold("\(interface("BƯỚC TIẾP THEO", "NEXT STEP")): \(interface.text(next.title))") + deadline(next, interface))
    let people = next.people.map { person in person.fullName + (person.phone.map { " \($0)" } ?? "") }.joined(separator: ", ")
    interface.line("  \(interface("Ai làm", "Who")): \(interface.text(next.roleTitle))\(people.isEmpty ? "" : " - \(people)")")
    let verb = next.state == .started ? "done" : "start"
    interface.line("  \(interface("Lệnh", "Command")): sentinelctl playbook \(verb) \(incident) \(next.step) --note '…'")
}
