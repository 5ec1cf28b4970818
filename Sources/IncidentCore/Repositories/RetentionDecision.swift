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
            func verdict(_ isKept: Bool, _ vi: String, _ en: String) {
                result.append(RetentionVerdict(snapshot: receipt.snapshot, isKept: isKept, reason: Phrase(vi: vi, en: en)))
            }
            switch receipt.standing {
            case .rejected: verdict(false, "bị loại theo lời một người", "rejected by a person")
            case .implausible, .suspect:
                verdict(true, "\(receipt.standing.title.vi), chờ người xác nhận", "\(receipt.standing.title.en), waits for a person's word")
            case .trusted where receipt.isIncomplete && !retention.countsIncomplete:
                if let newestWhole, newestWhole > receipt.received {
                    verdict(false, "không trọn vẹn, đã có bản trọn vẹn mới hơn", "incomplete, and a newer one is complete")
                } else {
                    verdict(true, "không trọn vẹn nhưng là bản mới nhất", "incomplete, but nothing newer is complete")
                }
            case .trusted: counted[receipt.origin == .seen ? .seen : .made, default: []].append(receipt)
            }
        }
        for group in counted.values { result += planned(group, retention, now, zone) }
        // Whatever the policy says, one snapshot that can be trusted stays.
        return result
    }

    private static func planned(_ group: [Receipt], _ retention: Retention, _ now: Timestamp, _ zone: ZoneRules) -> [RetentionVerdict] {
        let candidates = group.compactMap(\.candidate)
        let plan = retention.policy.plan(for: candidates, now: now, zone: zone)
        let safe = plan.keep.isEmpty || candidates.count != group.count
        if safe {
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
