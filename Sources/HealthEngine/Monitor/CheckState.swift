package import Platform

/// What is known about a check.
package enum HealthState: String, Sendable, Hashable, Codable {
    /// Not enough results yet.
    case unknown
    case up
    case down
    /// It fails, but so does its parent: nothing can be said about itself.
    case unreachable
}

/// A change that somebody should hear of.
package struct HealthTransition: Sendable, Hashable {
    package let check: HealthCheck
    /// `.up`, `.down` or `.unreachable`.
    package let state: HealthState
    /// The first of the results that led here.
    package let since: Timestamp
    /// What the newest of them saw.
    package let detail: Phrase
    /// Failures in a row, up to now for `.down` and `.unreachable`, before the recovery for `.up`.
    package let failures: Int
    /// The state before.
    package let previous: HealthState
}

/// The state machine of one check. Pure: results and moments come in, transitions come out.
///
/// - `down` failures in a row make it down; fewer are forgotten with the next success, so flapping stays quiet.
/// - `up` successes in a row after that are the recovery, reported once; a failure in between starts the count again.
/// - The first success of a new check settles it as up without a word; nobody waits for news that all is as it should be.
/// - While the parent fails, nothing is said about the child; once the parent is down, the child is unreachable instead of down.
package struct CheckState: Sendable {
    /// How the parent is doing.
    package enum Parent: Sendable {
        /// None, or working, or nothing known about it.
        case fine
        /// Fails, but not yet often enough to be down.
        case failing
        /// Down or unreachable itself.
        case down
    }

    package let check: HealthCheck
    package private(set) var state: HealthState = .unknown
    /// When the state began.
    package private(set) var since: Timestamp?
    package private(set) var last: ProbeResult?
    package private(set) var lastMoment: Timestamp?
    private var failures = 0
    private var successes = 0
    private var streakBegan: Timestamp?
    /// Unreachable, but the parent works again: failures count anew, as the earlier ones may have been the parent's.
    private var isWayOpen = false

    /// - Parameter known: The state that was last reported, from before a restart; its recovery is then still reported.
    package init(_ check: HealthCheck, known: HealthState = .unknown, since: Timestamp? = nil) {
        self.check = check
        state = known
        self.since = since
    }

    /// Failures in a row, up to now.
    package var failuresInRow: Int { failures }

    /// What a child of this check must assume.
    package var asParent: Parent {
        switch state {
        case .down, .unreachable: .down
        case .up, .unknown: failures > 0 ? .failing : .fine
        }
    }

    /// Takes one result.
    ///
    /// - Returns: The transition it caused, if any.
    package mutating func record(_ result: ProbeResult, at moment: Timestamp, parent: Parent = .fine) -> HealthTransition? {
        let isNewStreak = last.map { $0.isUp != result.isUp } ?? true
        if isNewStreak { streakBegan = moment }
        last = result
        lastMoment = moment
        return result.isUp ? recordSuccess(result, moment) : recordFailure(result, moment, parent)
    }

    private mutating func recordSuccess(_ result: ProbeResult, _ moment: Timestamp) -> HealthTransition? {
        successes += 1
        switch state {
        case .up:
            failures = 0
            return nil
        case .unknown:
            failures = 0
            state = .up
            since = moment
            return nil
        case .down, .unreachable:
            if successes < check.up { return nil }
            let before = failures
            failures = 0
            return enter(.up, result, moment, failures: before)
        }
    }

    private mutating func recordFailure(
        _ result: ProbeResult, _ moment: Timestamp, _ parent: Parent
    ) -> HealthTransition? {
        successes = 0
        failures += 1
        if state == .down { return nil }
        switch parent {
        case .down:
            isWayOpen = false
            if state == .unreachable || failures < check.down { return nil }
            return enter(.unreachable, result, moment, failures: failures)
        case .failing:
            // The parent decides first: it is about to be down, or its next success clears the way.
            return nil
        case .fine:
            if state == .unreachable && !isWayOpen {
                isWayOpen = true
                failures = 1
                streakBegan = moment
            }
            if failures < check.down { return nil }
            return enter(.down, result, moment, failures: failures)
        }
    }

    private mutating func enter(
        _ new: HealthState, _ result: ProbeResult, _ moment: Timestamp, failures: Int
    ) -> HealthTransition {
        let previous = state
        state = new
        isWayOpen = false
        since = streakBegan ?? moment
        return HealthTransition(
            check: check, state: new, since: streakBegan ?? moment, detail: result.detail, failures: failures, previous: previous)
    }
}
