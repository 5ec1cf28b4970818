@testable internal import BackupEngine
internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

/// Both ways with stock restic, whose word on the format is the last.
@Suite(.enabled(if: isResticInstalled), .serialized) struct `Repositories shared with restic` {
    @Test func `restic finds nothing wrong with what we write, restores and prunes it`() async throws {
        try await withTemporaryDirectory("ours") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            let (id, blobs, _) = try fillStore(repository)
            let check = try await restic(path, ["check", "--read-data"])
            #expect(check.status == 0 && check.text.contains("no errors were found"), "\(check)")
            let list = try await restic(path, ["snapshots", "--json"])
            #expect(list.text.contains("\"id\":\"\(id.hex)\"") && list.text.contains("/srv/hồ sơ \\u003c1\\u003e"), "\(list)")
            let cat = try await restic(path, ["dump", id.hex, "/a.txt"])
            let first = try repository.loadBlob(.data, blobs[0])
            let third = try repository.loadBlob(.data, blobs[2])
            #expect(cat.standardOutput == first + third)
            let prune = try await restic(path, ["prune"])
            #expect(prune.status == 0, "\(prune)")
            #expect(prune.text.contains("total prune:           0 blobs"), "\(prune)")
            try repository.loadIndex()
            #expect(try repository.check(readData: true).errors == [])
        }
    }

    @Test func `what restic writes opens, lists, loads and passes our check`() async throws {
        try await withTemporaryDirectory("theirs") { root in
            let path = root / "repo"
            let source = root / "source"
            try DurableFiles.makeDirectories(source / "sub")
            var random = SeededRandom(for: "restic source")
            let big = random.bytes(3_000_000)
            try DurableFiles.create(source / "big", big)
            try DurableFiles.create(source / "sub/one", [1])
            try DurableFiles.create(source / "sub/empty", [])
            let made = try await restic(path, ["init"])
            #expect(made.status == 0, "\(made)")
            let backup = try await restic(path, ["backup", "--tag", "thử,x", "--host", "may", try #require(source.utf8)])
            #expect(backup.status == 0, "\(backup)")

            #expect(code { _ = try Repository.open(at: path, password: [1]) } == .wrongPassword)
            let repository = try Repository.open(at: path, password: storePassword)
            let snapshots = try repository.listSnapshots()
            try repository.loadIndex()
            #expect(snapshots.count == 1)
            let snapshot = try #require(snapshots.first)
            #expect(snapshot.hostname == "may" && snapshot.tags == ["thử", "x"] && snapshot.paths == [source.utf8])
            var contents: [String: [UInt8]] = [:]
            var waiting = [snapshot.tree]
            while let tree = waiting.popLast() {
                for node in try repository.loadTree(tree).nodes {
                    if let subtree = node.subtree { waiting.append(subtree) }
                    if let content = node.content {
                        contents[String(decoding: node.name, as: UTF8.self)] = try content.flatMap { try repository.loadBlob(.data, $0) }
                    }
                }
            }
            #expect(contents == ["big": big, "one": [1], "empty": []])
            let report = try repository.check(readData: true)
            #expect(report.errors == [] && report.hints == [])

            // Our blobs beside theirs: still sound for both, and known blobs are not stored again.
            try fillStore(repository)
            #expect(try !repository.storeBlob(.data, SHA256.hash([1]), [1]).isNew)
            let check = try await restic(path, ["check", "--read-data"])
            #expect(check.status == 0, "\(check)")
        }
    }

    @Test func `format 1, without compression, is read and written too`() async throws {
        try await withTemporaryDirectory("version1") { root in
            let path = root / "repo"
            let made = try await restic(path, ["init", "--repository-version", "1"])
            #expect(made.status == 0, "\(made)")
            try DurableFiles.create(root / "file", Array("phiên bản 1".utf8))
            let backup = try await restic(path, ["backup", try #require((root / "file").utf8)])
            #expect(backup.status == 0, "\(backup)")
            let repository = try Repository.open(at: path, password: storePassword)
            #expect(repository.configuration.version == 1)
            #expect(try repository.listSnapshots().count == 1)
            try repository.loadIndex()
            let id = try SHA256.hash(Array("phiên bản 1".utf8))
            #expect(try repository.loadBlob(.data, id) == Array("phiên bản 1".utf8))
            try fillStore(repository)
            #expect(try repository.check(readData: true).errors == [])
            let check = try await restic(path, ["check", "--read-data"])
            #expect(check.status == 0, "\(check)")
        }
    }

    @Test func `snapshots we write are found by restic as parents and keep their tags`() async throws {
        try await withTemporaryDirectory("tags") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            let (id, _, tree) = try fillStore(repository)
            let tagged = try await restic(path, ["tag", "--add", "giữ", id.short])
            #expect(tagged.status == 0, "\(tagged)")
            let snapshots = try repository.listSnapshots()
            #expect(snapshots.count == 1 && snapshots.first?.tags == ["giữ"])
            #expect(snapshots.first?.original == id && snapshots.first?.originalID == id && snapshots.first?.tree == tree)
        }
    }

    @Test(arguments: [0, 1, 3, 4, 40]) func `a pack cut to a few bytes is an error of the check, not its end`(size: Int) throws {
        try withTemporaryDirectory("stump") { root in
            let repository = try makeStore(root / "repo")
            try fillStore(repository)
            let pack = try #require(onlyFiles(below: root / "repo" / "data").first)
            try rewrite(pack) { $0 = Array($0.prefix(size)) }
            let opened = try Repository.open(at: root / "repo", password: storePassword)
            #expect(!(try opened.check(readData: true).isSound))
        }
    }

    @Test func `restic's exclusive lock keeps us out, and ours keeps restic out`() async throws {
        try await withTemporaryDirectory("locked") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            try fillStore(repository)
            // restic holds its exclusive lock while its check hangs on a pack that is a fifo.
            let program = try #require(availableCommand("restic"))
            let fifo = path / "snapshots" / String(repeating: "0", count: 64)
            #expect(unsafe fifo.withCString { unsafe mkfifo($0, 0o600) } == 0)
            let holder = try SpawnedProcess(
                [program, "--no-cache", "check"],
                environment: inheritedEnvironment([
                    "RESTIC_REPOSITORY": path.utf8, "RESTIC_PASSWORD": String(decoding: storePassword, as: UTF8.self),
                ]))
            // The file under its final name, not the one under construction; then the 200 ms in which restic looks for a rival.
            func locks() -> [FilePath] { onlyFiles(below: path / "locks").filter { $0.name.count == 64 } }
            for _ in 0..<200 where locks().isEmpty { try await Task.sleep(for: .milliseconds(50)) }
            #expect(locks().count == 1)
            try await Task.sleep(for: .seconds(1))
            let held = failure { _ = try repository.lock(exclusive: false) }
            #expect(held?.code == .locked)
            #expect(held?.message.en.contains("exclusively by PID \(holder.pid) @") == true)
            await holder.killGroup()
            _ = unsafe fifo.withCString { unsafe unlink($0) }
            let left = failure { _ = try repository.lock(exclusive: false) }
            #expect(left?.hint?.en.contains("repo unlock") == true)
            #expect(try repository.unlock() == 1)

            let lock = try repository.lock(exclusive: true)
            let refused = try await restic(path, ["snapshots"])
            #expect(refused.status != 0 && refused.errorText.contains("already locked exclusively by PID \(getpid())"), "\(refused)")
            lock.release()
            let list = try await restic(path, ["snapshots"])
            #expect(list.status == 0, "\(list)")
        }
    }

    /// Dies at every moment that matters; what is left must be sound for restic, and the next backup must succeed.
    @Test(arguments: ["pack.written", "pack.published", "index.published", "snapshot.published", "file.written", "file.renamed"])
    func `death at any moment leaves a sound repository`(_ point: String) async throws {
        try await withTemporaryDirectory("killed") { root in
            let path = root / "repo"
            _ = try makeStore(path)
            let text = try #require(path.utf8)
            await #expect(processExitsWith: .signal(SIGKILL)) { [text = text as String, point = point as String] in
                unsafe setenv("SENTINEL_FAULTS", "\(point)=kill", 1)
                let repository = try Repository.open(at: FilePath(text), password: storePassword)
                try fillStore(repository)
            }
            let first = try await restic(path, ["check", "--read-data"])
            #expect(first.status == 0, "\(first)")
            let repository = try Repository.open(at: path, password: storePassword)
            #expect(try repository.check(readData: true).errors == [])
            try repository.loadIndex()
            try fillStore(repository)
            let second = try await restic(path, ["check", "--read-data"])
            #expect(second.status == 0, "\(second)")
            let isDone = try repository.listSnapshots().count == (point == "snapshot.published" ? 2 : 1)
            #expect(isDone)
        }
    }
}
