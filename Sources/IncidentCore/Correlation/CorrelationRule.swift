package import Platform

/// What belongs to one incident.
package enum CorrelationScope: Sendable {
    /// Findings with the same key: one watched area, one check, one job.
    case key
    /// Findings about the same asset; the key where no asset is named.
    case asset

    func text(for finding: Finding) -> String {
        switch self {
        case .key: finding.key
        case .asset: finding.asset.map { "asset:\($0)" } ?? finding.key
        }
    }
}

/// What a finding of a rule does.
package enum CorrelationEffect: Sendable {
    /// Opens an incident, or joins the one that is already there.
    case opens
    /// Joins an incident that is there, and says that its condition is over; opens none.
    case clears
    /// Enters the record and nothing else.
    case records
}

/// When many small findings together are a different, worse thing.
package struct CorrelationEscalation: Sendable {
    /// So many changed, removed or renamed files of one area ...
    package let suspiciousFiles: Int64
    /// ... within this time ...
    package let windowSeconds: Int64
    /// ... make it an incident of that rule.
    package let rule: String
}

/// One row of the table that turns findings into incidents.
package struct CorrelationRule: Sendable {
    package let name: String
    /// Rules of one group share incidents: `service.up` finds the incident that `service.down` opened.
    package let group: String
    /// Kinds of findings: a name, `area.*`, or `*`.
    package let kinds: [String]
    package let effect: CorrelationEffect
    /// The incident is at least as bad as this.
    package let severityFloor: Severity
    package let scope: CorrelationScope
    /// A finding joins an incident only when the incident's last finding is younger; nil: as long as it is not closed.
    package let windowSeconds: Int64?
    /// The finding kind by which the playbook is chosen; nil when none is needed.
    package let trigger: String?
    /// A low incident may close without a person when its condition cleared and no mandatory step was begun.
    package let mayCloseByItself: Bool
    /// The snapshots of all jobs that cover the root are held.
    package let holdsSnapshots: Bool
    package let escalation: CorrelationEscalation?
    package let title: Phrase

    init(
        _ name: String, group: String, kinds: [String], effect: CorrelationEffect = .opens, severityFloor: Severity = .low,
        scope: CorrelationScope = .key, windowSeconds: Int64? = nil, trigger: String? = nil, mayCloseByItself: Bool = false,
        holdsSnapshots: Bool = false, escalation: CorrelationEscalation? = nil, title: Phrase
    ) {
        self.name = name
        self.group = group
        self.kinds = kinds
        self.effect = effect
        self.severityFloor = severityFloor
        self.scope = scope
        self.windowSeconds = windowSeconds
        self.trigger = trigger
        self.mayCloseByItself = mayCloseByItself
        self.holdsSnapshots = holdsSnapshots
        self.escalation = escalation
        self.title = title
    }

    func matches(_ kind: String) -> Bool {
        kinds.contains { pattern in
            pattern == "*" || pattern == kind || (pattern.hasSuffix(".*") && kind.hasPrefix(pattern.dropLast()))
        }
    }
}
