internal import Platform
private import Synchronization

/// Waits and limits of the lock protocol.
struct LockTiming: Sendable {
    /// Between writing the own lock and looking for others: two that start together see each other.
    var settleSeconds = 0.2
    var refreshSeconds = 300.0
    /// Without a refresh for this long others may soon take the lock for stale: writing must stop before they do.
    var lossSeconds = 1350.0
    /// Pauses between attempts to read a lock file that does not open.
    var unreadablePauseSeconds = [0.2, 1, 3]
}

/// A lock on a repository that other processes, stock restic included, respect. Refreshes itself until it is released.
///
/// The process must survive SIGHUP while it holds one: `restic unlock` probes with it whether the holder lives.
package final class RepositoryLock: Sendable {
    private let core: LockCore
    private let thread: Mutex<WorkerThread?>

    fileprivate init(core: LockCore, thread: WorkerThread) {
        self.core = core
        self.thread = Mutex(thread)
    }

    deinit { release() }

    /// - Throws: `.locked` when the lock was lost, because it could not be refreshed or somebody removed it.
    package func verify() throws(RepositoryError) {
        if let loss = core.loss { throw loss }
    }

    /// Stops refreshing and removes the lock file. A second call does nothing.
    ///
    /// - Returns: Why the file could not be removed; it then goes stale, and `unlock` removes it.
    @discardableResult
    package func release() -> RepositoryError? {
        core.stop()
        let thread = thread.withLock { thread in
            let running = thread
            thread = nil
            return running
        }
        thread?.join()
        return core.removeFiles()
    }
}

/// Lock files of one holder, and the thread that keeps them fresh.
private final class LockCore: Sendable {
    private struct State {
        /// Our lock files, newest last; more than one only when an old one could not be removed.
        var files: [Digest] = []
        var isStopped = false
        var refreshed = Monotonic.nanoseconds()
        var loss: RepositoryError?
    }

    private let store: ObjectStore
    private let identity: WriterIdentity
    private let isExclusive: Bool
    private let timing: LockTiming
    private let onLoss: @Sendable (RepositoryError) -> Void
    private let state = Monitor(State())

    init(
        store: ObjectStore, identity: WriterIdentity, isExclusive: Bool, timing: LockTiming,
        onLoss: @escaping @Sendable (RepositoryError) -> Void
    ) {
        self.store = store
        self.identity = identity
        self.isExclusive = isExclusive
        self.timing = timing
        self.onLoss = onLoss
    }

    var loss: RepositoryError? { state.read { $0.loss } }
    var files: [Digest] { state.read { $0.files } }
    func stop() { state.change { $0.isStopped = true } }

    func writeFile() throws(RepositoryError) {
        let id = try store.saveDocument(.lock, LockFile(isExclusive: isExclusive, identity: identity).json)
        state.change { state in
            state.files.append(id)
            state.refreshed = Monotonic.nanoseconds()
        }
    }

    /// Removes our files, but not the newest `kept`.
    @discardableResult
    func removeFiles(keepingNewest kept: Int = 0) -> RepositoryError? {
        var failure: RepositoryError?
        for file in files.dropLast(kept) {
            do throws(RepositoryError) {
                try store.backend.remove(.lock, file)
                state.change { $0.files.removeAll { $0 == file } }
            } catch {
                failure = error
            }
        }
        return failure
    }

    /// Body of the thread.
    func keepFresh() {
        while true {
            let isStopped = state.wait(seconds: timing.refreshSeconds) { $0.isStopped ? true : nil } ?? false
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

/// A lock whose file is written and not yet confirmed: the wait for others that start at the same moment can be used for reading.
///
/// Nothing may be published before ``confirm()``. Letting go of the value gives the lock up.
package final class PendingLock: Sendable {
    private let keeper: LockKeeper
    private let exclusive: Bool
    private let began = Monotonic.nanoseconds()
    private let core: Mutex<LockCore?>

    fileprivate init(_ keeper: LockKeeper, _ core: LockCore, exclusive: Bool) {
        self.keeper = keeper
        self.exclusive = exclusive
        self.core = Mutex(core)
    }

    deinit { core.withLock { $0 }?.removeFiles() }

    /// Waits for what is left of the settling time, looks again, and begins to keep the lock fresh. Call it once.
    ///
    /// - Throws: `.locked` when another one came in between.
    package func confirm() throws(RepositoryError) -> RepositoryLock {
        let core = core.withLock { core in
            let taken = core
            core = nil
            return taken
        }
        guard let core else { throw RepositoryError(.locked, Phrase(vi: "khóa đã được dùng", en: "the lock was confirmed before")) }
        let elapsed = Double(Monotonic.nanoseconds() - began) / 1e9
        return try keeper.confirm(core, exclusive: exclusive, waitSeconds: keeper.timing.settleSeconds - elapsed)
    }
}

/// Takes and removes locks; see "Locks" in restic's design document.
struct LockKeeper: Sendable {
    let store: ObjectStore
    let identity: WriterIdentity
    var timing = LockTiming()

    /// - Parameter onLoss: Called once, from another thread, when the lock is lost.
    func acquire(
        exclusive: Bool, onLoss: @escaping @Sendable (RepositoryError) -> Void
    ) throws(RepositoryError) -> RepositoryLock {
        try begin(exclusive: exclusive, onLoss: onLoss).confirm()
    }

    /// Writes the lock file; see ``PendingLock``.
    func begin(
        exclusive: Bool, onLoss: @escaping @Sendable (RepositoryError) -> Void
    ) throws(RepositoryError) -> PendingLock {
        try refuseConflict(exclusive: exclusive, own: [])
        let core = LockCore(store: store, identity: identity, isExclusive: exclusive, timing: timing, onLoss: onLoss)
        try core.writeFile()
        return PendingLock(self, core, exclusive: exclusive)
    }

    fileprivate func confirm(_ core: LockCore, exclusive: Bool, waitSeconds: Double) throws(RepositoryError) -> RepositoryLock {
        do throws(RepositoryError) {
            if waitSeconds > 0 { pause(seconds: waitSeconds) }
            try refuseConflict(exclusive: exclusive, own: core.files)
            do throws(SystemError) {
                return RepositoryLock(core: core, thread: try WorkerThread(name: "lock-refresh") { core.keepFresh() })
            } catch {
                throw .storage(error)
            }
        } catch {
            core.removeFiles()
            throw error
        }
    }

    private func refuseConflict(exclusive: Bool, own: [Digest]) throws(RepositoryError) {
        for file in try store.backend.list(.lock) where !own.contains(file.id) {
            guard let lock = try read(file) else { continue }
            if exclusive || lock.isExclusive { throw conflict(lock) }
        }
    }

    /// A lock of somebody else; nil when it is gone by now or empty, which restic ignores too.
    private func read(_ file: StoredFile) throws(RepositoryError) -> LockFile? {
        if file.sizeBytes == 0 { return nil }
        var failure: RepositoryError?
        for seconds in timing.unreadablePauseSeconds + [0] {
            do {
                return try LockFile(json: try store.loadDocument(.lock, file.id))
            } catch let error as RepositoryError {
                if error.code == .missing { return nil }
                failure = error
            } catch {
                failure = .corrupt(Phrase(vi: "khóa \(file.id.short) bị hỏng", en: "lock \(file.id.short) is damaged"), cause: error)
            }
            pause(seconds: seconds)
        }
        throw RepositoryError(
            .locked,
            Phrase(
                vi: "không đọc được khóa \(file.id.short) trong \(store.backend.description)",
                en: "lock \(file.id.short) in \(store.backend.description) cannot be read"),
            hint: Phrase(
                vi: "nếu chắc chắn không có tiến trình nào đang dùng kho: 'sentinelctl repo unlock --remove-all'",
                en: "if you are sure that nothing uses the repository: 'sentinelctl repo unlock --remove-all'"),
            cause: failure)
    }

    private func conflict(_ lock: LockFile) -> RepositoryError {
        let who = "PID \(lock.pid) @ \(escapedForDisplay(lock.hostname)) (\(escapedForDisplay(lock.username)))"
        let since = CivilTime(local: lock.time).display
        let hint =
            lock.isStale(seenBy: identity)
            ? Phrase(
                vi: "khóa này đã cũ, tiến trình giữ nó không còn: gỡ bằng 'sentinelctl repo unlock'",
                en: "the lock is stale, its process is gone: remove it with 'sentinelctl repo unlock'")
            : Phrase(vi: "đợi tiến trình đó xong rồi chạy lại", en: "wait until that process is done, then run it again")
        return RepositoryError(
            .locked,
            Phrase(
                vi: "kho \(store.backend.description) đang bị khóa\(lock.isExclusive ? " riêng" : "") bởi \(who) từ \(since)",
                en: "repository \(store.backend.description) is locked\(lock.isExclusive ? " exclusively" : "") by \(who) since \(since)"),
            hint: hint)
    }

    /// Removes stale locks, or all of them.
    ///
    /// - Returns: Number of locks removed.
    func unlock(removeAll: Bool) throws(RepositoryError) -> Int {
        var removed = 0
        for file in try store.backend.list(.lock) {
            if !removeAll {
                // A lock that cannot be read says nothing about its age: only removeAll takes it away.
                guard let lock = try? LockFile(json: try store.loadDocument(.lock, file.id)), lock.isStale(seenBy: identity)
                else { continue }
            }
            try store.backend.remove(.lock, file.id)
            removed += 1
        }
        return removed
    }
}
