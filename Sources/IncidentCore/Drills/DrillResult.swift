package import Platform

/// How a drill ended.
package enum DrillOutcome: String, Codable, Sendable, CaseIterable {
    /// Everything was restored, read back and found equal; the objectives were met.
    case passed
    /// Restored and equal, but too slow, or the snapshot too old.
    case objectivesMissed
    case failed

    package var title: Phrase {
        switch self {
        case .passed: Phrase(vi: "đạt", en: "passed")
        case .objectivesMissed: Phrase(vi: "khôi phục được nhưng không đạt cam kết", en: "restored, but objectives missed")
        case .failed: Phrase(vi: "không đạt", en: "failed")
        }
    }
}

/// One drill: what the job process hands back, and what the record keeps.
package struct DrillResult: Codable, Sendable, Equatable {
    /// One condition beyond equality.
    package struct Assertion: Codable, Sendable, Equatable {
        package var name: String
        package var isPassed: Bool
        package var detail: Phrase
    }

    /// Problems that travel with the result.
    static let listLimit = 20

    package var drill: String
    package var job: String
    package var asset: String?
    package var repository: String
    /// Hex; nil when none was found.
    package var snapshot: String?
    /// RFC 3339.
    package var snapshotTime: String?
    package var started: String
    package var ended: String
    package var outcome: DrillOutcome
    /// From the start until everything was verified; nil when it never was.
    package var recoveryTimeMilliseconds: Int64?
    package var recoveryTimeObjectiveSeconds: Int?
    /// Age of the snapshot at the start: the work that would have been lost.
    package var recoveryPointSeconds: Int64?
    package var recoveryPointObjectiveSeconds: Int?
    package var files: Int64 = 0
    package var bytes: Int64 = 0
    package var filesVerified: Int64 = 0
    package var bytesVerified: Int64 = 0
    /// What is missing or different; the first ones.
    package var problems: [PathProblem] = []
    package var problemCount: Int64 = 0
    package var assertions: [Assertion] = []
    /// Why it could not be carried out to the end.
    package var failure: FailureText?
    /// Set when restored files could not be removed again: somebody must do it.
    package var leftover: FailureText?

    package init(_ order: DrillOrder, started: Timestamp) {
        drill = order.drill
        job = order.job
        asset = order.asset
        repository = order.repository
        recoveryTimeObjectiveSeconds = order.recoveryTimeObjectiveSeconds
        recoveryPointObjectiveSeconds = order.recoveryPointObjectiveSeconds
        self.started = viewTime(started)
        ended = viewTime(started)
        outcome = .failed
    }

    /// The result of a drill whose process died or could not be started.
    package static func failed(_ order: DrillOrder, started: Timestamp, ended: Timestamp, because failure: FailureText) -> DrillResult {
        var result = DrillResult(order, started: started)
        result.ended = viewTime(ended)
        result.failure = failure
        return result
    }

    package var meetsRecoveryTime: Bool? {
        guard let objective = recoveryTimeObjectiveSeconds else { return nil }
        return recoveryTimeMilliseconds.map { $0 <= Int64(objective) * 1000 } ?? false
    }

    package var meetsRecoveryPoint: Bool? {
        guard let objective = recoveryPointObjectiveSeconds else { return nil }
        return recoveryPointSeconds.map { $0 <= Int64(objective) } ?? false
    }
}
