package import Platform

/// A response plan: what to do in one kind of incident, step by step.
///
/// The steps form a graph without circles: from ``start`` every step can be reached, and every way comes to an end.
package struct Playbook: Sendable, Hashable {
    package let id: String
    /// Counts up with every issue; starts at 1.
    package let version: Int
    package let title: Phrase
    package let description: Phrase
    /// Kinds of findings that this playbook answers; see ``FindingKind``.
    package let triggers: [String]
    /// How bad such an incident is at least.
    package let severity: Severity
    /// The role that answers for the whole response.
    package let owner: TeamRole
    /// Which rules of law bear on it, and which of the texts is advice only.
    package let legalNote: Phrase
    /// What to do when this system itself is not available.
    package let offlineNote: Phrase?
    /// The first step.
    package let start: String
    /// In the order of the file, which is the order on paper.
    package let steps: [PlaybookStep]
    /// SHA-256 of the bytes of the file: which text was in force is part of the record.
    package let digest: Digest
    /// The bytes of the file, as they were read: a run keeps its own copy.
    package let source: [UInt8]

    /// `2`: the version for people and for the record.
    package var versionText: String { String(version) }

    /// The steps whose turn it is when the playbook is attached.
    package var firstSteps: [PlaybookStep] { step(start).map { [$0] } ?? [] }

    package func step(_ id: String) -> PlaybookStep? { steps.first { $0.id == id } }
}
