extension Repository {
    /// Examines the repository. Takes no lock: callers hold an exclusive one.
    ///
    /// - Parameters:
    ///   - readData: Also reads every pack in full, on two threads.
    ///   - progress: Called on the calling thread.
    /// - Throws: Only when the repository cannot be examined; damage is in the report.
    package func check(
        readData: Bool, progress: (CheckProgress) -> Void = { _ in }
    ) throws(RepositoryError) -> CheckReport {
        var check = RepositoryCheck(store: store)
        return try check.run(readData: readData, progress: progress)
    }
}
