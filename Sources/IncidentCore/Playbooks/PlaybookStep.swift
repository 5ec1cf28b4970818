package import Platform

/// One thing that people do in a response, and what follows it.
package struct PlaybookStep: Sendable, Hashable {
    package let id: String
    package let phase: PlaybookPhase
    package let title: Phrase
    /// Several lines; shown as written.
    package let instructions: Phrase
    /// Who does it.
    package let role: TeamRole
    /// A mandatory step is done or, with a reason, skipped before the incident can be closed.
    package let isMandatory: Bool
    /// Seconds from the opening of the incident; nil: no limit.
    package let deadlineSeconds: Int?
    /// What must be recorded when the step is done; nil: a note is enough.
    package let evidence: Phrase?
    /// The steps that may follow. One: it follows. Several: a person chooses. None: the run ends here.
    package let next: [String]
}
