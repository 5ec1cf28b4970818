package import Platform

/// How a run ended.
package enum RunOutcome: String, Codable, Sendable, CaseIterable {
    case complete
    /// There is a snapshot, but something that was asked for is missing in it.
    case incomplete
    case failed

    package var title: Phrase {
        switch self {
        case .complete: Phrase(vi: "trọn vẹn", en: "complete")
        case .incomplete: Phrase(vi: "chưa trọn vẹn", en: "incomplete")
        case .failed: Phrase(vi: "thất bại", en: "failed")
        }
    }

    /// 0 is best.
    var rank: Int {
        switch self {
        case .complete: 0
        case .incomplete: 1
        case .failed: 2
        }
    }
}

/// Why something failed, as it crosses a process boundary.
package struct FailureText: Codable, Sendable, Equatable {
    package var message: Phrase
    package var hint: Phrase?

    package init(message: Phrase, hint: Phrase?) {
        self.message = message
        self.hint = hint
    }

    package init(_ error: any Error) {
        let explained = error as? any ExplainedError
        self.init(message: explained?.message ?? Phrase(verbatim: escapedForDisplay("\(error)")), hint: explained?.hint)
    }
}

/// One path with what happened to it; the path as people see it.
package struct PathProblem: Codable, Sendable, Equatable {
    package var path: String
    package var reason: Phrase

    package init(path: String, reason: Phrase) {
        self.path = path
        self.reason = reason
    }
}

/// One backup job, run once: what the job process hands back.
package struct BackupResult: Codable, Sendable, Equatable {
    /// What became of one repository.
    package struct Target: Codable, Sendable, Equatable {
        package var repository: String
        package var outcome: RunOutcome
        /// Hex; nil when none was made.
        package var snapshot: String?
        package var tree: String?
        /// RFC 3339, of the snapshot.
        package var time: String?
        package var filesNew: Int64 = 0
        package var filesChanged: Int64 = 0
        package var filesUnmodified: Int64 = 0
        package var files: Int64 = 0
        package var bytes: Int64 = 0
        /// New data before and after compression.
        package var bytesAdded: Int64 = 0
        package var bytesStored: Int64 = 0
        package var unreadable: Int64 = 0
        /// The first of them.
        package var unreadableFirst: [PathProblem] = []
        package var notes: [Phrase] = []
        package var failure: FailureText?
        /// The file system of the repository had too little space left.
        package var isStoppedAtFloor = false
        package var durationMilliseconds: Int64 = 0
        /// What lay in the repository afterwards; nil when it could not be listed.
        package var observation: RepositoryObservation?

        package init(repository: String, outcome: RunOutcome) {
            self.repository = repository
            self.outcome = outcome
        }
    }

    /// Unreadable paths that travel with the result.
    static let listLimit = 20

    package var job: String
    package var asset: String?
    /// RFC 3339.
    package var started: String
    package var ended: String
    package var targets: [Target]

    package init(job: String, asset: String?, started: String, ended: String, targets: [Target]) {
        self.job = job
        self.asset = asset
        self.started = started
        self.ended = ended
        self.targets = targets
    }

    /// The same for people: without the listings, which may be long.
    package var summary: BackupResult {
        var result = self
        for index in result.targets.indices { result.targets[index].observation = nil }
        return result
    }

    /// The worst of the targets.
    package var outcome: RunOutcome { targets.map(\.outcome).max { $0.rank < $1.rank } ?? .failed }

    /// The result of a run whose process died or could not be started: every target failed.
    package static func failed(_ order: BackupOrder, started: Timestamp, ended: Timestamp, because failure: FailureText) -> BackupResult {
        BackupResult(
            job: order.job, asset: order.asset, started: viewTime(started), ended: viewTime(ended),
            targets: order.targets.map { target in
                var result = Target(repository: target.repository, outcome: .failed)
                result.failure = failure
                return result
            })
    }
}
