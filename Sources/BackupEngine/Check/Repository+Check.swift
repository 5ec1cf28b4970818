extension Repository {
    /// Examines the repository. Takes no lock: callers hold an exclusive one, or a shared one and set ``CheckOptions/isShared``.
    ///
    /// - Parameters:
    ///   - cancellation: Raised from elsewhere to stop.
    ///   - progress: Called on the calling thread, a few times a second.
    /// - Throws: `.interrupted`, `.missing` for a snapshot that is not there, and what listing the files throws; damage is in the report.
    package func check(
        _ options: CheckOptions, cancellation: CancellationFlag = CancellationFlag(), progress: (CheckProgress) -> Void = { _ in }
    ) throws(RepositoryError) -> CheckReport {
        var check = RepositoryCheck(store: store, options: options, cancellation: cancellation)
        return try check.run(progress)
    }

    /// Examines everything; see ``check(_:cancellation:progress:)``.
    package func check(
        readData: Bool, progress: (CheckProgress) -> Void = { _ in }
    ) throws(RepositoryError) -> CheckReport {
        try check(CheckOptions(readData: readData ? .all : .none), progress: progress)
    }

    /// Continuous verification: the same under a shared lock, so that backups go on meanwhile; pruning waits.
    ///
    /// - Parameter readData: ``ReadDataSubset/bucket(number:of:)`` with a number that changes from run to run reads everything in turn.
    /// - Throws: Also `.locked`.
    package func verifyInUse(
        readData: ReadDataSubset, cancellation: CancellationFlag = CancellationFlag(), progress: (CheckProgress) -> Void = { _ in }
    ) throws(RepositoryError) -> CheckReport {
        let lock = try lock(exclusive: false)
        defer { lock.release() }
        var options = CheckOptions(readData: readData)
        options.isShared = true
        return try check(options, cancellation: cancellation, progress: progress)
    }
}
