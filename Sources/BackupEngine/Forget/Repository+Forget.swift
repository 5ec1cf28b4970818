package import Platform

/// What became of snapshots that were to be removed.
package struct RemovalReport: Sendable {
    package internal(set) var removed: [Digest] = []
    /// Held between the plan and the act.
    package internal(set) var held: [HeldSnapshot] = []
    package internal(set) var failed: [(id: Digest, error: RepositoryError)] = []
}

extension Repository {
    /// Removes snapshot files; the data they refer to stays until ``prune(_:ignoring:cancellation:progress:)``.
    ///
    /// The caller holds an exclusive lock. A snapshot that cannot be removed does not keep the others from it.
    ///
    /// - Parameter willRemove: Asked right before each removal, so that a hold laid after the plan counts too.
    /// - Throws: What `willRemove` throws; `.interrupted`.
    package func removeSnapshots(
        _ snapshots: [Snapshot], cancellation: CancellationFlag = CancellationFlag(), willRemove: RemovalGuard = { _ in .allowed },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(RepositoryError) -> RemovalReport {
        var report = RemovalReport()
        for (number, snapshot) in snapshots.enumerated() {
            try cancellation.check()
            switch try willRemove(snapshot) {
            case .held(let reason): report.held.append(HeldSnapshot(snapshot: snapshot, reason: reason))
            case .allowed:
                do throws(RepositoryError) {
                    try store.backend.remove(.snapshot, snapshot.id)
                    report.removed.append(snapshot.id)
                } catch {
                    report.failed.append((snapshot.id, error))
                }
                try reach("forget.snapshot-removed")
            }
            progress(number + 1, snapshots.count)
        }
        return report
    }
}
