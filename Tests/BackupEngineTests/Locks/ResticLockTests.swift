@testable internal import BackupEngine
internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

/// With every stock restic: theirs blocks ours, ours blocks theirs, and their `unlock` leaves what lives.
@Suite struct `Locks beside stock restic` {
    @Test(arguments: Peer.restics)
    func `ours is respected, survives their unlock, and does not hinder what may go on`(_ version: Peer) async throws {
        try await withTemporaryDirectory("beside") { root in
            let restic = try StockRestic(root / "repo", scratch: root, version: version)
            let repository = try restic.create()
            let shared = try repository.lock(exclusive: false)
            // Their unlock asks this process with SIGHUP whether it lives.
            let unlocked = try await restic.run(["unlock"])
            #expect(unlocked.status == 0, "\(unlocked)")
            #expect(onlyFiles(below: root / "repo" / "locks").count == 1)
            let list = try await restic.run(["snapshots"])
            #expect(list.status == 0, "\(list)")
            let prune = try await restic.run(["prune"])
            #expect(prune.status != 0 && prune.errorText.contains("PID \(getpid())"), "\(prune)")
            try shared.verify()
            shared.release()
            let exclusive = try repository.lock(exclusive: true)
            let refused = try await restic.run(["snapshots"])
            #expect(refused.status != 0 && refused.errorText.contains("exclusively by PID \(getpid())"), "\(refused)")
            if version != .debianRestic { #expect(refused.status == 11) }
            exclusive.release()
        }
    }

    @Test(arguments: Peer.restics)
    func `theirs blocks ours while they work, and not for ever`(_ version: Peer) async throws {
        try await withTemporaryDirectory("theirs") { root in
            let restic = try StockRestic(root / "repo", scratch: root, version: version)
            let repository = try restic.create()
            // Their backup holds its shared lock while it waits for a file that nobody writes to.
            let source = root / "src"
            try DurableFiles.makeDirectories(source)
            let fifo = root / "pipe"
            #expect(unsafe fifo.withCString { unsafe mkfifo($0, 0o600) } == 0)
            let script = "cat '\(fifo)' | exec '\(restic.program)' backup --stdin"
            let holder = try SpawnedProcess(["/bin/sh", "-c", script], environment: restic.environment)
            func locks() -> [FilePath] { onlyFiles(below: root / "repo" / "locks").filter { $0.name.count == 64 } }
            for _ in 0..<400 where locks().isEmpty { try await Task.sleep(for: .milliseconds(25)) }
            #expect(locks().count == 1)
            try repository.lock(exclusive: false).release()
            #expect(code { _ = try repository.lock(exclusive: true) } == .locked)
            #expect(try repository.unlock() == 0)
            await holder.killGroup()
            // Dead, but theirs: no note says so, and half an hour is not over. By hand it goes.
            #expect(code { _ = try repository.lock(exclusive: true) } == .locked)
            var removed = 0
            for _ in 0..<200 where removed == 0 {
                // The kernel may still be at work on its end.
                removed = try repository.unlock()
                if removed == 0 { try await Task.sleep(for: .milliseconds(25)) }
            }
            #expect(removed == 1)
            try repository.lock(exclusive: true).release()
        }
    }

    @Test func `a closed terminal does not end whoever holds a lock`() async throws {
        try await withTemporaryDirectory("hangup") { root in
            let text = try #require(root.utf8)
            await #expect(processExitsWith: .exitCode(7)) { [text = text as String] in
                let repository = try makeStore(FilePath(text) / "repo")
                let lock = try repository.lock(exclusive: false)
                kill(getpid(), SIGHUP)
                pause(seconds: 0.05)
                try lock.verify()
                lock.release()
                exit(7)
            }
        }
    }
}
