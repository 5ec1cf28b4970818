package import Platform

/// A health check that changed its state, as far as incidents care.
package struct ServiceTransition: Sendable, Equatable {
    package var check: String
    package var isUp: Bool
    package var since: Timestamp
    package var detail: Phrase
    package var asset: String?
    /// True for a check of free space.
    package var isDiskSpace: Bool

    package init(check: String, isUp: Bool, since: Timestamp, detail: Phrase, asset: String?, isDiskSpace: Bool = false) {
        self.check = check
        self.isUp = isUp
        self.since = since
        self.detail = detail
        self.asset = asset
        self.isDiskSpace = isDiskSpace
    }
}

/// Findings about services.
package enum HealthFindings {
    /// An outage of a system that somebody answers for is medium; a check that belongs to no asset is low, and its incident
    /// closes by itself when the service is back.
    package static func transition(_ transition: ServiceTransition) -> Finding {
        let check = bounded(transition.check, 200)
        let kind =
            transition.isDiskSpace
            ? (transition.isUp ? FindingKind.diskNormal : FindingKind.diskLow)
            : (transition.isUp ? FindingKind.serviceUp : FindingKind.serviceDown)
        return Finding(
            source: "health", kind: kind, severity: transition.isUp || transition.asset == nil ? .low : .medium,
            condition: transition.isUp ? .cleared : .active, key: "check:\(check)", subject: check, asset: transition.asset,
            summary: Phrase(vi: "'\(check)': \(transition.detail.vi)", en: "'\(check)': \(transition.detail.en)"),
            moment: transition.since,
            fingerprint: "\(kind):\(bounded(check, 48)):\(transition.since.millisecondsSinceEpoch)")
    }
}
