package import Platform

/// How far people have come with an incident: `open → resolved → closed`, and back to `open` by reopening.
package enum IncidentStatus: String, Sendable, Codable, CaseIterable {
    case open, resolved, closed

    package var title: Phrase {
        switch self {
        case .open: Phrase(vi: "đang xử lý", en: "open")
        case .resolved: Phrase(vi: "đã khắc phục", en: "resolved")
        case .closed: Phrase(vi: "đã đóng", en: "closed")
        }
    }
}
