@testable internal import BackupEngine
internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

@Suite struct `Leases` {
    /// A repository whose notes of locks lie beside it.
    private func make(_ root: FilePath) throws -> Repository {
        let repository = try makeStore(root / "repo")
        repository.lockPolicy.recordDirectory = root
        return repository
    }

    private func open(_ root: FilePath) throws -> Repository {
        let repository = try Repository.open(at: root / "repo", password: storePassword)
        repository.lockPolicy.recordDirectory = root
        return repository
    }

    private func locks(_ root: FilePath) -> [FilePath] { onlyFiles(below: root / "repo" / "locks") }

    /// Writes a lock as some other process would.
    @discardableResult
    private func plant(_ root: FilePath, in repository: Repository, exclusive: Bool = true, host: String = "khác", timeAge: Int64, fileAge: Int64?) throws
        -> Digest
    {
        var lock = LockFile(isExclusive: exclusive, identity: .current())
        lock.hostname = host
        lock.pid = 4242
        lock.time = lock.time.adding(seconds: -timeAge)
        let id = try repository.store.saveDocument(.lock, lock.json)
        if let fileAge {
            let now = time(nil) - Int(fileAge)
            let times = [timespec(tv_sec: now, tv_nsec: 0), timespec(tv_sec: now, tv_nsec: 0)]
            let path = root / "repo" / "locks" / id.hex
            #expect(unsafe path.withCString { unsafe utimensat(AT_FDCWD, $0, times, 0) } == 0)
        }
        return id
    }

    @Test func `the lock of a process of ours that died is removed and told, whatever its age`() async throws {
        try await withTemporaryDirectory("own-dead") { root in
            _ = try make(root)
            let text = try #require(root.utf8)
            await #expect(processExitsWith: .signal(SIGKILL)) { [text = text as String] in
                let repository = try Repository.open(at: FilePath(text) / "repo", password: storePassword)
                repository.lockPolicy.recordDirectory = FilePath(text)
                let lock = try repository.lock(exclusive: true)
                kill(getpid(), SIGKILL)
                lock.release()
            }
            #expect(locks(root).count == 1)
            let repository = try open(root)
            let told = Monitor<[RemovedLock]>([])
            repository.lockPolicy.onRemoved = { lock in told.change { $0.append(lock) } }
            let lock = try repository.lock(exclusive: false)
            #expect(told.read { $0.map(\.reason) } == [.holderGone])
            #expect(told.read { $0.first?.isExclusive } == true)
            lock.release()
            #expect(locks(root).isEmpty)
            #expect(directoryEntries(root).filter { $0.starts(with: Array("sentinel-lock-".utf8)) }.isEmpty)
        }
    }

    @Test func `the same lock without its note, or with one of another boot, stands in the way`() async throws {
        try await withTemporaryDirectory("own-unknown") { root in
            _ = try make(root)
            let text = try #require(root.utf8)
            await #expect(processExitsWith: .signal(SIGKILL)) { [text = text as String] in
                let repository = try Repository.open(at: FilePath(text) / "repo", password: storePassword)
                repository.lockPolicy.recordDirectory = FilePath(text)
                let lock = try repository.lock(exclusive: true)
                kill(getpid(), SIGKILL)
                lock.release()
            }
            let repository = try open(root)
            let note = try #require(directoryEntries(root).first { $0.starts(with: Array("sentinel-lock-".utf8)) })
            let line = String(decoding: try DurableFiles.read(root.appending(note), limit: 512), as: UTF8.self)
            var words = line.split(separator: " ")
            words[0] = "00000000-0000-0000-0000-000000000000"
            try DurableFiles.replace(root.appending(note), Array(words.joined(separator: " ").utf8))
            #expect(code { _ = try repository.lock(exclusive: false) } == .locked)
            try DurableFiles.remove(root.appending(note))
            #expect(code { _ = try repository.lock(exclusive: false) } == .locked)
            // By hand, as restic does: same host, process gone.
            #expect(try repository.unlock() == 1)
            try repository.lock(exclusive: false).release()
        }
    }

    @Test func `a process number that is used again does not keep a dead lock alive`() throws {
        try withTemporaryDirectory("reused") { root in
            let repository = try make(root)
            let id = try plant(root, in: repository, timeAge: 0, fileAge: nil)
            LockRecords(directory: root).add(id)
            let path = root / ("sentinel-lock-" + id.hex)
            #expect(LockRecords(directory: root).holder(of: id) == .alive)
            #expect(code { _ = try repository.lock(exclusive: false) } == .locked)
            var words = String(decoding: try DurableFiles.read(path, limit: 512), as: UTF8.self).split(separator: " ")
            words[3] = "1\n"
            try DurableFiles.replace(path, Array(words.joined(separator: " ").utf8))
            #expect(LockRecords(directory: root).holder(of: id) == .gone)
            try repository.lock(exclusive: false).release()
            for broken in ["", "x", "a b c d", String(repeating: "9", count: 400)] {
                try DurableFiles.replace(path, Array(broken.utf8))
                #expect(LockRecords(directory: root).holder(of: id) == .unknown)
            }
        }
    }

    @Test func `notes of yesterday are swept away, and nothing else is`() throws {
        try withTemporaryDirectory("sweep") { root in
            let then = timespec(tv_sec: time(nil) - 2 * 86_400, tv_nsec: 0)
            for name in ["sentinel-lock-old", "sentinel-seen-old", "sentinel-lock-new", "sentinel.pid"] {
                try DurableFiles.replace(root / name, [])
                if name == "sentinel-lock-new" { continue }
                #expect(unsafe (root / name).withCString { unsafe utimensat(AT_FDCWD, $0, [then, then], 0) } == 0)
            }
            let id = try SHA256.hash([1])
            LockRecords(directory: root).add(id)
            let names = Set(directoryEntries(root).map { String(decoding: $0, as: UTF8.self) })
            #expect(names == ["sentinel-lock-new", "sentinel.pid", "sentinel-lock-" + id.hex])
        }
    }

    /// Age by the holder's clock, age of the file, and whether the lock gives way.
    @Test(
        arguments: [
            (1900, 1900, true), (1700, 1700, false),
            // The holder's clock is an hour behind: the file says that it was refreshed just now.
            (3600, 10, false),
            // It is an hour ahead, and nobody refreshed the lock for an hour.
            (-3600, 3700, true), (-3600, 10, false),
            // Written by the clock an hour ago, by the storage's last week: a repository that was copied.
            (10, 700_000, false),
        ] as [(Int64, Int64, Bool)])
    func `a foreign lock gives way after half an hour without a refresh, by the clock of the storage`(
        _ timeAge: Int64, _ fileAge: Int64, _ givesWay: Bool
    ) throws {
        try withTemporaryDirectory("foreign") { root in
            let repository = try make(root)
            let told = Monitor<[RemovedLock.Reason]>([])
            repository.lockPolicy.onRemoved = { lock in told.change { $0.append(lock.reason) } }
            try plant(root, in: repository, timeAge: timeAge, fileAge: fileAge)
            let result = code { try repository.lock(exclusive: false).release() }
            #expect(result == (givesWay ? nil : .locked))
            #expect(told.read { $0 } == (givesWay ? [.unrefreshed] : []))
        }
    }

    @Test func `where the storage has no clock, a lock gives way when it was seen before and is still the same`() throws {
        try withTemporaryDirectory("observed") { root in
            let repository = try make(root)
            let old = try plant(root, in: repository, timeAge: 4000, fileAge: nil)
            let backend = TimelessDirectory(base: LocalDirectory(root / "repo"))
            let remote = try Repository.open(in: backend, password: storePassword)
            remote.lockPolicy.recordDirectory = root
            remote.lockPolicy.timing.observationSeconds = 0.2
            #expect(code { _ = try remote.lock(exclusive: false) } == .locked)
            #expect(code { _ = try remote.lock(exclusive: false) } == .locked)
            pause(seconds: 0.3)
            try remote.lock(exclusive: false).release()
            #expect(try !FileStatus.exists(root / "repo" / "locks" / old.hex))
            // A new one begins anew.
            try plant(root, in: repository, timeAge: 4000, fileAge: nil)
            #expect(code { _ = try remote.lock(exclusive: false) } == .locked)
        }
    }

    @Test func `a stale lock that is in nobody's way stays, and the policy can leave all of them`() throws {
        try withTemporaryDirectory("keep") { root in
            let repository = try make(root)
            try plant(root, in: repository, exclusive: false, timeAge: 4000, fileAge: 4000)
            try repository.lock(exclusive: false).release()
            #expect(locks(root).count == 1)
            repository.lockPolicy.removesDead = false
            #expect(code { _ = try repository.lock(exclusive: true) } == .locked)
            repository.lockPolicy.removesDead = true
            try repository.lock(exclusive: true).release()
            #expect(locks(root).isEmpty)
        }
    }

    @Test func `waiting for a lock ends when it goes, when the time is over, and when the run is stopped`() throws {
        try withTemporaryDirectory("retry") { root in
            let holder = try make(root)
            let waiter = try open(root)
            waiter.lockPolicy.timing.retryPauseSeconds = 0.05
            waiter.lockPolicy.timing.settleSeconds = 0.02
            let lock = try holder.lock(exclusive: true)
            waiter.lockPolicy.retrySeconds = 0.3
            let began = Monotonic.nanoseconds()
            #expect(code { _ = try waiter.lock(exclusive: false) } == .locked)
            #expect(Double(Monotonic.nanoseconds() - began) / 1e9 >= 0.3)
            waiter.lockPolicy.retrySeconds = 30
            let thread = try WorkerThread(name: "release") {
                pause(seconds: 0.2)
                lock.release()
            }
            try waiter.lock(exclusive: false).release()
            thread.join()
            let again = try holder.lock(exclusive: true)
            let flag = CancellationFlag()
            flag.cancel()
            waiter.lockPolicy.cancellation = flag
            #expect(code { _ = try waiter.lock(exclusive: false) } == .interrupted)
            again.release()
        }
    }

    @Test func `a lock inside a lock shares its file, and the last one out removes it`() throws {
        try withTemporaryDirectory("nested") { root in
            let repository = try make(root)
            let outer = try repository.lock(exclusive: false)
            let began = Monotonic.nanoseconds()
            let inner = try repository.lock(exclusive: false)
            #expect(Double(Monotonic.nanoseconds() - began) / 1e9 < 0.1)
            #expect(locks(root).count == 1)
            // A shared lock is not enough for somebody who must be alone.
            #expect(code { _ = try repository.lock(exclusive: true) } == .locked)
            outer.release()
            #expect(locks(root).count == 1)
            inner.release()
            #expect(locks(root).isEmpty)
            let exclusive = try repository.lock(exclusive: true)
            try repository.lock(exclusive: false).release()
            #expect(locks(root).count == 1)
            exclusive.release()
        }
    }

    @Test func `the wait for rivals is spent reading, and a lock that is not confirmed is given up`() throws {
        try withTemporaryDirectory("begin") { root in
            let repository = try make(root)
            let pending = try repository.beginLock(exclusive: false)
            #expect(locks(root).count == 1)
            pause(seconds: 0.25)
            let began = Monotonic.nanoseconds()
            let lock = try pending.confirm()
            #expect(Double(Monotonic.nanoseconds() - began) / 1e9 < 0.15)
            lock.release()
            do { _ = try repository.beginLock(exclusive: true) }
            #expect(locks(root).isEmpty)
            // A rival that comes in between is seen at the confirmation.
            let late = try repository.beginLock(exclusive: true)
            try plant(root, in: repository, exclusive: false, timeAge: 0, fileAge: nil)
            #expect(code { _ = try late.confirm() } == .locked)
            #expect(locks(root).count == 1)
        }
    }

    @Test func `a process that was stopped too long writes only after it has made sure of its lock`() throws {
        try withTemporaryDirectory("stopped") { root in
            let repository = try make(root)
            var timing = LockTiming()
            timing.settleSeconds = 0.01
            timing.lossSeconds = 0.2
            let lock = try repository.lock(exclusive: false, timing: timing)
            let before = locks(root)
            pause(seconds: 0.4)
            // Overdue: this write waits for a refresh.
            try storeData([1, 2, 3], in: repository)
            try repository.flush()
            #expect(locks(root).count == 1 && locks(root) != before)
            try lock.verify()
            pause(seconds: 0.4)
            for file in locks(root) { try DurableFiles.remove(file) }
            #expect(
                code {
                    try storeData([4, 5, 6], in: repository)
                    try repository.flush()
                } == .locked)
            #expect(code { try lock.verify() } == .locked)
            lock.release()
        }
    }

    @Test func `storage that does not answer for too long costs the lock, and nothing is written without one`() throws {
        try withTemporaryDirectory("unrefreshed") { root in
            let repository = try make(root)
            var timing = LockTiming()
            timing.settleSeconds = 0.01
            timing.refreshSeconds = 0.05
            timing.lossSeconds = 0.3
            let lock = try repository.lock(exclusive: false, timing: timing)
            let place = root / "repo" / "locks"
            let aside = root / "locks-aside"
            #expect(unsafe place.withCString { from in unsafe aside.withCString { unsafe rename(from, $0) } } == 0)
            try DurableFiles.replace(place, [])
            for _ in 0..<100 where code({ try lock.verify() }) == nil { pause(seconds: 0.05) }
            #expect(code { try lock.verify() } == .locked)
            #expect(code { try storeData([7], in: repository) } == .locked)
            try DurableFiles.remove(place)
            lock.release()
        }
    }
}

/// A directory that does not tell when its files were stored, as a REST server.
private struct TimelessDirectory: Backend {
    let base: LocalDirectory
    var description: String { base.description }
    func create() throws(RepositoryError) { try base.create() }
    func loadConfiguration(limit: Int) throws(RepositoryError) -> [UInt8] { try base.loadConfiguration(limit: limit) }
    func saveConfiguration(_ bytes: [UInt8]) throws(RepositoryError) { try base.saveConfiguration(bytes) }
    func list(_ type: FileType) throws(RepositoryError) -> [StoredFile] { try base.list(type) }
    func load(_ type: FileType, _ id: Digest, limit: Int) throws(RepositoryError) -> [UInt8] { try base.load(type, id, limit: limit) }
    func read(_ type: FileType, _ id: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(RepositoryError) {
        try unsafe base.read(type, id, offset: offset, into: buffer)
    }
    func save(_ type: FileType, _ id: Digest, _ bytes: [UInt8]) throws(RepositoryError) { try base.save(type, id, bytes) }
    func remove(_ type: FileType, _ id: Digest) throws(RepositoryError) { try base.remove(type, id) }
}
