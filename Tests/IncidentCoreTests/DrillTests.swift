import BackupEngine
import Glibc
import Ledger
import Platform
import Synchronization
import TestSupport
import Testing

@testable import IncidentCore

/// A small repository with one backup in it, made by the job runner itself.
private struct DrillFixture {
    static let password = Array("mật khẩu".utf8)

    let root: FilePath
    var source: FilePath { root / "src" }
    var repository: FilePath { root / "repo" }
    var scratch: FilePath { root / "scratch" }

    init(_ root: FilePath) throws {
        self.root = root
        try DurableFiles.makeDirectories(source / "hồ sơ")
        var random = SeededRandom(for: "drill")
        for index in 0..<20 {
            let bytes = (0..<(index * 3000)).map { _ in UInt8.random(in: 0...255, using: &random) }
            try DurableFiles.create(source / "hồ sơ" / "\(index).bin", bytes, mode: 0o640)
        }
        try DurableFiles.create(source / "empty", [], mode: 0o600)
        let database = try Database(source / "app.db", access: .create)
        try database.execute("CREATE TABLE t(x); INSERT INTO t VALUES (1), (2); PRAGMA wal_checkpoint(TRUNCATE)")
        _ = try Repository.create(at: repository, password: Self.password, cost: .fixed(n: 1024, r: 8, p: 1))
    }

    var backupOrder: BackupOrder {
        BackupOrder(
            job: "hoso", sources: [.init(paths: [source.description], excludes: ["*.bỏ"])],
            targets: [.init(RepositoryReference(name: "main", location: repository.description))], hostname: "may-chu")
    }

    func drillOrder(_ databases: [String] = [], recoveryTime: Int? = 600, recoveryPoint: Int? = 3600) throws -> DrillOrder {
        DrillOrder(
            drill: "quy", job: "hoso", reference: RepositoryReference(name: "main", location: repository.description), hostname: "may-chu",
            scratch: scratch.description, sqliteDatabases: databases, recoveryTimeObjectiveSeconds: recoveryTime,
            recoveryPointObjectiveSeconds: recoveryPoint)
    }

    func backUp() -> BackupResult {
        BackupJobRunner(access: RepositoryAccess(password: { _ in Self.password })).run(backupOrder, cancellation: CancellationFlag()) { _, _ in }
    }

    func drill(
        _ order: DrillOrder, now: @escaping @Sendable () -> Timestamp = { .now() }, cancellation: CancellationFlag = CancellationFlag()
    ) -> DrillResult {
        DrillRunner(access: RepositoryAccess(password: { _ in Self.password }), now: now).run(order, cancellation: cancellation) { _, _ in }
    }

    /// What lies in the scratch directory; a drill must leave nothing.
    func leftovers() -> [[UInt8]] { directoryEntries(scratch) }

    /// The packs, the largest first: data before trees.
    func packs() throws -> [(path: FilePath, sizeBytes: UInt64)] {
        var result: [(path: FilePath, sizeBytes: UInt64)] = []
        for prefix in directoryEntries(repository / "data") {
            let directory = (repository / "data").appending(prefix)
            for name in directoryEntries(directory) {
                let path = directory.appending(name)
                result.append((path, try FileStatus.ofLink(path).sizeBytes))
            }
        }
        return result.sorted { $0.sizeBytes > $1.sizeBytes }
    }
}

@Suite struct DrillTests {
    @Test func `a backup and a drill of it pass, with measured RTO and RPO`() throws {
        let directory = try TemporaryDirectory("drill")
        let fixture = try DrillFixture(directory.path)
        let backup = fixture.backUp()
        let target = try #require(backup.targets.first)
        #expect(backup.outcome == .complete, "\(target.failure?.message.en ?? "")")
        #expect(target.files == 22)
        let later = Timestamp.now().adding(seconds: 1000)
        let result = fixture.drill(try fixture.drillOrder(["app.db"]), now: { later })
        #expect(result.outcome == .passed, "\(result.failure?.message.en ?? "") \(result.problems)")
        #expect(result.snapshot == target.snapshot)
        #expect(result.files == 22)
        #expect(result.filesVerified == 22)
        #expect((990...1010).contains(result.recoveryPointSeconds ?? -1))
        #expect((1...600_000).contains(result.recoveryTimeMilliseconds ?? -1))
        #expect(result.assertions.map(\.isPassed) == [true])
        #expect(result.leftover == nil)
        #expect(fixture.leftovers().isEmpty)
        // It crosses a process boundary.
        #expect(try JSONValue(encoding: result).decode(as: DrillResult.self) == result)
        #expect(try JSONValue(encoding: backup).decode(as: BackupResult.self) == backup)
    }

    @Test(arguments: [0, 1]) func `a drill on a damaged pack fails and says so`(which: Int) throws {
        let directory = try TemporaryDirectory("drill")
        let fixture = try DrillFixture(directory.path)
        #expect(fixture.backUp().outcome == .complete)
        let packs = try fixture.packs()
        #expect(packs.count >= 2)
        let pack = packs[min(which, packs.count - 1)]
        var bytes = try DurableFiles.read(pack.path, limit: 64 << 20)
        // In the middle of the first blob, so that it is content that is hit.
        bytes[24] ^= 0x40
        try DurableFiles.replace(pack.path, bytes)
        let result = fixture.drill(try fixture.drillOrder())
        #expect(result.outcome == .failed)
        #expect(result.recoveryTimeMilliseconds == nil)
        #expect(result.problemCount > 0 || result.failure != nil)
        #expect(fixture.leftovers().isEmpty)
    }

    @Test func `a missing pack fails the drill`() throws {
        let directory = try TemporaryDirectory("drill")
        let fixture = try DrillFixture(directory.path)
        #expect(fixture.backUp().outcome == .complete)
        try DurableFiles.remove(try #require(fixture.packs().first).path)
        let result = fixture.drill(try fixture.drillOrder())
        #expect(result.outcome == .failed)
        #expect(result.problemCount > 0 || result.failure != nil)
        #expect(fixture.leftovers().isEmpty)
    }

    @Test func `a broken database fails its assertion`() throws {
        let directory = try TemporaryDirectory("drill")
        let fixture = try DrillFixture(directory.path)
        var bytes = try DurableFiles.read(fixture.source / "app.db", limit: 1 << 20)
        for index in 4096..<min(bytes.count, 4300) { bytes[index] = 0xFF }
        try DurableFiles.replace(fixture.source / "app.db", bytes)
        #expect(fixture.backUp().outcome == .complete)
        let result = fixture.drill(try fixture.drillOrder(["app.db", "missing.db"]))
        #expect(result.assertions.map(\.isPassed) == [false, false])
        #expect(result.problemCount == 0)
        #expect(result.outcome == .failed)
        #expect(fixture.leftovers().isEmpty)
    }

    @Test func `objectives that are missed are not passed over`() throws {
        let directory = try TemporaryDirectory("drill")
        let fixture = try DrillFixture(directory.path)
        #expect(fixture.backUp().outcome == .complete)
        #expect(fixture.drill(try fixture.drillOrder(recoveryTime: 0)).outcome == .objectivesMissed)
        let late = Timestamp.now().adding(seconds: 7200)
        let result = fixture.drill(try fixture.drillOrder(), now: { late })
        #expect(result.outcome == .objectivesMissed)
        #expect(result.meetsRecoveryPoint == false && result.meetsRecoveryTime == true)
    }

    @Test func `no snapshot, a wrong password and a cancelled drill say what they are`() throws {
        let directory = try TemporaryDirectory("drill")
        let fixture = try DrillFixture(directory.path)
        let empty = fixture.drill(try fixture.drillOrder())
        #expect(empty.outcome == .failed)
        #expect(empty.failure?.message.en == "the repository 'main' has no snapshot of 'hoso'")
        let wrong = DrillRunner(access: RepositoryAccess(password: { _ in [1, 2] })).run(
            try fixture.drillOrder(), cancellation: CancellationFlag()
        ) { _, _ in }
        #expect(wrong.failure != nil)
        let flag = CancellationFlag()
        flag.cancel()
        #expect(fixture.drill(try fixture.drillOrder(), cancellation: flag).failure != nil)
        #expect(fixture.leftovers().isEmpty)
        let failed = BackupJobRunner(access: RepositoryAccess(password: { _ in [1, 2] })).run(fixture.backupOrder, cancellation: CancellationFlag()) { _, _ in }
        #expect(failed.outcome == .failed)
        #expect(failed.targets.first?.failure?.hint != nil || failed.targets.first?.failure != nil)
    }

    @Test func `snapshots of other hosts and jobs are not drilled`() throws {
        let directory = try TemporaryDirectory("drill")
        let fixture = try DrillFixture(directory.path)
        #expect(fixture.backUp().outcome == .complete)
        var order = try fixture.drillOrder()
        order.hostname = "may-khac"
        #expect(fixture.drill(order).snapshot == nil)
        order = try fixture.drillOrder()
        order.job = "khac"
        #expect(fixture.drill(order).snapshot == nil)
    }

    @Test func `what a killed drill left is removed, links untouched`() throws {
        let directory = try TemporaryDirectory("drill")
        let scratch = directory.path / "scratch"
        let outside = directory.path / "outside"
        try DurableFiles.create(outside, [1])
        let left = try DrillScratch.make(in: scratch)
        #expect(try FileStatus.ofLink(left).permissions == 0o700)
        var deep = left
        for level in 0..<300 {
            deep = deep / "t\(level)"
            try DurableFiles.makeDirectories(deep)
        }
        try DurableFiles.create(left / "file", [2])
        try DurableFiles.makeDirectories(left / "locked", mode: 0o700)
        try DurableFiles.create(left / "locked" / "x", [3])
        _ = unsafe (left / "locked").withCString { unsafe chmod($0, 0) }
        _ = unsafe outside.withCString { target in unsafe (left / "link").withCString { unsafe symlink(target, $0) } }
        #expect(try DrillScratch.removeLeftovers(in: scratch) == 1)
        #expect(directoryEntries(scratch).isEmpty)
        #expect(try FileStatus.exists(outside))
        #expect(try DrillScratch.removeLeftovers(in: directory.path / "none") == 0)
    }

    @Test func `a failed drill opens an incident with its evidence, a passed one clears it`() async throws {
        try await withSite { site in
            let drills = DrillService(incidents: site.service)
            let failed = DrillResult.test("hoso-quy", .failed, site.clock.now)
            #expect(try await drills.record(failed).map(\.effect) == [.opened])
            let run = try #require(try await drills.runs(of: "hoso-quy").first)
            #expect(run.outcome == .failed)
            #expect(try await drills.result(of: run.sequence) == failed)
            #expect(try await site.service.show("SC-2026-0001").summary.severity == .high)
            site.clock.advance(seconds: 60)
            try await drills.record(.test("hoso-quy", .passed, site.clock.now))
            #expect(try await site.service.show("SC-2026-0001").summary.condition == .cleared)
            #expect(try await drills.drills().first?.last?.outcome == .passed)
            #expect(try await incidentCode { _ = try await drills.runs(of: "hoso-qu") } == .notFound)
        }
    }
}
