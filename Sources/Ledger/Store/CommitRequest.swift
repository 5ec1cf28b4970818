/// One body that waits for its commit.
struct CommitRequest: Sendable {
    /// Runs the body, perhaps a second time; gives what tells its caller after the COMMIT.
    let attempt: @Sendable (LedgerTransaction) throws -> @Sendable () -> Void
    /// Tells the caller that nothing of the body stands in the ledger.
    let fail: @Sendable (any Error) -> Void

    /// Bodies in one COMMIT, at most.
    static let batchLimit = 256
}
