/// Blocking work on a thread of its own, away from the pool that runs Swift tasks.
package enum OwnThread {
    /// Starts a detached thread.
    ///
    /// - Parameter name: At most 15 bytes; longer names are cut.
    /// - Throws: EAGAIN when the system has no more threads to give.
    package static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        // Letting go of the value detaches the thread.
        _ = try WorkerThread(name: name, body)
    }

    /// Runs `body` on a new thread and suspends the caller until it returns, however long that takes.
    package static func run<Value: Sendable>(
        name: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try start(name: name) { continuation.resume(with: Result(catching: body)) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
