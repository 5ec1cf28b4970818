@testable internal import BackupEngine
internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

@Suite struct `Repository store` {
    @Test func `what was stored is loaded after the repository is opened again`() throws {
        try withTemporaryDirectory("store") { root in
            let made = try makeStore(root / "repo")
            let (id, blobs, tree) = try fillStore(made)
            let repository = try Repository.open(at: root / "repo", password: storePassword)
            #expect(repository.configuration == made.configuration)
            let snapshots = try repository.listSnapshots()
            try repository.loadIndex()
            #expect(snapshots.map(\.id) == [id])
            #expect(snapshots.first?.tree == tree)
            #expect(snapshots.first?.paths == ["/srv/hồ sơ <1>"])
            for blob in blobs { #expect(try SHA256.hash(repository.loadBlob(.data, blob)) == blob) }
            #expect(try repository.loadTree(tree).nodes.count == 3)
            #expect(try repository.check(readData: true).isSound)
        }
    }

    @Test func `files lie where restic looks for them and cannot be written`() throws {
        try withTemporaryDirectory("layout") { root in
            let path = root / "repo"
            try fillStore(try makeStore(path))
            #expect(Set(directoryEntries(path).map { String(decoding: $0, as: UTF8.self) }) == ["config", "data", "index", "keys", "locks", "snapshots"])
            #expect(directoryEntries(path / "data").count == 256)
            #expect(try FileStatus.of(path).permissions == 0o700)
            for file in onlyFiles(below: path) {
                let name = String(decoding: file.name, as: UTF8.self)
                #expect(try FileStatus.of(file).permissions == 0o400)
                let hash = try SHA256.hash(DurableFiles.read(file, limit: 1 << 26)).hex
                #expect(name == "config" || name == hash)
                #expect(!file.isBelow(path / "data") || file.parent.name == Array(hash.prefix(2).utf8))
            }
            // One pack of data, one of trees.
            #expect(onlyFiles(below: path / "data").count == 2)
            #expect(onlyFiles(below: path / "index").count == 1)
        }
    }

    @Test func `blobs of every awkward size survive, and incompressible data is stored plain`() throws {
        try withTemporaryDirectory("sizes") { root in
            let repository = try makeStore(root / "repo")
            var random = SeededRandom(for: "sizes")
            var contents: [[UInt8]] = [[], [0], [UInt8](repeating: 0, count: 300), [UInt8](repeating: 7, count: 9_000_000)]
            for size in [1, 2, 31, 32, 33, 255, 256, 257, 4096, 1_500_000, 20 << 20] { contents.append(random.bytes(size)) }
            var ids: [Digest] = []
            for content in contents {
                let id = try SHA256.hash(content)
                let stored = try repository.storeBlob(.data, id, content)
                ids.append(id)
                if content.count > 4096, Set(content).count > 2 { #expect(stored.storedBytes == content.count + 32) }
                if content.count == 9_000_000 { #expect(stored.storedBytes < 10_000) }
            }
            try repository.flush()
            let reader = try Repository.open(at: root / "repo", password: storePassword)
            try reader.loadIndex()
            for (id, content) in zip(ids, contents) {
                #expect(try reader.loadBlob(.data, id) == content)
                #expect(reader.blobSize(.data, id) == content.count)
            }
            #expect(try reader.check(readData: true).errors == [])
        }
    }

    @Test func `a blob is stored once, whoever brings it, and data and trees are different things`() throws {
        try withTemporaryDirectory("dedup") { root in
            let repository = try makeStore(root / "repo")
            let bytes = Array("{\"nodes\":[]}\n".utf8)
            let id = try SHA256.hash(bytes)
            #expect(try repository.storeBlob(.data, id, bytes).isNew)
            #expect(try !repository.storeBlob(.data, id, bytes).isNew)
            #expect(repository.contains(.data, id) && !repository.contains(.tree, id))
            #expect(try repository.storeBlob(.tree, id, bytes).isNew)
            try repository.flush()
            #expect(try !repository.storeBlob(.data, id, bytes).isNew)
            let again = try Repository.open(at: root / "repo", password: storePassword)
            try again.loadIndex()
            #expect(try !again.storeBlob(.tree, id, bytes).isNew)
            try again.flush()
            #expect(onlyFiles(below: root / "repo/data").count == 2)
            #expect(onlyFiles(below: root / "repo/index").count == 1)
        }
    }

    @Test func `four threads fill several packs and every blob can be loaded`() throws {
        try withTemporaryDirectory("threads") { root in
            let repository = try makeStore(root / "repo")
            let ids = Monitor<Set<Digest>>([])
            let new = Monitor(0)
            let failures = Monitor<[String]>([])
            var threads: [WorkerThread] = []
            for number in 0..<4 {
                threads.append(
                    try WorkerThread(name: "store") {
                        // Two threads at a time bring the same blobs.
                        var random = SeededRandom(seed: UInt64(number / 2))
                        do {
                            for _ in 0..<40 {
                                let bytes = random.bytes(700_000)
                                let id = try SHA256.hash(bytes)
                                let stored = try repository.storeBlob(.data, id, bytes)
                                ids.change { _ = $0.insert(id) }
                                if stored.isNew { new.change { $0 += 1 } }
                            }
                        } catch {
                            failures.change { $0.append("\(error)") }
                        }
                    })
            }
            for thread in threads { thread.join() }
            #expect(failures.read { $0 } == [])
            try repository.flush()
            #expect(new.read { $0 } == 80)
            let all = ids.read { $0 }
            #expect(all.count == 80)
            for id in all { #expect(try SHA256.hash(repository.loadBlob(.data, id)) == id) }
            let packs = onlyFiles(below: root / "repo/data")
            // Two are open at a time, and their rests are put together where they fit into one.
            #expect((4...5).contains(packs.count))
            #expect(try packs.filter { try FileStatus.of($0).sizeBytes < 16 << 20 }.count <= 2)
            #expect(try repository.check(readData: true).errors == [])
        }
    }

    @Test func `content that is not what its ID says is refused and stops the writing`() throws {
        try withTemporaryDirectory("mismatch") { root in
            let repository = try makeStore(root / "repo")
            _ = try repository.storeBlob(.data, .zero, [1, 2, 3])
            #expect(code { try repository.flush() } == .corrupt)
            #expect(code { _ = try repository.storeBlob(.data, .zero, [1, 2, 3]) } == .corrupt)
            #expect(onlyFiles(below: root / "repo/data") == [])
            #expect(code { _ = try repository.saveSnapshot(snapshot(of: .zero)) } == .corrupt)
            #expect(onlyFiles(below: root / "repo/snapshots") == [])
        }
    }

    @Test func `missing, existing and foreign places are told apart`() throws {
        try withTemporaryDirectory("open") { root in
            #expect(code { _ = try Repository.open(at: root / "none", password: storePassword) } == .noRepository)
            #expect(code { _ = try Repository.open(at: root, password: storePassword) } == .noRepository)
            _ = try makeStore(root / "repo")
            #expect(code { _ = try makeStore(root / "repo") } == .exists)
            // Only a key left: still not overwritten.
            try DurableFiles.remove(root / "repo/config")
            #expect(code { _ = try makeStore(root / "repo") } == .exists)
            #expect(code { _ = try Repository.create(at: root / "new", password: []) } == .invalidArgument)
        }
    }

    @Test func `only the right password opens; a second one opens too`() throws {
        try withTemporaryDirectory("keys") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            #expect(code { _ = try Repository.open(at: path, password: Array("wrong".utf8)) } == .wrongPassword)
            _ = try repository.addKey(password: Array("thứ hai".utf8), cost: .fixed(n: 1024, r: 8, p: 1))
            let second = try Repository.open(at: path, password: Array("thứ hai".utf8))
            #expect(second.configuration == repository.configuration)
            #expect(code { _ = try Repository.open(at: path, password: []) } == .wrongPassword)
            // A foreign file and a damaged key do not keep the good keys from opening.
            try DurableFiles.create(path / "keys/readme.txt", [1])
            let garbage = Array("{\"kdf\":\"argon2\"}".utf8)
            try DurableFiles.create(path / "keys" / SHA256.hash(garbage).hex, garbage)
            _ = try Repository.open(at: path, password: storePassword)
            #expect(code { _ = try Repository.open(at: path, password: Array("wrong".utf8)) } == .corrupt)
        }
    }

    @Test func `no more than twenty keys are tried`() throws {
        try withTemporaryDirectory("manykeys") { root in
            let repository = try makeStore(root / "repo")
            // Ours adds no more than twenty; other programs do.
            let ring = KeyRing(backend: LocalDirectory(root / "repo"))
            for number in 0..<21 {
                _ = try ring.add(
                    repository.master, password: Array("p\(number)".utf8), cost: .fixed(n: 2, r: 1, p: 1), identity: .current())
            }
            let error = failure { _ = try Repository.open(at: root / "repo", password: Array("none".utf8)) }
            #expect(error?.code == .wrongPassword)
            #expect(error?.hint?.en.contains("20 of 22") == true)
        }
    }

    @Test func `snapshots are found by latest, filter and prefix`() throws {
        try withTemporaryDirectory("find") { root in
            let repository = try makeStore(root / "repo")
            let tree = try storeTree([], in: repository)
            var ids: [Digest] = []
            for (number, host) in ["a", "b", "a"].enumerated() {
                ids.append(
                    try repository.saveSnapshot(
                        snapshot(of: tree, at: 1_790_000_000 + Int64(number), host: host, tags: number == 0 ? ["x", "y"] : [])))
            }
            #expect(try repository.listSnapshots().map(\.id) == ids)
            #expect(try repository.findSnapshot("latest").id == ids[2])
            #expect(try repository.findSnapshot("latest", filter: SnapshotFilter(hosts: ["b"])).id == ids[1])
            #expect(try repository.findSnapshot("latest", filter: SnapshotFilter(tagLists: [["z"], ["x", "y"]])).id == ids[0])
            #expect(try repository.findSnapshot("latest", filter: SnapshotFilter(tagLists: [[""]])).id == ids[2])
            #expect(code { _ = try repository.findSnapshot("latest", filter: SnapshotFilter(paths: ["/x"])) } == .missing)
            #expect(try repository.findSnapshot(ids[1].hex.uppercased()).id == ids[1])
            #expect(try repository.findSnapshot(ids[0].short).id == ids[0])
            #expect(code { _ = try repository.findSnapshot("zz") } == .missing)
            #expect(code { _ = try repository.findSnapshot("") } == .missing)
        }
    }

    @Test func `a damaged copy of a blob is passed over for a good one`() throws {
        try withTemporaryDirectory("copies") { root in
            let path = root / "repo"
            let bytes = Array(String(repeating: "bản sao ", count: 100).utf8)
            // Two writers that do not know of each other store the same blob.
            let first = try makeStore(path)
            let second = try Repository.open(at: path, password: storePassword)
            let id = try storeData(bytes, in: first)
            try first.flush()
            try storeData(bytes, in: second)
            try second.flush()
            let packs = onlyFiles(below: path / "data")
            #expect(packs.count == 2)
            for damaged in packs {
                let whole = try DurableFiles.read(damaged, limit: 1 << 20)
                try rewrite(damaged) { $0[20] ^= 1 }
                let reader = try Repository.open(at: path, password: storePassword)
                try reader.loadIndex()
                #expect(try reader.loadBlob(.data, id) == bytes)
                try rewrite(damaged) { $0 = whole }
            }
            for pack in packs { try rewrite(pack) { $0[20] ^= 1 } }
            #expect(code { _ = try first.loadBlob(.data, id) } == .corrupt)
        }
    }

    @Test func `a damaged index, snapshot or config is reported as corrupt`() throws {
        try withTemporaryDirectory("damage") { root in
            let path = root / "repo"
            try fillStore(try makeStore(path))
            let repository = try Repository.open(at: path, password: storePassword)
            for directory in ["index", "snapshots"] {
                let file = try #require(onlyFiles(below: path / directory).first)
                let whole = try DurableFiles.read(file, limit: 1 << 20)
                for change in [0, whole.count / 2, whole.count - 1] {
                    try rewrite(file) { $0[change] ^= 0x10 }
                    #expect(
                        code {
                            try repository.loadIndex(); _ = try repository.listSnapshots()
                        } == .corrupt)
                    try rewrite(file) { $0 = whole }
                }
                try rewrite(file) { $0.removeAll() }
                #expect(
                    code {
                        try repository.loadIndex(); _ = try repository.listSnapshots()
                    } == .corrupt)
                try rewrite(file) { $0 = whole }
            }
            for count in [0, 10, 40] {
                try rewrite(path / "config") { $0 = Array($0.prefix(count)) }
                #expect(code { _ = try Repository.open(at: path, password: storePassword) } == .corrupt)
            }
        }
    }

    @Test func `fifty thousand blobs are split into two indexes`() throws {
        try withTemporaryDirectory("manyblobs") { root in
            let repository = try makeStore(root / "repo")
            // Packs of small blobs reach 16 MiB late: bring the count there with blobs of about 450 stored bytes.
            var random = SeededRandom(seed: 5)
            var ids: [Digest] = []
            for _ in 0..<90_000 { ids.append(try storeData(random.bytes(420), in: repository)) }
            try repository.flush()
            #expect(onlyFiles(below: root / "repo/index").count == 2)
            let reader = try Repository.open(at: root / "repo", password: storePassword)
            let began = Monotonic.nanoseconds()
            try reader.loadIndex()
            printToStandardError("index of 90000 blobs loaded in \((Monotonic.nanoseconds() - began) / 1_000_000) ms")
            #expect(ids.allSatisfy { reader.contains(.data, $0) })
            #expect(try reader.check(readData: true).errors == [])
        }
    }

    @Test func `a full disk ends the backup with a storage error and a hint`() async throws {
        try await withTemporaryDirectory("nospace") { root in
            let path = try #require((root / "repo").utf8)
            _ = try makeStore(root / "repo")
            await #expect(processExitsWith: .success) { [path = path as String] in
                unsafe setenv("SENTINEL_FAULTS", "pack.written=nospace", 1)
                let repository = try Repository.open(at: FilePath(path), password: storePassword)
                try storeData([1, 2, 3], in: repository)
                let error = failure { try repository.flush() }
                guard error?.code == .storage, error?.hint != nil else { exit(2) }
                guard code({ try storeData([4], in: repository) }) == .storage else { exit(3) }
            }
            #expect(onlyFiles(below: root / "repo/data") == [])
        }
    }
}
