internal import BackupEngine
package import Platform

/// What retention makes of one snapshot.
package struct RetentionVerdict: Sendable, Equatable {
    package var snapshot: String
    package var isKept: Bool
    /// Why it is kept, or why it may go.
    package var reason: Phrase
}

/// Applies a job's policy to its receipts. Pure: whatever it needs to know comes in.
package enum RetentionDecision {
    /// Decides about every snapshot of one job in one repository.
    ///
    /// Counts our time of receipt. What waits for a person's word takes no place and keeps what it would have displaced;
    /// snapshots without a receipt are counted among themselves.
    ///
    /// - Parameters:
    ///   - receipts: All that lie there, in any order.
    ///   - alarm: The open alarm: while there is one, nothing is displaced.
    package static func verdicts(
        _ receipts: [Receipt], keep retention: Retention, alarm: String?, now: Timestamp, zone: ZoneRules = .local
    ) -> [RetentionVerdict] {
        if let alarm {
            let reason = Phrase(vi: "đang có báo động \(alarm)", en: "alarm \(alarm) is open")
            return receipts.map { RetentionVerdict(snapshot: $0.snapshot, isKept: true, reason: reason) }
        }
        var result: [RetentionVerdict] = []
        var counted: [ReceiptOrigin: [Receipt]] = [:]
        let newestWhole = receipts.filter { $0.standing == .trusted && !$0.isIncomplete && $0.origin != .seen }.map(\.received).max()
        for receipt in receipts {
            if let verdict = uncounted(receipt, retention, newestWhole: newestWhole) {
                result.append(verdict)
            } else {
                counted[receipt.origin == .seen ? .seen : .made, default: []].append(receipt)
            }
        }
        for group in counted.values { result += planned(group, retention, now, zone) }
        return result
    }

    /// The verdict about a snapshot that takes no place in the policy; nil for one that does.
    private static func uncounted(_ receipt: Receipt, _ retention: Retention, newestWhole: Timestamp?) -> RetentionVerdict? {
        func verdict(_ isKept: Bool, _ vi: String, _ en: String) -> RetentionVerdict {
            RetentionVerdict(snapshot: receipt.snapshot, isKept: isKept, reason: Phrase(vi: vi, en: en))
        }
        switch receipt.standing {
        case .rejected: return verdict(false, "bị loại theo lời một người", "rejected by a person")
        case .implausible, .suspect:
            let title = receipt.standing.title
            return verdict(true, "\(title.vi), chờ người xác nhận", "\(title.en), waits for a person's word")
        case .trusted:
            if !receipt.isIncomplete || retention.countsIncomplete { return nil }
            if let newestWhole, newestWhole > receipt.received {
                return verdict(false, "không trọn vẹn, đã có bản trọn vẹn mới hơn", "incomplete, and a newer one is complete")
            }
            return verdict(true, "không trọn vẹn nhưng là bản mới nhất", "incomplete, but nothing newer is complete")
        }
    }

    private static func planned(_ group: [Receipt], _ retention: Retention, _ now: Timestamp, _ zone: ZoneRules) -> [RetentionVerdict] {
        let candidates = group.compactMap(\.candidate)
        let plan = retention.policy.plan(for: candidates, now: now, zone: zone)
        // Whatever the policy says, one snapshot stays; and with a damaged record nothing is decided.
        if plan.keep.isEmpty || candidates.count != group.count {
            let reason = Phrase(vi: "quy tắc không giữ lại bản nào nên không áp dụng", en: "the policy would keep nothing, so it is not applied")
            return group.map { RetentionVerdict(snapshot: $0.snapshot, isKept: true, reason: reason) }
        }
        return plan.keep.map { kept in
            RetentionVerdict(
                snapshot: kept.candidate.snapshot.id.hex, isKept: true, reason: Phrase(verbatim: kept.reasons.joined(separator: ", ")))
        }
            + plan.remove.map { candidate in
                RetentionVerdict(
                    snapshot: candidate.snapshot.id.hex, isKept: false,
                    reason: Phrase(vi: "không còn quy tắc nào giữ (\(retention.text))", en: "no rule keeps it any more (\(retention.text))"))
            }
    }
}
