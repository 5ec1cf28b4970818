@testable internal import BackupEngine
internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

@Suite struct `Repository locks` {
    private func locks(_ path: FilePath) -> Int { onlyFiles(below: path / "locks").count }

    /// Writes a lock as some other process would.
    private func plant(_ lock: LockFile, in repository: Repository) throws {
        _ = try repository.store.saveDocument(.lock, lock.json)
    }

    private func foreignLock(exclusive: Bool, host: String = "khác", pid: UInt64 = 4242, ageSeconds: Int64 = 0) -> LockFile {
        var lock = LockFile(isExclusive: exclusive, identity: .current())
        lock.hostname = host
        lock.pid = pid
        lock.time = lock.time.adding(seconds: -ageSeconds)
        return lock
    }

    /// The number of a process that is gone.
    private func deadPID() async throws -> UInt64 {
        let process = try SpawnedProcess(["/bin/true"])
        _ = await process.wait(seconds: 10)
        return UInt64(process.pid)
    }

    @Test func `shared locks live together, an exclusive one lives alone`() throws {
        try withTemporaryDirectory("locks") { root in
            let path = root / "repo"
            let first = try makeStore(path)
            let second = try Repository.open(at: path, password: storePassword)
            let shared = try first.lock(exclusive: false)
            let alsoShared = try second.lock(exclusive: false)
            #expect(locks(path) == 2)
            #expect(code { _ = try second.lock(exclusive: true) } == .locked)
            shared.release()
            #expect(code { _ = try second.lock(exclusive: true) } == .locked)
            alsoShared.release()
            let exclusive = try second.lock(exclusive: true)
            #expect(code { _ = try first.lock(exclusive: false) } == .locked)
            try exclusive.verify()
            #expect(locks(path) == 1)
            #expect(exclusive.release() == nil)
            exclusive.release()
            #expect(locks(path) == 0)
        }
    }

    @Test func `two exclusive locks at the same time never both succeed`() throws {
        try withTemporaryDirectory("race") { root in
            let path = root / "repo"
            _ = try makeStore(path)
            let wins = Monitor(0)
            let repositories = try (0..<3).map { _ in try Repository.open(at: path, password: storePassword) }
            let threads = try repositories.map { repository in
                try WorkerThread(name: "locker") {
                    guard let lock = try? repository.lock(exclusive: true) else { return }
                    wins.change { $0 += 1 }
                    pause(seconds: 1)
                    lock.release()
                }
            }
            for thread in threads { thread.join() }
            #expect(wins.read { $0 } <= 1)
            #expect(locks(path) == 0)
        }
    }

    @Test func `the message says who, where, since when, and how to go on`() async throws {
        let dead = try await deadPID()
        try withTemporaryDirectory("stale") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            try plant(foreignLock(exclusive: true), in: repository)
            let who = WriterIdentity.current().username
            let live = failure { _ = try repository.lock(exclusive: false) }
            #expect(live?.message.en.contains("exclusively by PID 4242 @ khác (\(who)) since 20") == true)
            #expect(live?.hint?.en.contains("wait") == true)
            #expect(try repository.unlock() == 0)
            #expect(try repository.unlock(removeAll: true) == 1)

            try plant(foreignLock(exclusive: true, host: WriterIdentity.current().hostname, pid: dead), in: repository)
            let stale = failure { _ = try repository.lock(exclusive: false) }
            #expect(stale?.hint?.en.contains("repo unlock") == true)
            try plant(foreignLock(exclusive: false, ageSeconds: 1900), in: repository)
            try plant(foreignLock(exclusive: false, host: WriterIdentity.current().hostname, pid: UInt64(getpid())), in: repository)
            #expect(try repository.unlock() == 2)
            #expect(locks(path) == 1)
        }
    }

    @Test func `empty lock files are ignored, damaged ones stop everything until they are removed`() throws {
        try withTemporaryDirectory("badlock") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            var timing = LockTiming()
            timing.unreadablePauseSeconds = [0.01]
            try DurableFiles.create(path / "locks" / SHA256.hash([9]).hex, [])
            try repository.lock(exclusive: true, timing: timing).release()
            try DurableFiles.create(path / "locks" / SHA256.hash([8]).hex, [1, 2, 3])
            #expect(code { _ = try repository.lock(exclusive: false, timing: timing) } == .locked)
            #expect(try repository.unlock() == 0)
            #expect(try repository.unlock(removeAll: true) == 2)
            try repository.lock(exclusive: false, timing: timing).release()
        }
    }

    @Test func `a lock is refreshed under a new name, and only one file stays`() throws {
        try withTemporaryDirectory("refresh") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            var timing = LockTiming()
            timing.refreshSeconds = 0.05
            let lock = try repository.lock(exclusive: true, timing: timing)
            let before = onlyFiles(below: path / "locks")
            var after = before
            for _ in 0..<100 where after == before || after.count != 1 {
                pause(seconds: 0.02)
                after = onlyFiles(below: path / "locks")
            }
            #expect(after.count == 1 && after != before)
            try lock.verify()
            lock.release()
            #expect(locks(path) == 0)
        }
    }

    @Test func `whoever loses the lock writes no more`() throws {
        try withTemporaryDirectory("lost") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            var timing = LockTiming()
            timing.refreshSeconds = 0.5
            let lock = try repository.lock(exclusive: false, timing: timing)
            #expect(try repository.unlock(removeAll: true) == 1)
            for _ in 0..<100 where code({ try lock.verify() }) == nil { pause(seconds: 0.05) }
            #expect(code { try lock.verify() } == .locked)
            #expect(code { try storeData([1], in: repository) } == .locked)
            #expect(code { try repository.flush() } == .locked)
            lock.release()
        }
    }
}
