import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// The database of the tests: money that moves but never changes in sum, and a log as long as its counter says.
private enum Bank {
    static let accounts = 100
    static let total: Int64 = 100_000

    static func make(_ path: FilePath, mode: String, megabytes: Int = 12) async throws {
        try await run(
            path,
            """
            PRAGMA journal_mode=\(mode);
            CREATE TABLE account(id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<\(accounts)) INSERT INTO account SELECT i, \(Int(total) / accounts) FROM n;
            CREATE TABLE log(id INTEGER PRIMARY KEY, text BLOB);
            CREATE TABLE counter(n INTEGER NOT NULL);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<\(megabytes * 1000)) INSERT INTO log(text) SELECT randomblob(1000) FROM n;
            INSERT INTO counter SELECT count(*) FROM log;
            """)
    }

    /// Transactions without end for sqlite3(1).
    /// A process that writes until it is ended, whatever else the machine does.
    static func writer(_ path: FilePath) throws -> SpawnedProcess {
        let program = try #require(availableCommand("sqlite3"))
        let transaction = """
            BEGIN IMMEDIATE; UPDATE account SET amount=amount-7 WHERE id=1; INSERT INTO log(text) VALUES(randomblob(300)); \
            UPDATE log SET text=randomblob(900) WHERE id=1+abs(random()%9000); UPDATE counter SET n=n+1; \
            UPDATE account SET amount=amount+7 WHERE id=\(accounts); COMMIT;
            """
        return try SpawnedProcess([
            "/bin/sh", "-c", "yes \"$1\" | exec \"$2\" -cmd 'PRAGMA synchronous=OFF' -cmd '.timeout 5000' \"$3\"", "sh", transaction, program, "\(path)",
        ])
    }

    @discardableResult
    static func run(_ path: FilePath, _ sql: String) async throws -> String {
        let program = try #require(availableCommand("sqlite3"), "scripts/deps test installs sqlite3")
        let output = try await runProcess([program, "-bail", "\(path)"], input: Array(sql.utf8))
        #expect(output.status == 0, "\(output)")
        return output.text
    }

    /// Opens a copy alone in a directory and checks that it is whole and of one moment.
    static func check(_ bytes: [UInt8], _ directory: FilePath) throws -> Int64 {
        let path = directory / "copy-\(UInt64.random(in: 0...UInt64.max)).db"
        try DurableFiles.create(path, bytes)
        let database = try Database(path, access: .readOnly)
        #expect(try database.first("PRAGMA integrity_check") { row throws(DatabaseError) in row.text(0) } == "ok")
        #expect(try database.first("SELECT sum(amount) FROM account") { row throws(DatabaseError) in row.integer(0) } == total)
        let entries = try database.first("SELECT count(*) FROM log") { row throws(DatabaseError) in row.integer(0) }
        let counter = try database.first("SELECT n FROM counter") { row throws(DatabaseError) in row.integer(0) }
        #expect(entries == counter)
        return counter ?? -1
    }
}

@Suite struct SQLiteProducerTests {
    @Test(arguments: ["WAL", "DELETE"]) func `a database that is being written to is stored as of one moment`(mode: String) async throws {
        let scene = try BackupScene("sqlite-\(mode)")
        let path = scene.source / "app.db"
        try put(scene.source / "other", "1")
        try await Bank.make(path, mode: mode)
        let writer = try Bank.writer(path)
        var counters: [Int64] = []
        for _ in 0..<4 {
            try await Task.sleep(for: .milliseconds(50))
            let report = try scene.backUp(streams: [SQLiteProducer.source(path: path, scratch: scene.directory / "scratch")], [scene.source])
            #expect(report.isComplete)
            #expect(try scene.list(report.snapshot) == ["app.db", "other"])
            counters.append(try Bank.check(scene.content(path, report.snapshot), scene.directory.path))
        }
        // It was written to all the time, and the copies show that.
        #expect(writer.poll() == nil)
        #expect(counters == counters.sorted() && Set(counters).count > 1, "\(counters)")
        await writer.killGroup()
        #expect(directoryEntries(scene.directory / "scratch").isEmpty)
        #expect(!String(decoding: writer.standardError, as: UTF8.self).contains("locked"))
    }

    @Test func `the entry has mode, owner and times of the database, and an unchanged one adds nothing`() async throws {
        let scene = try BackupScene("sqlite-same")
        let path = scene.source / "app.db"
        try await Bank.make(path, mode: "DELETE", megabytes: 3)
        _ = unsafe path.withCString { unsafe chmod($0, 0o640) }
        let source = SQLiteProducer.source(path: path, scratch: scene.directory / "scratch")
        let first = try scene.backUp(streams: [source])
        let status = try FileStatus.of(path)
        let node = try scene.sourceNode(first.snapshot, "app.db")
        #expect(node.mode.permissions == 0o640 && node.modified == status.modified && node.uid == status.uid && node.inode == status.inode)
        #expect(node.size == status.sizeBytes)
        let second = try scene.backUp(streams: [source])
        #expect(second.summary.dataBlobs == 0 && second.summary.filesUnmodified == 1)
    }

    @Test func `a closed database in WAL mode is copied without a file appearing beside it`() async throws {
        let scene = try BackupScene("sqlite-closed")
        let path = scene.source / "app.db"
        try await Bank.make(path, mode: "WAL", megabytes: 2)
        #expect(directoryEntries(scene.source).count == 1)
        let before = try FileStatus.of(scene.source)
        let report = try scene.backUp(streams: [SQLiteProducer.source(path: path, scratch: scene.directory / "scratch")])
        #expect(try FileStatus.of(scene.source) == before)
        _ = try Bank.check(scene.content(path, report.snapshot), scene.directory.path)
        #expect(directoryEntries(scene.directory / "scratch").isEmpty)
    }

    @Test(arguments: ["WAL", "DELETE"]) func `a database whose application was killed is stored as its next start would find it`(mode: String) async throws {
        let scene = try BackupScene("sqlite-crash")
        let path = scene.source / "app.db"
        try await Bank.make(path, mode: mode, megabytes: 2)
        // Committed work in the log, then a transaction cut short whose pages have reached the file.
        let program = try #require(availableCommand("sqlite3"))
        let sql = """
            PRAGMA wal_autocheckpoint=0; INSERT INTO log(text) VALUES('last'); UPDATE counter SET n=n+1;
            PRAGMA cache_size=1; BEGIN; UPDATE account SET amount=0; UPDATE log SET text=zeroblob(900);
            .shell kill -9 $PPID\n
            """
        let crashed = try await runProcess([program, "\(path)"], input: Array(sql.utf8))
        #expect(crashed.end == .signalled(SIGKILL))
        let names = Set(directoryEntries(scene.source).map { String(decoding: $0, as: UTF8.self) })
        #expect(names.contains(mode == "WAL" ? "app.db-wal" : "app.db-journal"))
        let report = try scene.backUp(streams: [SQLiteProducer.source(path: path, scratch: scene.directory / "scratch")], [scene.source])
        #expect(try scene.list(report.snapshot) == ["app.db"])
        #expect(try Bank.check(scene.content(path, report.snapshot), scene.directory.path) == 2001)
        // The journal is the application's to play back.
        let after = Set(directoryEntries(scene.source).map { String(decoding: $0, as: UTF8.self) })
        #expect(names.isSubset(of: after))
    }

    @Test func `a database that stays locked is given up after the patience, and its entry is absent`() async throws {
        let scene = try BackupScene("sqlite-locked")
        let path = scene.source / "app.db"
        try put(scene.source / "other", "1")
        try await Bank.make(path, mode: "DELETE", megabytes: 1)
        let program = try #require(availableCommand("sqlite3"))
        let marker = scene.directory / "locked"
        let holder = try SpawnedProcess([program, "\(path)", "BEGIN EXCLUSIVE", ".shell touch \(marker) && sleep 120"])
        for _ in 0..<3000 where try !FileStatus.exists(marker) { try await Task.sleep(for: .milliseconds(10)) }
        let source = SQLiteProducer.source(path: path, scratch: scene.directory / "scratch", patienceSeconds: 0.5)
        let report = try scene.backUp(streams: [source], [scene.source], failure: .leavesOut)
        await holder.killGroup()
        #expect(report.unreadable.map(\.path) == [path])
        #expect(report.unreadable.first?.reason.en.contains("locked") == true)
        #expect(report.snapshot.tags == ["incomplete"])
        #expect(try scene.list(report.snapshot) == ["other"])
    }

    @Test func `what is no database, a link, or not there is a failure`() async throws {
        let scene = try BackupScene("sqlite-none")
        try put(scene.source / "text", String(repeating: "no database ", count: 500))
        try await Bank.make(scene.source / "real.db", mode: "DELETE", megabytes: 1)
        _ = unsafe symlink("real.db", (scene.source / "link").description)
        for name in ["text", "link", "missing"] {
            let source = SQLiteProducer.source(path: scene.source / name, scratch: scene.directory / "scratch")
            #expect(code { _ = try scene.backUp(streams: [source]) } == .producer, "\(name)")
        }
        #expect(directoryEntries(scene.directory / "scratch").isEmpty)
    }
}

extension BackupScene {
    fileprivate func sourceNode(_ snapshot: Snapshot, _ name: String) throws -> Node { try node(source / name, snapshot) }
}
