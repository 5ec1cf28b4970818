import BackupEngine
import Platform
import TestSupport
import Testing

@testable import IncidentCore

@Suite struct ConfigStreamTests {
    private func read(_ sources: String) throws -> BackupJobSetting {
        let text = """
            site: {name: Phường, code: DK01}
            backup:
              repositories: {main: {path: /repo, password: {credential: c}}}
              jobs: {j: {sources: [\(sources)], to: [main]}}
            """
        return try #require(try Configuration.parse(Array(text.utf8), name: "sentinel.yaml").backup.job(named: "j"))
    }

    private func problem(_ sources: String) -> String? {
        do {
            _ = try read(sources)
            return nil
        } catch {
            return (error as? ConfigError)?.problems.first.map { "\($0.message.en)" }
        }
    }

    @Test func `databases and commands are read beside files`() throws {
        let job = try read(
            """
            {files: [/srv], exclude: ["*.tmp"]}, {sqlite: /srv/app.db},
            {postgresql: {database: motcua, socket: /run/postgresql, port: 5433, user: s, password: {credential: pg}, globals: true, timeout: 10m}},
            {mariadb: {database: "một cửa", name: mot-cua, host: db.example, password: {file: /etc/pw}}},
            {command: {argv: [/usr/bin/dump, "a b"], name: x.json, timeout: 90s, limit: 2GiB}}
            """)
        #expect(job.sources == [FileSource(paths: ["/srv"], excludes: ["*.tmp"])])
        #expect(job.streams.map(\.kind) == [.sqlite, .postgresql, .mariadb, .command])
        #expect(
            job.streams.flatMap(\.paths).map(\.description) == [
                "/srv/app.db", "/postgresql/motcua.dump", "/postgresql/globals.sql", "/mariadb/mot-cua.sql", "/command/x.json",
            ])
        #expect(job.streams[1].password == .credential("pg") && job.streams[1].port == 5433 && job.streams[1].timeoutSeconds == 600)
        #expect(job.streams[2].password == .file("/etc/pw") && job.streams[2].host == "db.example" && job.streams[2].timeoutSeconds == 21600)
        #expect(job.streams[3].argv == ["/usr/bin/dump", "a b"] && job.streams[3].limitBytes == 2 << 30)
    }

    @Test(arguments: [
        ("{sqlite: app.db}", "not an absolute path"), ("{sqlite: /a, files: [/b]}", "exactly one of"),
        ("{sqlite: /a}, {sqlite: /a}", "taken by another source"), ("{postgresql: {name: x}}", "'database' is missing"),
        ("{postgresql: {database: a, password: geheim}}", "must not stand in the config"),
        ("{postgresql: {database: a, socket: /s, host: h}}", "either socket or host"), ("{postgresql: {database: a, host: /s}}", "use the key 'socket'"),
        ("{mariadb: {database: a/../b}}", "the key 'name' is needed"), ("{mariadb: {database: a, globals: true}}", "unknown key 'globals'"),
        ("{postgresql: {database: a, globals: true}}, {postgresql: {database: b, globals: true}}", "taken by another source"),
        ("{command: {argv: [dump], name: x}}", "not an absolute path"), ("{command: {argv: [/bin/dump]}}", "'name' is missing"),
        ("{command: {argv: [/bin/dump], name: a/b}}", "no valid name"), ("{command: {argv: [/bin/dump], name: x, limit: 5}}", "no amount of storage"),
        ("{command: {argv: /bin/dump, name: x}}", "a list"),
    ])
    func `a slip in a source is named`(sources: String, expected: String) {
        let found = problem(sources)
        #expect(found?.contains(expected) == true, "\(found ?? "accepted")")
    }

    @Test func `a password that is missing fails its own entry only`() throws {
        let job = try read("{postgresql: {database: a, password: {credential: pg}, globals: true}}, {sqlite: /x.db}")
        let sources = job.streams.flatMap { setting in
            setting.sources(scratch: "/scratch") { _ in throw SecretError(code: .missing, message: Phrase(verbatim: "no password"), hint: nil) }
        }
        #expect(sources.map(\.path) == ["/postgresql/a.dump", "/postgresql/globals.sql", "/x.db"])
        for source in sources.prefix(2) {
            #expect { _ = try source.producer.open(StreamSurroundings()) } throws: { ($0 as? StreamError)?.message.en == "no password" }
        }
    }

    @Test func `a program that others than root may change is not trusted`() throws {
        try withTemporaryDirectory("trust") { directory in
            #expect(ProgramTrust.problem("/bin/sh") == nil)
            let program = directory / "dump"
            try DurableFiles.create(program, [], mode: 0o755)
            // Everything below /tmp is writable for all.
            #expect(ProgramTrust.problem(program) != nil)
            #expect(ProgramTrust.problem(directory / "missing") == nil)
        }
    }
}

@Suite struct StreamJobTests {
    @Test func `a job stores what it can, leaves out what failed, and says so in the snapshot`() throws {
        try withTemporaryDirectory("stream-job") { directory in
            let password = Array("pw".utf8)
            let repository = try Repository.create(at: directory / "repo", password: password, cost: .fixed(n: 1024, r: 8, p: 1))
            try DurableFiles.makeDirectories(directory / "data")
            try DurableFiles.create(directory / "data/a", [1])
            var good = StreamSetting(kind: .command, name: "good")
            good.argv = ["/bin/echo", "x"]
            var bad = StreamSetting(kind: .command, name: "bad")
            bad.argv = ["/bin/sh", "-c", "echo half; exit 9"]
            var order = BackupOrder(
                job: "j", sources: [.init(paths: ["\(directory / "data")"], excludes: [])],
                targets: [.init(RepositoryReference(name: "main", location: "\(directory / "repo")"))], hostname: "h")
            order.streams = [good, bad]
            var runner = BackupJobRunner(access: RepositoryAccess(password: { _ in password }))
            runner.streamSources = { settings in settings.flatMap { $0.sources(scratch: directory / "scratch") { _ in [] } } }
            let result = runner.run(order, cancellation: CancellationFlag()) { _, _ in }
            #expect(result.outcome == .incomplete)
            #expect(result.targets.first?.unreadableFirst.map(\.path) == ["/command/bad"])
            let snapshots = try repository.listSnapshots()
            #expect(snapshots.map(\.tags) == [["job:j", Snapshot.incompleteTag]])

            order.streams = [good]
            #expect(runner.run(order, cancellation: CancellationFlag()) { _, _ in }.outcome == .complete)
            order.streams = [bad]
            order.sources = []
            #expect(runner.run(order, cancellation: CancellationFlag()) { _, _ in }.outcome == .failed)
        }
    }

    @Test func `a database stored by a job passes the drill's question for its integrity`() throws {
        try withTemporaryDirectory("stream-drill") { directory in
            let password = Array("pw".utf8)
            let repository = try Repository.create(at: directory / "repo", password: password, cost: .fixed(n: 1024, r: 8, p: 1))
            let path = directory / "data/app.db"
            try DurableFiles.makeDirectories(path.parent)
            let database = try Database(path, access: .create)
            try database.execute("CREATE TABLE t(x); INSERT INTO t VALUES(zeroblob(100000))")
            var order = BackupOrder(
                job: "j", sources: [.init(paths: ["\(path.parent)"], excludes: [])],
                targets: [.init(RepositoryReference(name: "main", location: "\(directory / "repo")"))], hostname: "h")
            order.streams = [StreamSetting(kind: .sqlite, name: "\(path)")]
            var runner = BackupJobRunner(access: RepositoryAccess(password: { _ in password }))
            runner.streamSources = { settings in settings.flatMap { $0.sources(scratch: directory / "scratch") { _ in [] } } }
            // The connection is open and its log not written back: the raw file alone would be an empty database.
            #expect(runner.run(order, cancellation: CancellationFlag()) { _, _ in }.outcome == .complete)
            try database.execute("INSERT INTO t VALUES(1)")

            let snapshot = try #require(try repository.listSnapshots().first)
            try DurableFiles.makeDirectories(directory / "back")
            try repository.loadIndex()
            _ = try Restorer(repository: repository).restore(snapshot, into: directory / "back", options: RestoreOptions(verifies: true))
            let restored = FilePath(bytes: (directory / "back").bytes + path.bytes)
            let answer = SQLiteAssertion.check("data/app.db", in: directory / "back")
            #expect(answer.isPassed, "\(answer.detail.en)")
            let count = try Database(restored, access: .readOnly).first("SELECT count(*) FROM t") { row throws(DatabaseError) in row.integer(0) }
            #expect(count == 1)
        }
    }
}
