package import Platform

/// How bad a finding or an incident is. The order is that of the names: `low < medium < high < critical`.
package enum Severity: String, Sendable, Codable, CaseIterable, Comparable {
    case low, medium, high, critical

    /// 0 for low ... 3 for critical: what the projections store, so that SQL can compare.
    package var rank: Int64 {
        switch self {
        case .low: 0
        case .medium: 1
        case .high: 2
        case .critical: 3
        }
    }

    package init?(rank: Int64) {
        guard let match = Self.allCases.first(where: { $0.rank == rank }) else { return nil }
        self = match
    }

    package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

    package var title: Phrase {
        switch self {
        case .low: Phrase(vi: "thấp", en: "low")
        case .medium: Phrase(vi: "trung bình", en: "medium")
        case .high: Phrase(vi: "cao", en: "high")
        case .critical: Phrase(vi: "nghiêm trọng", en: "critical")
        }
    }
}
