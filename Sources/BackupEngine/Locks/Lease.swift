internal import Platform

/// Lock files of one holder, kept fresh by a thread until the last user lets go.
final class Lease: Sendable {
    private struct State {
        /// Our lock files, newest last; more than one only when an old one could not be removed.
        var files: [Digest] = []
        var users = 1
        var isStopped = false
        /// A write waits for the next refresh.
        var isOverdue = false
        var refreshed = Monotonic.nanoseconds()
        var loss: RepositoryError?
        var thread: WorkerThread?
    }

    let isExclusive: Bool
    private let store: ObjectStore
    private let identity: WriterIdentity
    private let records: LockRecords
    private let timing: LockTiming
    private let onLoss: @Sendable (RepositoryError) -> Void
    private let state = Monitor(State())

    init(
        store: ObjectStore, identity: WriterIdentity, records: LockRecords, isExclusive: Bool, timing: LockTiming,
        onLoss: @escaping @Sendable (RepositoryError) -> Void
    ) {
        self.store = store
        self.identity = identity
        self.records = records
        self.isExclusive = isExclusive
        self.timing = timing
        self.onLoss = onLoss
    }

    var loss: RepositoryError? { state.read { $0.loss } }
    var files: [Digest] { state.read { $0.files } }

    /// One more user.
    ///
    /// - Returns: False when the last one has let go already.
    func retain() -> Bool {
        state.change { state in
            if state.users == 0 { return false }
            state.users += 1
            return true
        }
    }

    /// One user less.
    ///
    /// - Returns: True for the last one, who must call ``end()``.
    func letGo() -> Bool {
        state.change { state in
            state.users -= 1
            return state.users == 0
        }
    }

    /// Stops refreshing and removes the files.
    ///
    /// - Returns: Why a file could not be removed.
    func end() -> RepositoryError? {
        let thread = state.change { state in
            state.isStopped = true
            let thread = state.thread
            state.thread = nil
            return thread
        }
        thread?.join()
        return removeFiles()
    }

    func writeFile() throws(RepositoryError) {
        let lock = LockFile(isExclusive: isExclusive, identity: identity)
        let written = Monotonic.nanoseconds()
        // Noted before it exists: a note without a lock harms nobody, a dead lock without a note stands in the way.
        let id = try store.saveDocument(.lock, lock.json) { [records] id in records.add(id) }
        state.change { state in
            state.files.append(id)
            state.refreshed = written
            state.isOverdue = false
        }
    }

    /// Removes our files, but not the newest `kept`.
    @discardableResult
    func removeFiles(keepingNewest kept: Int = 0) -> RepositoryError? {
        var failure: RepositoryError?
        for file in files.dropLast(kept) {
            do throws(RepositoryError) {
                try store.backend.remove(.lock, file)
                records.remove(file)
                state.change { $0.files.removeAll { $0 == file } }
            } catch {
                failure = error
            }
        }
        return failure
    }

    /// Starts the thread that refreshes.
    func start() throws(RepositoryError) {
        do throws(SystemError) {
            let thread = try WorkerThread(name: "lock-refresh") { [self] in keepFresh() }
            state.change { $0.thread = thread }
        } catch {
            throw .storage(error)
        }
    }

    /// Lets a write pass while the lease holds. After a long stop of the process it waits for the lease to be made sure of.
    ///
    /// - Throws: `.locked` when it was lost.
    func check() throws(RepositoryError) {
        func verdict(_ state: inout State) -> RepositoryError?? {
            if let loss = state.loss { return .some(loss) }
            let elapsed = Double(Monotonic.nanoseconds() - state.refreshed) / 1e9
            return state.isStopped || elapsed < timing.lossSeconds ? .some(nil) : nil
        }
        var answer = state.read(verdict)
        if answer == nil {
            state.change { $0.isOverdue = true }
            answer = state.wait(verdict)
        }
        if case .some(.some(let loss)) = answer { throw loss }
    }

    private func keepFresh() {
        while true {
            let isStopped: Bool =
                state.wait(seconds: timing.refreshSeconds) { state in
                    if state.isStopped { return true }
                    return state.isOverdue ? false : nil
                } ?? false
            if isStopped { return }
            do throws(RepositoryError) {
                try refresh()
            } catch {
                let elapsed = Double(Monotonic.nanoseconds() - state.read { $0.refreshed }) / 1e9
                if error.code == .locked || elapsed >= timing.lossSeconds {
                    lose(error)
                    return
                }
            }
        }
    }

    private func refresh() throws(RepositoryError) {
        // Whoever removed our file may be working alone by now.
        let present = Set(try store.backend.list(.lock).map(\.id))
        guard files.contains(where: present.contains) else {
            throw RepositoryError(
                .locked, Phrase(vi: "khóa của tiến trình này đã bị người khác gỡ", en: "somebody removed the lock of this process"),
                hint: Phrase(vi: "chạy lại; đừng dùng 'unlock' khi có việc đang chạy", en: "run it again; do not 'unlock' while something runs"))
        }
        try writeFile()
        removeFiles(keepingNewest: 1)
    }

    private func lose(_ error: RepositoryError) {
        let loss =
            error.code == .locked
            ? error
            : RepositoryError(
                .locked, Phrase(vi: "không làm mới được khóa của kho: \(error.message.vi)", en: "the lock could not be refreshed: \(error.message.en)"),
                hint: error.hint, cause: error)
        state.change { $0.loss = loss }
        onLoss(loss)
    }
}
