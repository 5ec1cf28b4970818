package import Platform

/// An event that is about to be appended.
package struct EventDraft: Sendable {
    /// What happened, such as `incident.opened`: lowercase words joined by dots.
    package var kind: String
    /// What it happened to: the key that later events on the same thing share.
    package var subject: String
    package var actor: Actor
    /// When it happened; nil means now. Kept to the millisecond.
    package var moment: Timestamp?
    /// Facts for ever: they enter the leaf as they are.
    package var facts: [String: JSONValue]
    /// Free or personal text by field name: enters the leaf as a salted hash only, so that it can be erased later.
    package var texts: [String: String]

    package init(
        kind: String, subject: String, actor: Actor, moment: Timestamp? = nil, facts: [String: JSONValue] = [:],
        texts: [String: String] = [:]
    ) {
        self.kind = kind
        self.subject = subject
        self.actor = actor
        self.moment = moment
        self.facts = facts
        self.texts = texts
    }
}

/// An event of the ledger.
package struct Event: Sendable, Hashable {
    /// Place in the ledger, from 0: the index of its leaf in the Merkle tree.
    package let sequence: Int64
    /// Whole milliseconds.
    package let moment: Timestamp
    package let kind: String
    package let subject: String
    package let actor: Actor
    package let facts: [String: JSONValue]
    /// Texts by field name; nil where the text was erased.
    package let texts: [String: String?]

    /// The text of a field; nil when there is none or it was erased.
    package func text(_ field: String) -> String? { texts[field] ?? nil }
    package func isRedacted(_ field: String) -> Bool { texts[field] == .some(.none) }

    /// The name of the fact that holds the SHA-256 (64 hex digits) of a batch file of this event.
    package static let batchFact = "batch"

    /// The batch file that belongs to this event.
    package var batch: Digest? { facts[Self.batchFact]?.string.flatMap { Digest(hex: $0) } }
}
