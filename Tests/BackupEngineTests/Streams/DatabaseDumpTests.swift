import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite(.serialized) struct DatabaseDumpTests {
    private static let password = Array(PostgreSQLServer.password.utf8)

    private static func dump(_ server: PostgreSQLServer, _ name: String, password: [UInt8] = password) -> StreamSource {
        PostgreSQLDump.database(name, as: "app", server.connection, password: password, timeoutSeconds: 60)
    }

    private static func withPostgreSQL(_ body: (PostgreSQLServer) async throws -> Void) async throws {
        let server = try await PostgreSQLServer()
        do {
            try await body(server)
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }

    @Test func `a PostgreSQL database and the globals of its server are streamed, and restored by pg_restore`() async throws {
        try await Self.withPostgreSQL { server in
            let scene = try BackupScene("postgresql")
            // A name that is a connection string for whoever reads it so.
            let name = "dbname=x 'y"
            try await server.sql(#"CREATE DATABASE "\#(name)"; CREATE ROLE clerk;"#)
            let quoted = "dbname=x \\'y"
            try await server.sql(
                """
                CREATE TABLE ho_so(id int PRIMARY KEY, ten text, du_lieu text);
                INSERT INTO ho_so SELECT i, 'Hồ sơ ' || i, md5(i::text) || md5((i*7)::text) FROM generate_series(1, 60000) i;
                """, in: quoted)
            let sum = "SELECT count(*), md5(string_agg(id || ten || du_lieu, ',' ORDER BY id)) FROM ho_so"
            let expected = try await server.sql(sum, in: quoted)
            let globals = PostgreSQLDump.globals(server.connection, password: Self.password, timeoutSeconds: 60)
            let report = try scene.backUp(streams: [Self.dump(server, name), globals])
            #expect(report.isComplete)
            #expect(try scene.paths(report.snapshot) == ["/postgresql", "/postgresql/app.dump", "/postgresql/globals.sql"])
            #expect(String(decoding: try scene.content("/postgresql/globals.sql", report.snapshot), as: UTF8.self).contains("CREATE ROLE clerk"))

            let file = server.directory / "app.dump"
            try DurableFiles.create(file, try scene.content("/postgresql/app.dump", report.snapshot), mode: 0o644)
            try await server.sql("CREATE DATABASE back")
            try await server.expect("pg_restore", ["-d", "back", "--exit-on-error", "\(file)"])
            #expect(try await server.sql(sum, in: "back") == expected)

            // Only the first chunk differs, by the time in its header; the data are the same bytes.
            let second = try scene.backUp(streams: [Self.dump(server, name)])
            let chunks = try scene.node("/postgresql/app.dump", report.snapshot).content ?? []
            #expect(chunks.count >= 3)
            #expect(second.summary.dataBlobs <= 1)
        }
    }

    @Test func `a pg_dump that is killed, waits for ever or may not log in leaves its entry out`() async throws {
        try await Self.withPostgreSQL { server in
            let scene = try BackupScene("postgresql-fails")
            try put(scene.source / "a", "1")
            try await server.sql("CREATE DATABASE app")
            try await server.sql("CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 200000) i", in: "app")
            func reason(_ source: StreamSource) throws -> String {
                let report = try scene.backUp(streams: [source], [scene.source], failure: .leavesOut)
                #expect(report.snapshot.tags == ["incomplete"])
                #expect(try scene.paths(report.snapshot).filter { $0.hasPrefix("/postgresql") } == ["/postgresql"])
                #expect(try scene.list(report.snapshot) == ["a"])
                return report.unreadable.first?.reason.en ?? ""
            }
            var killed = Self.dump(server, "app")
            killed.producer = MeddlingProducer(inner: killed.producer, afterBytes: 1_000_000) { killChildren(named: "pg_dump") }
            #expect(try reason(killed).hasSuffix("ended by signal 9"))
            #expect(try reason(Self.dump(server, "app", password: Array("wrong".utf8))).contains("password authentication failed"))
            #expect(try reason(Self.dump(server, "missing")).contains("does not exist"))

            let psql = ["\(server.programs)/psql", "-X", "-q", "-d", "app", "-c", "BEGIN; LOCK TABLE t; SELECT pg_sleep(60)"]
            let holder = try SpawnedProcess(
                psql,
                environment: inheritedEnvironment(["PGHOST": server.directory.description, "PGPASSWORD": PostgreSQLServer.password, "PGUSER": "postgres"]))
            try await Task.sleep(for: .milliseconds(500))
            let waiting = PostgreSQLDump.database("app", as: "app", server.connection, password: Self.password, timeoutSeconds: 1)
            #expect(try reason(waiting).contains("exceeded its time limit"))
            await holder.killGroup()
        }
    }

    @Test func `a MariaDB database is streamed, and restored by mariadb`() async throws {
        let server = try await MariaDBServer()
        do {
            let scene = try BackupScene("mariadb")
            try await server.sql("CREATE DATABASE `một cửa`; CREATE DATABASE back")
            try await server.sql(
                """
                CREATE TABLE ho_so(id int PRIMARY KEY, ten varchar(100), du_lieu blob) ENGINE=InnoDB CHARACTER SET utf8mb4;
                INSERT INTO ho_so SELECT seq, concat('Hồ sơ ', seq), unhex(md5(seq)) FROM seq_1_to_20000;
                CREATE PROCEDURE dem() SELECT count(*) FROM ho_so;
                """, in: "một cửa")
            let sum = "SELECT count(*), md5(group_concat(md5(concat(id, ten, hex(du_lieu))) ORDER BY id)) FROM ho_so"
            let expected = try await server.sql("SET group_concat_max_len=10000000; \(sum)", in: "một cửa")
            func dump(_ password: String) -> StreamSource {
                MariaDBDump.database("một cửa", as: "motcua", server.connection, password: Array(password.utf8), timeoutSeconds: 60)
            }
            let report = try scene.backUp(streams: [dump(MariaDBServer.password)])
            let text = String(decoding: try scene.content("/mariadb/motcua.sql", report.snapshot), as: UTF8.self)
            #expect(text.hasSuffix("-- Dump completed\n"))
            #expect(text.contains("PROCEDURE `dem`"))
            try await server.sql(text, in: "back")
            #expect(try await server.sql("SET group_concat_max_len=10000000; \(sum)", in: "back") == expected)
            #expect(try scene.backUp(streams: [dump(MariaDBServer.password)]).summary.dataBlobs == 0)

            let refused = failure { _ = try scene.backUp(streams: [dump("wrong")]) }
            #expect(refused?.code == .producer)
            #expect(refused?.message.en.contains("Access denied") == true)
            #expect(try scene.repository.listSnapshots().count == 2)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}
