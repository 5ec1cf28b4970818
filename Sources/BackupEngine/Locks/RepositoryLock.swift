internal import Platform
private import Synchronization

/// A lock on a repository that other processes, stock restic included, respect. Refreshes itself until it is released.
///
/// Locks of one `Repository` share one lease where that is enough: a lock inside a lock costs nothing.
package final class RepositoryLock: Sendable {
    private let lease: Lease
    private let gate: LeaseGate
    private let isReleased = Atomic<Bool>(false)

    init(_ lease: Lease, gate: LeaseGate) {
        self.lease = lease
        self.gate = gate
    }

    deinit { release() }

    /// - Throws: `.locked` when the lock was lost, because it could not be refreshed or somebody removed it.
    package func verify() throws(RepositoryError) {
        if let loss = lease.loss { throw loss }
    }

    /// Stops refreshing and removes the lock file. A second call does nothing.
    ///
    /// - Returns: Why the file could not be removed; it then goes stale.
    @discardableResult
    package func release() -> RepositoryError? {
        if isReleased.exchange(true, ordering: .relaxed) || !lease.letGo() { return nil }
        gate.remove(lease)
        return lease.end()
    }
}

/// A lock whose file is written and not yet confirmed: the wait for others that start at the same moment can be used for reading.
///
/// Nothing may be written to the repository before ``confirm()``. Letting go of the value gives the lock up.
package final class PendingLock: Sendable {
    private let keeper: LockKeeper
    private let exclusive: Bool
    private let began: UInt64
    /// Nil once confirmed or given up.
    private let lease: Mutex<Lease?>
    /// Set when a lock of the same repository object was enough.
    private let shared: RepositoryLock?

    init(_ keeper: LockKeeper, _ lease: Lease, exclusive: Bool) {
        self.keeper = keeper
        self.exclusive = exclusive
        began = Monotonic.nanoseconds()
        self.lease = Mutex(lease)
        shared = nil
    }

    init(_ keeper: LockKeeper, shared: RepositoryLock, exclusive: Bool) {
        self.keeper = keeper
        self.exclusive = exclusive
        began = 0
        lease = Mutex(nil)
        self.shared = shared
    }

    deinit { lease.withLock { $0 }?.removeFiles() }

    /// Waits for what is left of the settling time, looks again, and begins to keep the lock fresh. Call it once.
    ///
    /// - Throws: `.locked` when another one came in between.
    package func confirm() throws(RepositoryError) -> RepositoryLock {
        if let shared { return shared }
        let lease = lease.withLock { lease in
            let taken = lease
            lease = nil
            return taken
        }
        guard let lease else { throw RepositoryError(.locked, Phrase(vi: "khóa đã được dùng", en: "the lock was confirmed before")) }
        let elapsed = Double(Monotonic.nanoseconds() - began) / 1e9
        return try keeper.confirm(lease, exclusive: exclusive, waitSeconds: keeper.policy.timing.settleSeconds - elapsed)
    }
}
