package import Platform

/// Where a job stands against its promise.
package enum RecoveryPointState: String, Codable, Sendable, CaseIterable {
    case withinObjective
    /// The newest good snapshot is older than the objective.
    case exceeded
    /// There is no good snapshot yet.
    case none
    /// Nothing was promised.
    case noObjective

    package var title: Phrase {
        switch self {
        case .withinObjective: Phrase(vi: "đạt RPO", en: "within RPO")
        case .exceeded: Phrase(vi: "vượt RPO", en: "RPO exceeded")
        case .none: Phrase(vi: "chưa có bản sao lưu tốt", en: "no good snapshot yet")
        case .noObjective: Phrase(vi: "không đặt RPO", en: "no RPO set")
        }
    }
}

/// One run to one repository.
package struct JobRunView: Codable, Sendable, Equatable {
    package var sequence: Int64
    package var repository: String
    /// RFC 3339.
    package var started: String
    package var ended: String
    package var outcome: RunOutcome
    package var snapshot: String?
    package var files: Int64
    package var bytes: Int64
    package var bytesStored: Int64
    package var unreadable: Int64
    package var failure: Phrase?
}

/// A backup job and how well it protects.
package struct JobView: Codable, Sendable, Equatable {
    package var name: String
    package var asset: String?
    package var repositories: [String]
    /// Text of the schedule; nil: on demand.
    package var schedule: String?
    package var nextRun: String?
    package var recoveryPoint: RecoveryPointState
    package var recoveryPointObjectiveSeconds: Int?
    package var recoveryTimeObjectiveSeconds: Int?
    /// Time of the newest complete snapshot, in any repository; nil when there is none.
    package var newestSnapshot: String?
    package var newestSnapshotAgeSeconds: Int64?
    /// The last run to each repository.
    package var lastRuns: [JobRunView]
    package var isHeld: Bool
    /// `daily 14, weekly 8`; nil: nothing is deleted because of this job.
    package var keep: String?
    /// Snapshots that wait for a person's word before they may displace older ones.
    package var waitingSnapshots: Int
}
