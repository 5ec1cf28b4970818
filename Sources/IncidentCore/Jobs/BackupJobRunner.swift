package import BackupEngine
package import Platform

/// How far a job has come: a fraction (nil when unknown) and what is being worked on, safe to show.
package typealias JobProgress = @Sendable (Double?, String) -> Void

/// Carries out one backup job. Lives in the job process, the only holder of repository passwords; writes no ledger.
package struct BackupJobRunner: Sendable {
    private let access: RepositoryAccess
    private let now: @Sendable () -> Timestamp
    /// Makes the entries of databases and commands; the job process knows where passwords and scratch space are.
    package var streamSources: @Sendable ([StreamSetting]) -> [StreamSource] = { _ in [] }

    package init(access: RepositoryAccess, now: @escaping @Sendable () -> Timestamp = { .now() }) {
        self.access = access
        self.now = now
    }

    /// Backs up to every repository of the order, one after the other; a failure in one does not keep the others from their copy.
    ///
    /// - Returns: What became of each. Never throws: a failure is a result.
    package func run(_ order: BackupOrder, cancellation: CancellationFlag, progress: @escaping JobProgress) -> BackupResult {
        let started = now()
        var targets: [BackupResult.Target] = []
        for target in order.targets {
            let begin = Monotonic.nanoseconds()
            var result: BackupResult.Target
            do {
                result = try run(order, to: target, cancellation: cancellation, progress: progress)
            } catch {
                result = BackupResult.Target(repository: target.repository, outcome: .failed)
                result.failure = FailureText(error)
                result.isStoppedAtFloor = (error as? IncidentError)?.code == .refused
            }
            result.durationMilliseconds = Int64((Monotonic.nanoseconds() - begin) / 1_000_000)
            targets.append(result)
        }
        return BackupResult(
            job: order.job, asset: order.asset, started: viewTime(started), ended: viewTime(now()), targets: targets)
    }

    private func run(
        _ order: BackupOrder, to target: BackupOrder.Target, cancellation: CancellationFlag, progress: @escaping JobProgress
    ) throws -> BackupResult.Target {
        try cancellation.check()
        let space = try target.reference.directory.flatMap { directory in
            try target.floor.map { try SpaceGuard(directory, $0, outer: cancellation) }
        }
        defer { space?.end() }
        do {
            return try run(order, to: target, cancellation: space?.cancellation ?? cancellation, progress)
        } catch {
            if let stop = space?.stop, !cancellation.isCancelled { throw stop }
            throw error
        }
    }

    private func run(
        _ order: BackupOrder, to target: BackupOrder.Target, cancellation: CancellationFlag, _ progress: @escaping JobProgress
    ) throws -> BackupResult.Target {
        let removals = LockRemovals()
        let repository = try access.open(target.reference, removals: removals, cancellation: cancellation)
        let request = BackupRequest(
            sources: order.allPaths, streams: streamSources(order.streams), streamFailure: .leavesOut, tagsIncomplete: true,
            excludes: order.allExcludes, tags: order.tags,
            hostname: order.hostname)
        let report = try Archiver(repository: repository).run(request, cancellation: cancellation) { state in
            progress(nil, "\(target.repository): \(state.current)")
        }
        var result = result(of: report, target.repository)
        do {
            result.observation = try RepositoryObservation(
                target.reference, repository, known: Set(target.known), locksRemoved: removals.all)
        } catch {
            // The snapshot is safe; that the repository could not be looked at is said, and the next run looks again.
            result.notes.append(
                Phrase(vi: "không liệt kê được kho: \(error.message.vi)", en: "the repository could not be listed: \(error.message.en)"))
        }
        return result
    }

    private func result(of report: BackupReport, _ repository: String) -> BackupResult.Target {
        var result = BackupResult.Target(repository: repository, outcome: report.isComplete ? .complete : .incomplete)
        result.snapshot = report.snapshotID.hex
        result.tree = report.snapshot.tree.hex
        result.time = viewTime(report.snapshot.time)
        result.filesNew = Int64(clamping: report.summary.filesNew)
        result.filesChanged = Int64(clamping: report.summary.filesChanged)
        result.filesUnmodified = Int64(clamping: report.summary.filesUnmodified)
        result.files = Int64(clamping: report.summary.totalFilesProcessed)
        result.bytes = Int64(clamping: report.summary.totalBytesProcessed)
        result.bytesAdded = Int64(clamping: report.summary.dataAdded)
        result.bytesStored = Int64(clamping: report.summary.dataAddedPacked)
        result.unreadable = Int64(report.unreadable.count + report.omittedUnreadable)
        result.unreadableFirst = report.unreadable.prefix(BackupResult.listLimit).map {
            PathProblem(path: $0.path.description, reason: $0.reason)
        }
        result.notes = Array(report.notes.prefix(BackupResult.listLimit))
        return result
    }
}
