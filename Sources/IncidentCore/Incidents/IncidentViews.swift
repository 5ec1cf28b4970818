package import Platform

/// One line of a list of incidents.
package struct IncidentSummary: Codable, Sendable, Equatable {
    package var id: String
    package var title: Phrase
    package var severity: Severity
    package var status: IncidentStatus
    package var condition: Condition
    /// The row of the rule table it stands under.
    package var rule: String
    package var asset: String?
    /// RFC 3339, as all times of views.
    package var opened: String
    package var updated: String
    package var closed: String?
    package var closedByItself: Bool
    package var assignee: String?
    package var findings: Int64
    package var files: Int64
    package var playbook: String?
    package var next: NextStepView?
}

/// What to do now, who does it, and until when.
package struct NextStepView: Codable, Sendable, Equatable {
    package var step: String
    package var title: Phrase
    package var state: StepState
    package var role: TeamRole
    package var roleTitle: Phrase
    /// Who holds the role, the first in charge first.
    package var people: [ContactView]
    package var deadline: String?
    package var isOverdue: Bool
}

/// A member of the team, as the team sees them.
package struct ContactView: Codable, Sendable, Equatable {
    package var name: String
    package var fullName: String
    package var phone: String?
}

/// One finding of an incident.
package struct FindingView: Codable, Sendable, Equatable {
    package var sequence: Int64
    package var moment: String
    package var kind: String
    package var severity: Severity
    package var condition: Condition
    package var subject: String
    package var summary: Phrase
    package var files: Int64
    /// The first few files; empty when there are none, nil when their names were erased.
    package var items: [FindingItem]?
    /// Digest of the batch file that has all of it.
    package var batch: String?
}

/// One event of an incident's history.
package struct TimelineEntry: Codable, Sendable, Equatable {
    package var sequence: Int64
    package var moment: String
    package var kind: String
    package var actor: String
    package var summary: Phrase
    /// What the person wrote.
    package var note: String?
    package var isNoteErased: Bool
}

/// One step of a running playbook.
package struct StepView: Codable, Sendable, Equatable {
    package var id: String
    package var phase: PlaybookPhase
    package var phaseTitle: Phrase
    package var title: Phrase
    package var instructions: Phrase
    package var evidence: Phrase?
    package var role: TeamRole
    package var roleTitle: Phrase
    package var isMandatory: Bool
    package var state: StepState
    package var started: String?
    package var startedBy: String?
    package var ended: String?
    package var endedBy: String?
    package var deadline: String?
    package var isOverdue: Bool
    /// The steps that may follow; several: a person chooses.
    package var next: [String]
}

/// A playbook at work in an incident.
package struct PlaybookRunView: Codable, Sendable, Equatable {
    package var run: Int64
    package var playbook: String
    package var version: String
    package var title: Phrase
    /// SHA-256 of the text in force for this run.
    package var digest: String
    package var attached: String
    /// When another playbook took its place.
    package var superseded: String?
    package var isFinished: Bool
    package var legalNote: Phrase
    package var offlineNote: Phrase?
    package var steps: [StepView]
}

/// Everything about one incident.
package struct IncidentDetail: Codable, Sendable, Equatable {
    /// Findings and timeline entries shown, at most; the counters in the summary are exact.
    package static let listLimit = 500
    /// Of a busy incident the first findings, which say how it began, and the newest are shown.
    static let firstFindings = 50

    package var summary: IncidentSummary
    package var findings: [FindingView]
    package var timeline: [TimelineEntry]
    /// The oldest first; the last one that is not superseded is at work.
    package var runs: [PlaybookRunView]
    package var holds: [HoldView]
    /// What still keeps it from being closed without a reason.
    package var openMandatorySteps: [String]
}
