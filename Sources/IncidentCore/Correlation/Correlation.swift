package import Platform

/// An incident that is not closed, as the rules see it.
package struct CorrelatedIncident: Sendable, Equatable {
    package var id: String
    /// Group and scope of the finding that opened it: `files|watch:etc`.
    package var key: String
    /// Name of the rule it stands under now.
    package var rule: String
    package var severity: Severity
    package var status: IncidentStatus
    package var lastFinding: Timestamp
    /// Keys of findings that are active in it: what a clearing finding can clear.
    package var activeKeys: Set<String>

    package init(
        id: String, key: String, rule: String, severity: Severity, status: IncidentStatus, lastFinding: Timestamp,
        activeKeys: Set<String> = []
    ) {
        self.id = id
        self.key = key
        self.rule = rule
        self.severity = severity
        self.status = status
        self.lastFinding = lastFinding
        self.activeKeys = activeKeys
    }
}

/// What one finding leads to.
package enum CorrelationDecision: Sendable, Equatable {
    /// A new incident under `rule`.
    case open(rule: String, severity: Severity, key: String)
    /// Joins `incident`. `rule` is set when the incident becomes one of another rule, with its playbook and hold; `severity`
    /// when it becomes worse; `reopens` when people had called it resolved and it happens again.
    case attach(incident: String, rule: String?, severity: Severity?, reopens: Bool)
    case record
}

/// Decides what findings lead to. The only place that does; pure, so that the table can be tested row by row.
package enum Correlation {
    /// The row for a kind of finding. The last row matches everything.
    package static func rule(for kind: String) -> CorrelationRule? { rules.first { $0.matches(kind) } }

    package static func rule(named name: String) -> CorrelationRule? { rules.first { $0.name == name } }

    /// What an incident about `finding` is known by while it is not closed.
    package static func key(for finding: Finding, under rule: CorrelationRule) -> String {
        "\(rule.group)|\(rule.scope.text(for: finding))"
    }

    /// Decides about one finding.
    ///
    /// - Parameters:
    ///   - incidents: Those that are not closed; others under different keys may be among them.
    ///   - recentSuspiciousFiles: Changed, removed or renamed files of the same area, by findings already recorded within
    ///     the window of the rule's escalation before this one.
    package static func decide(
        _ finding: Finding, incidents: [CorrelatedIncident], recentSuspiciousFiles: Int64
    ) -> CorrelationDecision {
        guard var rule = rule(for: finding.kind), rule.effect != .records else { return .record }
        let key = key(for: finding, under: rule)
        if let escalation = rule.escalation, let volume = finding.volume,
            volume.suspicious > 0, recentSuspiciousFiles + volume.suspicious >= escalation.suspiciousFiles,
            let worse = Self.rule(named: escalation.rule)
        {
            rule = worse
        }
        let existing = incidents.last { incident in
            guard incident.key == key, incident.status != .closed else { return false }
            guard let window = rule.windowSeconds else { return true }
            return finding.moment.seconds - incident.lastFinding.seconds <= window
        }
        let severity = max(rule.severityFloor, finding.severity)
        guard let existing else {
            return rule.effect == .clears ? .record : .open(rule: rule.name, severity: severity, key: key)
        }
        if rule.effect == .clears {
            // "Up" of a check that was never down in it says nothing about the incident.
            guard existing.activeKeys.contains(finding.key) else { return .record }
            return .attach(incident: existing.id, rule: nil, severity: nil, reopens: false)
        }
        // Under another row of its group the incident moves only upwards: an incomplete backup does not soften a failed one.
        let current = Self.rule(named: existing.rule)
        let moves = rule.name != existing.rule && rule.severityFloor > (current?.severityFloor ?? .low)
        return .attach(
            incident: existing.id, rule: moves ? rule.name : nil,
            severity: severity > existing.severity ? severity : nil, reopens: existing.status == .resolved)
    }
}
