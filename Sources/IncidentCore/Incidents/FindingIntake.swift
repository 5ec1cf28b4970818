internal import Ledger
internal import Platform

/// Carries out what ``Correlation`` decides about a finding: one transaction holds the finding, the incident, its playbook, the
/// hold and the notifications.
struct FindingIntake {
    let policy: ResponsePolicy
    let now: Timestamp

    private static let actor = Actor.system("correlation")

    /// A finding whose attachment lies on the disk already: nothing slow is left for the transaction.
    struct Prepared: Sendable {
        let finding: Finding
        let batch: Digest?
    }

    /// Records one finding and acts on it.
    func report(_ prepared: Prepared, in transaction: LedgerTransaction) throws -> FindingOutcome {
        let finding = prepared.finding
        if let fingerprint = finding.fingerprint, let earlier = try recorded(fingerprint, in: transaction.database) {
            return FindingOutcome(sequence: earlier.sequence, incident: earlier.incident, effect: .repeated)
        }
        guard let rule = Correlation.rule(for: finding.kind) else {
            let event = try record(prepared, in: transaction)
            return FindingOutcome(sequence: event.sequence, incident: nil, effect: .recorded)
        }
        let known = try IncidentTable.correlated(
            key: Correlation.key(for: finding, under: rule), in: transaction.database)
        var recent: Int64 = 0
        if let escalation = rule.escalation {
            recent = try suspiciousFiles(like: finding, within: escalation.windowSeconds, in: transaction.database)
        }
        let decision = Correlation.decide(finding, incidents: known, recentSuspiciousFiles: recent)
        let event = try record(prepared, in: transaction)
        switch decision {
        case .record:
            return FindingOutcome(sequence: event.sequence, incident: nil, effect: .recorded)
        case .open(let name, let severity, let key):
            let id = try open(
                rule: name, severity: severity, key: key, finding: finding, sequence: event.sequence, in: transaction)
            return FindingOutcome(sequence: event.sequence, incident: id, effect: .opened)
        case .attach(let id, let rule, let severity, let reopens):
            let effect = try attach(
                to: id, rule: rule, severity: severity, reopens: reopens, finding: finding, sequence: event.sequence,
                in: transaction)
            return FindingOutcome(sequence: event.sequence, incident: id, effect: effect)
        }
    }

    // MARK: Finding

    /// The finding that has this fingerprint already, if any.
    func recorded(_ fingerprint: String, in database: Database) throws -> (sequence: Int64, incident: String?)? {
        try database.first(
            "SELECT sequence, incident FROM finding WHERE fingerprint=?1 ORDER BY sequence LIMIT 1",
            SQLValue(bounded(fingerprint, 128))
        ) { row throws(DatabaseError) in (row.integer(0), row.optionalText(1)) }
    }

    private func suspiciousFiles(like finding: Finding, within seconds: Int64, in database: Database) throws -> Int64 {
        try database.first(
            "SELECT coalesce(sum(suspicious), 0) FROM finding WHERE key=?1 AND moment >= ?2 AND kind=?3",
            SQLValue(bounded(finding.key, 256)),
            SQLValue(finding.moment.adding(seconds: -seconds).millisecondsSinceEpoch), SQLValue(finding.kind)
        ) { row throws(DatabaseError) in row.integer(0) } ?? 0
    }

    private func record(_ prepared: Prepared, in transaction: LedgerTransaction) throws -> Event {
        let finding = prepared.finding
        var facts: [String: JSONValue] = [
            "source": JSONValue(bounded(finding.source, 64)), "kind": JSONValue(bounded(finding.kind, 64)),
            "severity": JSONValue(finding.severity.rawValue), "condition": JSONValue(finding.condition.rawValue),
            "key": JSONValue(bounded(finding.key, 256)), "summary": finding.summary.json(limit: 400),
        ]
        if finding.details != .object([:]), finding.details.canonicalBytes.count <= FindingPreparation.detailLimitBytes {
            facts["details"] = finding.details
        }
        if let asset = finding.asset { facts["asset"] = JSONValue(bounded(asset, 128)) }
        if let fingerprint = finding.fingerprint { facts["fingerprint"] = JSONValue(bounded(fingerprint, 128)) }
        if let volume = finding.volume {
            facts["total"] = JSONValue(volume.total)
            facts["suspicious"] = JSONValue(volume.suspicious)
        }
        if let root = finding.root { facts["root"] = JSONValue(bounded(root.description, 400)) }
        if let batch = prepared.batch { facts[Event.batchFact] = JSONValue(batch.hex) }
        var texts: [String: String] = [:]
        if !finding.items.isEmpty {
            texts["items"] = finding.items.prefix(FindingPreparation.shownItems).map(\.line).joined(separator: "\n")
        }
        return try transaction.append(
            EventDraft(
                kind: EventKind.findingRecorded, subject: bounded(finding.subject, 256), actor: .system(finding.source),
                moment: finding.moment, facts: facts, texts: texts))
    }

    // MARK: Incident

    private func open(
        rule name: String, severity: Severity, key: String, finding: Finding, sequence: Int64, in transaction: LedgerTransaction
    ) throws -> String {
        let rule = Correlation.rule(named: name)
        let opening = IncidentOpening(
            rule: name, correlation: key, severity: severity, asset: finding.asset,
            title: title(of: rule, finding), typedTitle: nil, assignee: nil,
            playbook: rule?.trigger.flatMap(policy.playbook(forTrigger:)))
        let id = try opening.write(actor: Self.actor, now: now, in: transaction)
        try join(id, finding, sequence, in: transaction)
        if let rule, rule.holdsSnapshots { try hold(for: id, rule, finding, in: transaction) }
        try Notifications.queue(.opened, incident: id, policy: policy, now: now, in: transaction)
        return id
    }

    private func title(of rule: CorrelationRule?, _ finding: Finding) -> Phrase {
        let title = rule?.title ?? finding.summary
        let subject = escapedForDisplay(bounded(finding.subject, 120))
        return Phrase(vi: "\(title.vi): \(subject)", en: "\(title.en): \(subject)")
    }

    private func join(_ id: String, _ finding: Finding, _ sequence: Int64, in transaction: LedgerTransaction) throws {
        try transaction.append(
            EventDraft(
                kind: EventKind.incidentFinding, subject: id, actor: Self.actor, moment: now,
                facts: [
                    "finding": JSONValue(sequence), "key": JSONValue(bounded(finding.key, 256)),
                    "condition": JSONValue(finding.condition.rawValue), "total": JSONValue(finding.volume?.total ?? 0),
                ]))
    }

    private func attach(
        to id: String, rule name: String?, severity: Severity?, reopens: Bool, finding: Finding, sequence: Int64,
        in transaction: LedgerTransaction
    ) throws -> FindingOutcome.Effect {
        try join(id, finding, sequence, in: transaction)
        if finding.condition == .cleared { return try cleared(id, in: transaction) ? .closed : .attached }
        if reopens {
            try transaction.append(
                EventDraft(
                    kind: EventKind.incidentReopened, subject: id, actor: Self.actor, moment: now,
                    facts: ["byItself": true, "finding": JSONValue(sequence)]))
        }
        let rule = name.flatMap(Correlation.rule(named:))
        if rule != nil || severity != nil {
            try escalate(id, to: rule, severity: severity, finding: finding, sequence: sequence, in: transaction)
            try Notifications.queue(.escalated, incident: id, policy: policy, now: now, in: transaction)
            return .escalated
        }
        if reopens { try Notifications.queue(.reopened, incident: id, policy: policy, now: now, in: transaction) }
        return reopens ? .reopened : .attached
    }

    private func escalate(
        _ id: String, to rule: CorrelationRule?, severity: Severity?, finding: Finding, sequence: Int64,
        in transaction: LedgerTransaction
    ) throws {
        var facts: [String: JSONValue] = ["finding": JSONValue(sequence)]
        if let severity { facts["severity"] = JSONValue(severity.rawValue) }
        if let rule {
            facts["rule"] = JSONValue(rule.name)
            facts["title"] = title(of: rule, finding).json()
        }
        try transaction.append(
            EventDraft(kind: EventKind.incidentEscalated, subject: id, actor: Self.actor, moment: now, facts: facts))
        guard let rule else { return }
        if let playbook = rule.trigger.flatMap(policy.playbook(forTrigger:)) {
            try PlaybookRuns.attach(playbook, to: id, actor: Self.actor, now: now, in: transaction)
        }
        if rule.holdsSnapshots { try hold(for: id, rule, finding, in: transaction) }
    }

    private func hold(
        for id: String, _ rule: CorrelationRule, _ finding: Finding, in transaction: LedgerTransaction
    ) throws {
        guard let root = finding.root else { return }
        for job in policy.jobs(covering: root) {
            _ = try Holds.place(
                job: job, incident: id,
                reason: Phrase(vi: "\(rule.title.vi) (\(id))", en: "\(rule.title.en) (\(id))"), now: now, actor: Self.actor,
                in: transaction)
        }
    }

    /// A condition of the incident is over. Closes the incident when nothing else is active in it and nobody needs to look.
    private func cleared(_ id: String, in transaction: LedgerTransaction) throws -> Bool {
        guard let incident = try IncidentTable.row(id, in: transaction.database), incident.condition == .cleared else { return false }
        try Notifications.queue(.cleared, incident: id, policy: policy, now: now, in: transaction)
        guard incident.severity == .low, incident.status != .closed,
            Correlation.rule(named: incident.rule)?.mayCloseByItself == true,
            try !PlaybookRuns.hasBegunMandatoryStep(of: id, in: transaction.database)
        else { return false }
        if incident.status == .open {
            try transaction.append(
                EventDraft(
                    kind: EventKind.incidentResolved, subject: id, actor: Self.actor, moment: now, facts: ["byItself": true]))
        }
        try transaction.append(
            EventDraft(
                kind: EventKind.incidentClosed, subject: id, actor: Self.actor, moment: now, facts: ["byItself": true]))
        return true
    }
}

/// What reporting one finding did.
package struct FindingOutcome: Sendable, Equatable {
    package enum Effect: String, Sendable {
        /// The same occurrence was recorded before; nothing was written.
        case repeated
        case recorded, opened, attached, escalated, reopened
        /// Its condition was the last one; the low incident closed by itself.
        case closed
    }
    /// The finding's event.
    package var sequence: Int64
    package var incident: String?
    package var effect: Effect
}

/// What is done with a finding before the transaction: large content goes to a batch file.
enum FindingPreparation {
    /// Details beyond this do not fit into a leaf; they join the batch file.
    static let detailLimitBytes = 1024
    /// Files named in an event, at most.
    static let shownItems = 10
    /// Bytes of a batch file of one finding, at most.
    static let attachmentLimitBytes = 64 << 20

    static func needsBatch(_ finding: Finding) -> Bool {
        finding.attachment != nil || finding.details.canonicalBytes.count > detailLimitBytes
    }

    static func prepare(_ finding: Finding, batches: BatchStore) throws -> FindingIntake.Prepared {
        guard needsBatch(finding) else { return FindingIntake.Prepared(finding: finding, batch: nil) }
        let content = finding.attachment ?? finding.details.canonicalBytes
        if content.count > attachmentLimitBytes {
            throw IncidentError(
                .invalidArgument,
                Phrase(
                    vi: "dữ liệu của một phát hiện dài \(content.count) byte, tối đa \(attachmentLimitBytes)",
                    en: "the data of one finding is \(content.count) bytes long, at most \(attachmentLimitBytes) are allowed"))
        }
        return FindingIntake.Prepared(finding: finding, batch: try batches.write(content))
    }
}
