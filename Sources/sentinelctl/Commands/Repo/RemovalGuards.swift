internal import BackupEngine

/// Who is asked before a command removes a snapshot: whether the lock is still ours. Holds are asked here too, where there are any.
func removalGuard(_ lock: RepositoryLock?) -> RemovalGuard {
    { (_: Snapshot) throws(RepositoryError) -> RemovalVerdict in
        try lock?.verify()
        return .allowed
    }
}
