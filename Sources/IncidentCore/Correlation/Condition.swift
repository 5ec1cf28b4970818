package import Platform

/// What a detector says about the world. People never set it: their word on an incident is ``IncidentStatus``.
package enum Condition: String, Sendable, Codable, CaseIterable {
    /// It is so now, and stays so until the same detector clears it.
    case active
    /// It was so, and is over.
    case cleared
    /// It happened at one moment and has no end to wait for: a file was changed.
    case momentary

    package var title: Phrase {
        switch self {
        case .active: Phrase(vi: "đang diễn ra", en: "active")
        case .cleared: Phrase(vi: "đã hết", en: "cleared")
        case .momentary: Phrase(vi: "đã xảy ra", en: "occurred")
        }
    }
}
