internal import Platform
internal import Synchronization

extension Repository {
    /// How this object takes locks. Set it before the first one.
    package var lockPolicy: LockPolicy {
        get { locking.policy.withLock { $0 } }
        set { locking.policy.withLock { $0 = newValue } }
    }

    /// Locks the repository against others: exclusively, or together with other shared locks.
    ///
    /// When the lock is lost, every later write of this repository fails. The process ignores SIGHUP from now on, with which
    /// stock restic asks whether a holder lives; a handler that is set already stays.
    ///
    /// - Throws: `.locked` with who holds the other lock and since when.
    package func lock(exclusive: Bool) throws(RepositoryError) -> RepositoryLock {
        try keeper.begin(exclusive: exclusive).confirm()
    }

    /// Begins to lock: what is only read may be read before ``PendingLock/confirm()``, during the wait of 200 ms.
    ///
    /// - Throws: `.locked` with who holds the other lock and since when.
    package func beginLock(exclusive: Bool) throws(RepositoryError) -> PendingLock { try keeper.begin(exclusive: exclusive) }

    func lock(exclusive: Bool, timing: LockTiming) throws(RepositoryError) -> RepositoryLock {
        var keeper = keeper
        keeper.policy.timing = timing
        return try keeper.begin(exclusive: exclusive).confirm()
    }

    private var keeper: LockKeeper {
        LockKeeper(store: store, identity: identity, policy: lockPolicy, gate: locking.gate) { [writer] loss in writer.stop(loss) }
    }

    /// Removes stale locks, or all of them.
    ///
    /// - Returns: Number of locks removed.
    package func unlock(removeAll: Bool = false) throws(RepositoryError) -> Int { try keeper.unlock(removeAll: removeAll) }
}

/// The part of a repository object that locks share.
final class Locking: Sendable {
    let policy = Mutex(LockPolicy())
    let gate = LeaseGate()
}
