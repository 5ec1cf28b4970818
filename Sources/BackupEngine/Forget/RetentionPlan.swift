package import Platform

/// A snapshot and the time that retention counts with.
package struct RetentionCandidate: Sendable {
    package let snapshot: Snapshot
    /// restic takes the time in the snapshot; the daemon the time at which it received it, which nobody can forge.
    package let time: Timestamp
    /// Seconds east of UTC; hours, days and weeks are those of this offset.
    package let utcOffsetSeconds: Int

    /// As restic counts: by what the snapshot says of itself.
    package init(_ snapshot: Snapshot) {
        self.init(snapshot, time: snapshot.time, utcOffsetSeconds: snapshot.utcOffsetSeconds)
    }

    package init(_ snapshot: Snapshot, time: Timestamp, utcOffsetSeconds: Int) {
        self.snapshot = snapshot
        self.time = time
        self.utcOffsetSeconds = utcOffsetSeconds
    }

    fileprivate var civil: CivilTime { CivilTime(utc: time.adding(seconds: Int64(utcOffsetSeconds))) }
}

/// What a policy makes of one group of snapshots, newest first.
package struct RetentionPlan: Sendable {
    package struct Kept: Sendable {
        package let candidate: RetentionCandidate
        /// restic's words: `daily snapshot`, `oldest weekly snapshot`, `within 7d`, `has tags [a, b]`; never empty.
        package let reasons: [String]
    }

    package var keep: [Kept] = []
    package var remove: [RetentionCandidate] = []
}

extension RetentionPolicy {
    /// Applies the policy to one group. Touches no repository.
    ///
    /// - Parameters:
    ///   - candidates: In any order. Of equal times the smaller ID counts as newer.
    ///   - now: Snapshots after it do not move the span rules.
    ///   - zone: The zone of this machine; see ``CalendarDuration``.
    package func plan(for candidates: [RetentionCandidate], now: Timestamp = .now(), zone: ZoneRules = .local) -> RetentionPlan {
        let ordered = candidates.sorted { $0.time != $1.time ? $0.time > $1.time : $0.snapshot.id < $1.snapshot.id }
        // When all are in the future restic counts back from the year 1, before which there is nothing.
        let newest = ordered.first { $0.time < now }
        let anchor = (time: newest?.time ?? Node.unsetTime, offset: newest?.utcOffsetSeconds ?? 0)
        func cutOff(_ span: CalendarDuration) -> Timestamp { span.before(anchor.time, utcOffsetSeconds: anchor.offset, zone: zone) }
        let withinCutOff = cutOff(within)
        var counting = countingRules
        var windows = windowRules
        let windowCutOffs = windows.map { cutOff($0.span) }

        var plan = RetentionPlan()
        for (number, candidate) in ordered.enumerated() {
            var reasons: [String] = []
            let isOldest = keepsOldest && number == ordered.count - 1
            let civil = candidate.civil
            for tags in tagLists where candidate.snapshot.hasTags(tags) {
                reasons.append("has tags [\(tags.joined(separator: ", "))]")
            }
            if !within.isZero, candidate.time > withinCutOff { reasons.append("within \(within.text)") }
            for index in counting.indices where counting[index].count != 0 {
                let key = counting[index].bucket.key(civil, number: number)
                guard key != counting[index].lastKey || isOldest else { continue }
                reasons.append((key == counting[index].lastKey ? "oldest " : "") + counting[index].reason)
                counting[index].lastKey = key
                if counting[index].count > 0 { counting[index].count -= 1 }
            }
            for index in windows.indices where !windows[index].span.isZero && candidate.time > windowCutOffs[index] {
                let key = windows[index].bucket.key(civil, number: number)
                guard key != windows[index].lastKey || isOldest else { continue }
                let prefix = key == windows[index].lastKey ? "oldest " : ""
                windows[index].lastKey = key
                reasons.append("\(prefix)\(windows[index].reason) \(windows[index].span.text)")
            }
            if reasons.isEmpty {
                plan.remove.append(candidate)
            } else {
                plan.keep.append(RetentionPlan.Kept(candidate: candidate, reasons: reasons))
            }
        }
        return plan
    }
}
