internal import Platform

/// Takes and removes locks; see "Locks" in restic's design document.
struct LockKeeper: Sendable {
    let store: ObjectStore
    let identity: WriterIdentity
    var policy = LockPolicy()
    var gate = LeaseGate()
    /// Called once, from another thread, when a lock is lost.
    var onLoss: @Sendable (RepositoryError) -> Void = { _ in }

    private var records: LockRecords { LockRecords(directory: policy.recordDirectory) }

    /// Writes a lock file, waiting as the policy says while others are in the way.
    func begin(exclusive: Bool) throws(RepositoryError) -> PendingLock {
        if let lease = gate.lease(exclusive: exclusive) {
            return PendingLock(self, shared: RepositoryLock(lease, gate: gate), exclusive: exclusive)
        }
        let lease = try patiently { () throws(RepositoryError) in try write(exclusive: exclusive) }
        return PendingLock(self, lease, exclusive: exclusive)
    }

    /// The second half of taking a lock. On a conflict the own file is removed, and taking it begins anew if there is time.
    func confirm(_ first: Lease, exclusive: Bool, waitSeconds: Double) throws(RepositoryError) -> RepositoryLock {
        var pending: Lease? = first
        var seconds = waitSeconds
        let lease = try patiently { () throws(RepositoryError) -> Lease in
            let lease = if let begun = pending { begun } else { try write(exclusive: exclusive) }
            pending = nil
            do throws(RepositoryError) {
                if seconds > 0 { pause(seconds: seconds) }
                seconds = policy.timing.settleSeconds
                try refuseConflict(exclusive: exclusive, own: lease.files)
                try lease.start()
                return lease
            } catch {
                lease.removeFiles()
                throw error
            }
        }
        gate.add(lease)
        return RepositoryLock(lease, gate: gate)
    }

    private func write(exclusive: Bool) throws(RepositoryError) -> Lease {
        // Stock restic asks with SIGHUP whether a holder lives.
        HangupSignal.makeHarmless()
        try refuseConflict(exclusive: exclusive, own: [])
        let lease = Lease(
            store: store, identity: identity, records: records, isExclusive: exclusive, timing: policy.timing, onLoss: onLoss)
        try lease.writeFile()
        return lease
    }

    /// Repeats `body` while it fails with `.locked` and the policy allows to wait.
    private func patiently<Result>(_ body: () throws(RepositoryError) -> Result) throws(RepositoryError) -> Result {
        let began = Monotonic.nanoseconds()
        var seconds = policy.timing.retryPauseSeconds
        while true {
            do throws(RepositoryError) {
                return try body()
            } catch {
                let rest = policy.retrySeconds - Double(Monotonic.nanoseconds() - began) / 1e9
                guard error.code == .locked, rest > 0 else { throw error }
                try wait(min(seconds, rest))
                seconds = min(seconds * 2, policy.timing.longestRetryPauseSeconds)
            }
        }
    }

    private func wait(_ seconds: Double) throws(RepositoryError) {
        let end = Monotonic.nanoseconds() + UInt64(max(0, seconds) * 1e9)
        while true {
            try policy.cancellation?.check()
            let now = Monotonic.nanoseconds()
            if now >= end { return }
            pause(seconds: min(0.2, Double(end - now) / 1e9))
        }
    }

    private func refuseConflict(exclusive: Bool, own: [Digest]) throws(RepositoryError) {
        for file in try store.backend.list(.lock) where !own.contains(file.id) {
            let holder = records.holder(of: file.id)
            guard let lock = try read(file) else { continue }
            if policy.removesDead, holder == .gone {
                try remove(file, lock, .holderGone)
                continue
            }
            guard exclusive || lock.isExclusive else { continue }
            if policy.removesDead, holder == .unknown, try isUnrefreshed(file, lock) {
                try remove(file, lock, .unrefreshed)
                continue
            }
            throw conflict(lock)
        }
    }

    /// Half an hour without a refresh: by the clock of the storage where it has one, as clocks of two machines may differ.
    private func isUnrefreshed(_ file: StoredFile, _ lock: LockFile) throws(RepositoryError) -> Bool {
        let claimed = Timestamp.now().seconds(since: lock.time)
        guard let age = try store.backend.age(of: .lock, file.id) else {
            // Without that clock, what the holder's own clock says is believed only of a lock that was seen before, and not changed since.
            guard claimed > LockFile.staleAfterSeconds, let seen = records.secondsSinceSeen(file.id) else { return false }
            return seen > policy.timing.observationSeconds
        }
        // A time in the future says that one of the clocks is wrong, and nothing more.
        return age > LockFile.staleAfterSeconds && (claimed > LockFile.staleAfterSeconds || claimed < 0)
    }

    private func remove(_ file: StoredFile, _ lock: LockFile, _ reason: RemovedLock.Reason) throws(RepositoryError) {
        do throws(RepositoryError) {
            try store.backend.remove(.lock, file.id)
        } catch {
            // Whoever may not remove it hears of the lock, and of why it is still there.
            let conflict = conflict(lock)
            throw RepositoryError(.locked, conflict.message, hint: conflict.hint, cause: error)
        }
        records.remove(file.id)
        policy.onRemoved?(
            RemovedLock(
                id: file.id, reason: reason, isExclusive: lock.isExclusive, hostname: lock.hostname, username: lock.username,
                pid: lock.pid, time: lock.time))
    }

    /// A lock of somebody else; nil when it is gone by now or empty, which restic ignores too.
    private func read(_ file: StoredFile) throws(RepositoryError) -> LockFile? {
        if file.sizeBytes == 0 { return nil }
        var failure: RepositoryError?
        for seconds in policy.timing.unreadablePauseSeconds + [0] {
            do {
                return try LockFile(json: try store.loadDocument(.lock, file.id))
            } catch let error as RepositoryError {
                if error.code == .missing { return nil }
                // Storage that fails is no damaged lock.
                if error.code != .corrupt { throw error }
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
            : Phrase(
                vi: "đợi tiến trình đó xong rồi chạy lại, hoặc dùng --retry-lock", en: "wait until that process is done and run it again, or use --retry-lock")
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
                guard let lock = try? LockFile(json: try store.loadDocument(.lock, file.id)) else { continue }
                guard records.holder(of: file.id) == .gone || lock.isStale(seenBy: identity) else { continue }
            }
            try store.backend.remove(.lock, file.id)
            records.remove(file.id)
            removed += 1
        }
        return removed
    }
}
