internal import Ledger
internal import Platform

/// Writes messages into the ledger; ``OutboxSender`` carries them out later.
enum Notifications {
    /// Queues one message about an incident to every channel that its severity is routed to.
    ///
    /// Title and text of the message are erasable texts of the event: an incident's title may have been typed by a person.
    static func queue(
        _ topic: NotificationTopic, incident id: String, policy: ResponsePolicy, now: Timestamp, in transaction: LedgerTransaction,
        channels chosen: [String]? = nil
    ) throws {
        guard let incident = try IncidentTable.row(id, in: transaction.database) else { return }
        let channels = chosen ?? policy.channels(for: incident.severity)
        if channels.isEmpty { return }
        let message = try text(topic, incident, policy: policy, in: transaction.database)
        try transaction.append(
            EventDraft(
                kind: EventKind.notificationQueued, subject: id, actor: .system("notify"), moment: now,
                facts: [
                    "topic": JSONValue(topic.rawValue), "severity": JSONValue(incident.severity.rawValue),
                    "channels": .array(channels.prefix(16).map { JSONValue(bounded($0, 64)) }),
                ], texts: ["title": message.title, "body": message.body]))
    }

    private static func text(
        _ topic: NotificationTopic, _ incident: IncidentRow, policy: ResponsePolicy, in database: Database
    ) throws -> (title: String, body: String) {
        let site = policy.configuration.site
        let language = site.language
        let title = bounded(incident.shownTitle.text(language), 200)
        let severity = incident.severity.title.text(language)
        func line(_ label: Phrase, _ value: String) -> String { "\(label.text(language)): \(value)\n" }
        var body = "\(topic.title.text(language))\n\n"
        body += line(Phrase(vi: "Số", en: "Number"), incident.id)
        body += line(Phrase(vi: "Nội dung", en: "Subject"), title)
        body += line(Phrase(vi: "Mức độ", en: "Severity"), severity)
        body += line(Phrase(vi: "Tình trạng", en: "Condition"), incident.condition.title.text(language))
        body += line(Phrase(vi: "Mở lúc", en: "Opened"), CivilTime(local: incident.opened).display)
        body += line(Phrase(vi: "Đơn vị", en: "Site"), "\(site.name) (\(site.code))")
        if let name = incident.asset {
            body += line(Phrase(vi: "Hệ thống", en: "System"), policy.configuration.asset(named: name)?.title ?? name)
        }
        if let run = try PlaybookRuns.current(of: incident.id, in: database), let playbook = policy.playbooks.playbook(run.playbook) {
            body += line(Phrase(vi: "Kịch bản", en: "Playbook"), playbook.title.text(language))
            let rows = try PlaybookRuns.steps(of: incident.id, run: run.run, in: database)
            if let step = playbook.steps.first(where: { rows[$0.id]?.state == .ready || rows[$0.id]?.state == .started }) {
                body += line(
                    Phrase(vi: "Việc tiếp theo", en: "Next step"),
                    "\(step.title.text(language)) (\(step.role.title.text(language)))")
            }
        }
        body += "\n" + Phrase(vi: "Xem chi tiết trên máy chủ", en: "Details, on the server").text(language)
        body += ": sentinelctl incident show \(incident.id)\n"
        return ("[Sentinel \(site.code)] \(severity.uppercased()) \(incident.id): \(title)", body)
    }
}
