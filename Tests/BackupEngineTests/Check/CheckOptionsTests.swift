import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct CheckOptionsTests {
    /// A repository of several packs: two snapshots that share nothing.
    private func withStore(_ body: (FilePath, Repository, [Snapshot]) throws -> Void) throws {
        try withTemporaryDirectory("check-options") { root in
            let repository = try makeStore(root / "repo")
            var snapshots: [Snapshot] = []
            for seed in 1...2 as ClosedRange<UInt64> {
                var random = SeededRandom(seed: seed)
                let data = random.bytes(50_000)
                let tree = try storeTree([("f", data.count, [try storeData(data, in: repository)])], in: repository)
                let id = try repository.saveSnapshot(snapshot(of: tree, at: 1_790_000_000 + Int64(seed), host: "host-\(seed)"))
                snapshots.append(try repository.loadSnapshot(id))
            }
            try body(root / "repo", repository, snapshots)
        }
    }

    @Test func `the parts to read are written as restic has them`() throws {
        #expect(try ReadDataSubset("2/7") == .bucket(number: 2, of: 7))
        #expect(try ReadDataSubset("2.5%") == .percent(2.5))
        #expect(try ReadDataSubset("50M") == .bytes(50 << 20))
        #expect(try ReadDataSubset("1.5G") == .bytes(3 << 29))
        for text in ["", "0/3", "4/3", "1/257", "x/3", "0%", "101%", "-5", "5X", "1/2/3"] {
            #expect { try ReadDataSubset(text) } throws: { ($0 as? RepositoryError)?.code == .invalidArgument }
        }
    }

    @Test func `the buckets together read every pack once`() throws {
        try withStore { _, repository, _ in
            var packs = 0
            for number in 1...4 { packs += try repository.check(CheckOptions(readData: .bucket(number: number, of: 4))).packsRead }
            #expect(packs == 4)
            #expect(try repository.check(CheckOptions(readData: .percent(1))).packsRead == 1)
            #expect(try repository.check(CheckOptions(readData: .bytes(1 << 40))).packsRead == 4)
        }
    }

    @Test func `a chosen snapshot is checked with its own packs only`() throws {
        try withStore { path, repository, snapshots in
            var options = CheckOptions(readData: .all)
            options.filter = SnapshotFilter(hosts: ["host-2"])
            let report = try repository.check(options)
            #expect((report.snapshots, report.trees, report.packsRead) == (1, 1, 2))
            // Damage to what only the other needs is not its business.
            let pack = try #require(
                repository.packs(of: snapshots[0]).first { pack in
                    repository.indexedPacks().contains { $0.id == pack && $0.entries.contains { $0.type == .data } }
                })
            try rewrite(path / "data" / String(pack.hex.prefix(2)) / pack.hex) { $0[30] ^= 1 }
            #expect(try repository.check(options).isSound)
            options.filter = nil
            options.snapshots = [snapshots[0].id]
            #expect(try repository.check(options).damagedPacks == [pack])
            options.snapshots = [.zero]
            #expect { try repository.check(options) } throws: { ($0 as? RepositoryError)?.code == .missing }
        }
    }

    @Test func `verification in use lets a backup go on and mentions no packs of its making`() throws {
        try withStore { path, repository, _ in
            // What a backup that is still running has published.
            let other = try Repository.open(at: path, password: storePassword)
            let lock = try other.lock(exclusive: false)
            defer { lock.release() }
            var random = SeededRandom(seed: 9)
            try storeData(random.bytes(1000), in: other)
            try other.flush()
            for file in onlyFiles(below: path / "index").suffix(1) { try DurableFiles.remove(file) }
            let report = try repository.verifyInUse(readData: .all)
            #expect(report.hints.isEmpty)
            #expect(!(try repository.check(CheckOptions()).hints.isEmpty))
        }
    }

    @Test func `a damaged key file is named`() throws {
        try withStore { path, repository, _ in
            let file = try #require(onlyFiles(below: path / "keys").first)
            try rewrite(file) { $0[20] ^= 1 }
            let report = try repository.check(CheckOptions())
            #expect(report.errors.map(\.kind) == [.damagedFile])
            #expect(report.errors.first?.message.en.contains(String(decoding: file.name, as: UTF8.self)) == true)
        }
    }

    @Test func `a header that tells another story than the index is found`() throws {
        try withStore { path, repository, snapshots in
            let packs = try repository.listFiles(.pack)
            // Two packs of the same size trade places: each is intact, and not what its name says.
            let bySize = Dictionary(grouping: packs, by: \.sizeBytes).values.filter { $0.count == 2 }
            #expect(!bySize.isEmpty)
            for pair in bySize {
                let paths = pair.map { path / "data" / String($0.id.hex.prefix(2)) / $0.id.hex }
                let contents = try paths.map { try DurableFiles.read($0, limit: 1 << 24) }
                try DurableFiles.replace(paths[0], contents[1])
                try DurableFiles.replace(paths[1], contents[0])
            }
            let report = try repository.check(CheckOptions(readData: .all))
            #expect(Set(report.damagedPacks).isSuperset(of: bySize.flatMap { $0 }.map(\.id)))
        }
    }

    @Test func `a raised flag ends the check`() throws {
        try withStore { _, repository, _ in
            let flag = CancellationFlag()
            flag.cancel()
            #expect { try repository.check(CheckOptions(readData: .all), cancellation: flag) } throws: {
                ($0 as? RepositoryError)?.code == .interrupted
            }
        }
    }
}
