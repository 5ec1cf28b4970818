internal import Platform

extension Repository {
    /// Locks the repository against others: exclusively, or together with other shared locks.
    ///
    /// When the lock is lost, every later write of this repository fails.
    ///
    /// - Throws: `.locked` with who holds the other lock and since when.
    package func lock(exclusive: Bool) throws(RepositoryError) -> RepositoryLock {
        try lock(exclusive: exclusive, timing: LockTiming())
    }

    func lock(exclusive: Bool, timing: LockTiming) throws(RepositoryError) -> RepositoryLock {
        try LockKeeper(store: store, identity: identity, timing: timing)
            .acquire(exclusive: exclusive) { [writer] loss in writer.stop(loss) }
    }

    /// Begins to lock: what is only read may be read before ``PendingLock/confirm()``, during the wait of 200 ms.
    ///
    /// - Throws: `.locked` with who holds the other lock and since when.
    package func beginLock(exclusive: Bool) throws(RepositoryError) -> PendingLock {
        try LockKeeper(store: store, identity: identity).begin(exclusive: exclusive) { [writer] loss in writer.stop(loss) }
    }

    /// Removes stale locks, or all of them.
    ///
    /// - Returns: Number of locks removed.
    package func unlock(removeAll: Bool = false) throws(RepositoryError) -> Int {
        try LockKeeper(store: store, identity: identity).unlock(removeAll: removeAll)
    }
}
