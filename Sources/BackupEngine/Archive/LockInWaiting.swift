internal import Platform

/// The shared lock of a backup. The protocol makes everybody wait 200 ms after writing a lock file; reading and hashing go on meanwhile,
/// and only publishing waits.
final class LockInWaiting: Sendable {
    private enum State {
        case none
        case pending(PendingLock)
        case confirming
        case held(RepositoryLock)
        case refused(RepositoryError)
    }

    private let repository: Repository
    private let state: Monitor<State>
    private let thread = Monitor<WorkerThread?>(nil)

    /// Writes the lock file.
    ///
    /// - Parameter isNeeded: False for a run that writes nothing.
    /// - Throws: `.locked` when an exclusive lock is seen at once.
    init(_ repository: Repository, isNeeded: Bool) throws(RepositoryError) {
        self.repository = repository
        state = Monitor(isNeeded ? .pending(try repository.beginLock(exclusive: false)) : .none)
    }

    /// Starts to confirm the lock on a thread of its own. Packs wait until it is confirmed.
    ///
    /// - Parameter refuse: Called once when the lock turns out not to be had.
    func confirm(_ refuse: @escaping @Sendable (RepositoryError) -> Void) throws(RepositoryError) {
        let pending = state.change { state -> PendingLock? in
            guard case .pending(let pending) = state else { return nil }
            state = .confirming
            return pending
        }
        guard let pending else { return }
        repository.writer.hold()
        do throws(SystemError) {
            let running = try WorkerThread(name: "lock-confirm") { [repository, state] in
                do throws(RepositoryError) {
                    let lock = try pending.confirm()
                    state.change { $0 = .held(lock) }
                    repository.writer.allow()
                } catch {
                    state.change { $0 = .refused(error) }
                    repository.writer.stop(error)
                    refuse(error)
                }
            }
            thread.change { $0 = running }
        } catch {
            state.change { $0 = .pending(pending) }
            throw .storage(error)
        }
    }

    /// Waits until the lock is confirmed.
    ///
    /// - Throws: `.locked` when it is not to be had, or was lost since.
    func wait() throws(RepositoryError) {
        let outcome: (lock: RepositoryLock?, error: RepositoryError?) = state.wait { state in
            switch state {
            case .none, .pending: (nil, nil)
            case .confirming: nil
            case .held(let lock): (lock, nil)
            case .refused(let error): (nil, error)
            }
        }
        if let error = outcome.error { throw error }
        try outcome.lock?.verify()
    }

    /// Removes the lock, whatever became of it.
    func release() {
        let running = thread.change { thread -> WorkerThread? in
            let running = thread
            thread = nil
            return running
        }
        running?.join()
        state.change { state in
            if case .held(let lock) = state { lock.release() }
            state = .none
        }
    }
}
