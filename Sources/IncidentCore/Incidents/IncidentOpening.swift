internal import Ledger
internal import Platform

/// Everything that a new incident starts with.
struct IncidentOpening {
    let rule: String
    let correlation: String
    let severity: Severity
    let asset: String?
    /// From the rule; nil when a person typed one.
    let title: Phrase?
    /// As a person typed it: erasable.
    let typedTitle: String?
    let assignee: String?
    let playbook: Playbook?

    /// Gives the incident the next number of the year, and attaches its playbook.
    func write(actor: Actor, now: Timestamp, in transaction: LedgerTransaction) throws -> String {
        let id = try nextNumber(now, in: transaction.database).description
        var facts: [String: JSONValue] = [
            "rule": JSONValue(rule), "correlation": JSONValue(bounded(correlation, 320)),
            "severity": JSONValue(severity.rawValue),
        ]
        if let asset { facts["asset"] = JSONValue(bounded(asset, 128)) }
        if let title { facts["title"] = title.json() }
        if let assignee { facts["assignee"] = JSONValue(bounded(assignee, 64)) }
        try transaction.append(
            EventDraft(
                kind: EventKind.incidentOpened, subject: id, actor: actor, moment: now, facts: facts,
                texts: typedTitle.map { ["title": bounded($0, 1000)] } ?? [:]))
        if let playbook { try PlaybookRuns.attach(playbook, to: id, actor: actor, now: now, in: transaction) }
        return id
    }

    private func nextNumber(_ now: Timestamp, in database: Database) throws -> IncidentNumber {
        let year = CivilTime(local: now).year
        let last = try database.first("SELECT max(number) FROM incident WHERE year=?1", SQLValue(year)) {
            row throws(DatabaseError) in row.optionalInteger(0) ?? 0
        }
        return IncidentNumber(year: year, number: Int(last ?? 0) + 1)
    }
}
