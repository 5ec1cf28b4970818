package import BackupEngine
package import Platform

/// What the job process is told about forgetting and pruning in one repository.
package struct UpkeepOrder: Codable, Sendable, Equatable {
    package var repository: RepositoryReference
    /// Snapshots that the ledger knows: they need not be read again.
    package var known: [String]
    /// Asks the core what may go, and removes it.
    package var forgets: Bool
    /// Removes data that no snapshot uses.
    package var prunes: Bool
    /// Says what would be done.
    package var isDryRun: Bool

    package init(repository: RepositoryReference, known: [String], forgets: Bool, prunes: Bool, isDryRun: Bool = false) {
        self.repository = repository
        self.known = known
        self.forgets = forgets
        self.prunes = prunes
        self.isDryRun = isDryRun
    }
}

/// Job to core, while it works on a repository; the core answers from the ledger.
package enum UpkeepQuestion: Codable, Sendable {
    /// What lies there now. The answer is what may be removed.
    case observed(RepositoryObservation)
    /// Asked right before each removal: a hold made meanwhile wins.
    case mayRemove(String)
}

/// Core to job.
package enum UpkeepAnswer: Codable, Sendable {
    /// Snapshots to remove, by ID.
    case plan([String])
    case allowed
    case refused(Phrase)
    case failed(FailureText)
}

/// A snapshot that stayed although the plan would have removed it.
package struct SnapshotKept: Codable, Sendable, Equatable {
    package var snapshot: String
    package var reason: Phrase

    package init(snapshot: String, reason: Phrase) {
        self.snapshot = snapshot
        self.reason = reason
    }
}

/// What became of an upkeep: what the job process hands back.
package struct UpkeepResult: Codable, Sendable, Equatable {
    package var repository: String
    package var forgets: Bool
    package var prunes: Bool
    package var isDryRun: Bool
    /// RFC 3339.
    package var started: String
    package var ended: String
    /// Snapshots that were removed; in a dry run those that would be.
    package var removed: [String] = []
    package var kept: [SnapshotKept] = []
    /// Bytes of files that pruning removed, and of those it wrote anew.
    package var bytesRemoved: Int64 = 0
    package var bytesRewritten: Int64 = 0
    package var failure: FailureText?
    /// Somebody else works there: no failure, only a wrong moment.
    package var isLocked = false

    package init(_ order: UpkeepOrder, started: Timestamp, ended: Timestamp) {
        repository = order.repository.name
        forgets = order.forgets
        prunes = order.prunes
        isDryRun = order.isDryRun
        self.started = viewTime(started)
        self.ended = viewTime(ended)
    }

    /// The result of an upkeep whose process died or could not be started.
    package static func failed(_ order: UpkeepOrder, started: Timestamp, ended: Timestamp, because failure: FailureText) -> UpkeepResult {
        var result = UpkeepResult(order, started: started, ended: ended)
        result.failure = failure
        return result
    }
}

/// Forgets and prunes. Lives in the job process; whatever it removes, it has asked the core before.
package struct UpkeepRunner: Sendable {
    /// Asks the core. Throws when it is gone: nothing is removed without an answer.
    package typealias Ask = @Sendable (UpkeepQuestion) throws(RepositoryError) -> UpkeepAnswer

    private let access: RepositoryAccess
    private let ask: Ask
    private let now: @Sendable () -> Timestamp

    package init(access: RepositoryAccess, ask: @escaping Ask, now: @escaping @Sendable () -> Timestamp = { .now() }) {
        self.access = access
        self.ask = ask
        self.now = now
    }

    /// Carries out an order.
    ///
    /// - Returns: What became of it. Never throws: a failure is a result.
    package func run(_ order: UpkeepOrder, cancellation: CancellationFlag, progress: @escaping JobProgress) -> UpkeepResult {
        var result = UpkeepResult(order, started: now(), ended: now())
        do {
            try work(order, &result, cancellation, progress)
        } catch {
            result.isLocked = (error as? RepositoryError)?.code == .locked
            result.failure = FailureText(error)
        }
        result.ended = viewTime(now())
        return result
    }

    private func work(
        _ order: UpkeepOrder, _ result: inout UpkeepResult, _ cancellation: CancellationFlag, _ progress: @escaping JobProgress
    ) throws {
        try cancellation.check()
        progress(nil, order.repository.name)
        let removals = LockRemovals()
        let repository = try access.open(order.repository, removals: removals, cancellation: cancellation)
        let lock = try repository.lock(exclusive: !order.isDryRun)
        defer { lock.release() }
        let observation = try RepositoryObservation(
            order.repository, repository, known: Set(order.known), locksRemoved: removals.all)
        let plan = try question(.observed(observation))
        var ignored: Set<Digest> = []
        if order.forgets, case .plan(let ids) = plan {
            ignored = try forget(ids, in: repository, order, &result, cancellation, progress)
        }
        if order.prunes {
            try cancellation.check()
            try prune(repository, ignoring: ignored, under: lock, order, &result, cancellation, progress)
        }
    }

    private func prune(
        _ repository: Repository, ignoring ignored: Set<Digest>, under lock: RepositoryLock, _ order: UpkeepOrder, _ result: inout UpkeepResult,
        _ cancellation: CancellationFlag, _ progress: @escaping JobProgress
    ) throws {
        func show(_ state: PruneProgress) {
            progress(state.total == 0 ? nil : Double(state.done) / Double(state.total), "prune")
        }
        let plan = try repository.planPrune(PruneOptions(), ignoring: ignored, cancellation: cancellation, progress: show)
        result.bytesRemoved = Int64(clamping: plan.statistics.bytes.removeTotal)
        result.bytesRewritten = Int64(clamping: plan.statistics.bytes.repack)
        if order.isDryRun || plan.isEmpty { return }
        let report = try repository.prune(plan, lock: lock, cancellation: cancellation, progress: show)
        if let first = report.unremovedPacks.first { throw first.error }
    }

    /// - Returns: In a dry run what would be gone.
    private func forget(
        _ ids: [String], in repository: Repository, _ order: UpkeepOrder, _ result: inout UpkeepResult, _ cancellation: CancellationFlag,
        _ progress: @escaping JobProgress
    ) throws -> Set<Digest> {
        let snapshots = try ids.compactMap { Digest(hex: $0) }.map { id throws(RepositoryError) in try repository.loadSnapshot(id) }
        if order.isDryRun {
            result.removed = snapshots.map(\.id.hex)
            return Set(snapshots.map(\.id))
        }
        let report = try repository.removeSnapshots(
            snapshots, cancellation: cancellation,
            willRemove: { snapshot throws(RepositoryError) in
                switch try question(.mayRemove(snapshot.id.hex)) {
                case .allowed: return .allowed
                case .refused(let reason): return .held(reason)
                case .plan, .failed: throw Self.mixedUp
                }
            },
            progress: { done, total in progress(total == 0 ? nil : Double(done) / Double(total), "forget") })
        result.removed = report.removed.map(\.hex)
        result.kept = report.held.map { SnapshotKept(snapshot: $0.snapshot.id.hex, reason: $0.reason) }
        if let first = report.failed.first { throw first.error }
        return []
    }

    private func question(_ question: UpkeepQuestion) throws(RepositoryError) -> UpkeepAnswer {
        let answer = try ask(question)
        if case .failed(let failure) = answer {
            throw RepositoryError(
                .interrupted, Phrase(vi: "lõi không trả lời được: \(failure.message.vi)", en: "the core could not answer: \(failure.message.en)"),
                hint: failure.hint)
        }
        return answer
    }

    private static let mixedUp = RepositoryError(
        .interrupted, Phrase(vi: "lõi trả lời sai loại", en: "the core gave an answer of another kind"))
}
