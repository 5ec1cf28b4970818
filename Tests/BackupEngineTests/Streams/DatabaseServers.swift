import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Runs a program of a database server, which refuses to be root.
func runAsNobody(_ arguments: [String], input: [UInt8] = [], environment: [String: String?] = [:]) async throws -> ProcessOutput {
    let change = isRoot ? ["/usr/bin/setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] : []
    return try await runProcess(change + arguments, environment: inheritedEnvironment(environment), input: input, timeLimitSeconds: 60)
}

/// A directory that the user of the servers owns; short, because the path of a socket has 107 bytes.
private func makeServerDirectory(_ label: String) throws -> FilePath {
    let base = FilePath(environmentValue("SENTINEL_TEST_TMPDIR") ?? environmentValue("TMPDIR") ?? "/tmp")
    let path = base / "\(label)\(UInt32.random(in: 100_000...999_999))"
    try DurableFiles.makeDirectories(path)
    if isRoot { _ = unsafe path.withCString { unsafe chown($0, 65534, 65534) } }
    return path
}

/// A PostgreSQL cluster of its own on a unix socket; the superuser's password holds what a password file must escape.
final class PostgreSQLServer {
    static let password = #"pa:ss\wo rd"#
    let directory: FilePath
    let programs: FilePath
    let connection: DatabaseConnection

    init() async throws {
        let versions = directoryEntries("/usr/lib/postgresql").compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        let newest = try #require(versions.max(), "scripts/deps test installs postgresql")
        programs = FilePath("/usr/lib/postgresql/\(newest)/bin")
        directory = try makeServerDirectory("pg")
        connection = DatabaseConnection(place: .socket(directory), port: 5432, user: "postgres")
        try DurableFiles.create(directory / "pw", Array(Self.password.utf8), mode: 0o644)
        try await expect(
            "initdb",
            ["-D", "\(directory)/d", "-A", "scram-sha-256", "--pwfile", "\(directory)/pw", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"])
        try await expect(
            "pg_ctl", ["-D", "\(directory)/d", "-w", "-l", "\(directory)/log", "-o", "-k \(directory) -c listen_addresses='' -c fsync=off", "start"])
    }

    func stop() async throws {
        try await expect("pg_ctl", ["-D", "\(directory)/d", "-m", "immediate", "stop"])
        removeTree(directory)
    }

    @discardableResult
    func expect(_ program: String, _ arguments: [String], input: [UInt8] = []) async throws -> String {
        let output = try await runAsNobody(
            ["\(programs)/\(program)"] + arguments, input: input,
            environment: ["PGHOST": directory.description, "PGPASSWORD": Self.password, "PGUSER": "postgres"])
        #expect(output.status == 0, "\(output)")
        return output.text
    }

    @discardableResult
    func sql(_ text: String, in database: String = "postgres") async throws -> String {
        try await expect("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", "dbname='\(database)'"], input: Array(text.utf8))
    }
}

/// A MariaDB server of its own on a unix socket.
final class MariaDBServer {
    static let password = #"p"a#s'\s w"#
    let directory: FilePath
    let connection: DatabaseConnection
    private let process: SpawnedProcess

    init() async throws {
        let server = try #require(availableCommand("mariadbd"), "scripts/deps test installs mariadb-server")
        let install = try #require(availableCommand("mariadb-install-db"))
        directory = try makeServerDirectory("my")
        let socket = directory / "s"
        connection = DatabaseConnection(place: .socket(socket), user: "backup")
        let made = try await runAsNobody(
            [install, "--no-defaults", "--datadir=\(directory)/d", "--auth-root-authentication-method=normal", "--skip-test-db"],
            // The directory of the tests need not be writable for nobody.
            environment: ["TMPDIR": directory.description])
        #expect(made.status == 0, "\(made)")
        let change = isRoot ? ["/usr/bin/setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] : []
        process = try SpawnedProcess(
            change + [
                server, "--no-defaults", "--datadir=\(directory)/d", "--socket=\(socket)", "--pid-file=\(directory)/pid", "--skip-networking",
                "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", "--tmpdir=\(directory)",
            ])
        for _ in 0..<500 where try !FileStatus.exists(socket) { try await Task.sleep(for: .milliseconds(20)) }
        let literal = Self.password.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
        try await sql("CREATE USER backup@localhost IDENTIFIED BY '\(literal)'; GRANT ALL ON *.* TO backup@localhost;")
    }

    func stop() async {
        await process.killGroup()
        removeTree(directory)
    }

    @discardableResult
    func sql(_ text: String, in database: String = "") async throws -> String {
        let client = try #require(availableCommand("mariadb"))
        let output = try await runProcess(
            [client, "--no-defaults", "--socket=\(directory)/s", "--user=root", "--batch", "--skip-column-names", database], input: Array(text.utf8))
        #expect(output.status == 0, "\(output)")
        return output.text
    }
}

/// Hands on the bytes of another producer and does something once, after so many of them.
struct MeddlingProducer: StreamProducer {
    let inner: any StreamProducer
    let afterBytes: Int
    let meddle: @Sendable () -> Void

    func open(_ surroundings: StreamSurroundings) throws(StreamError) -> any ByteStream {
        Stream(try inner.open(surroundings), afterBytes, meddle)
    }

    private final class Stream: ByteStream {
        private let inner: any ByteStream
        private var rest: Int
        private let meddle: () -> Void

        init(_ inner: any ByteStream, _ rest: Int, _ meddle: @escaping () -> Void) {
            self.inner = inner
            self.rest = rest
            self.meddle = meddle
        }

        var metadata: StreamMetadata { inner.metadata }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int {
            let count = try unsafe inner.read(into: buffer)
            if rest > 0, rest <= count { meddle() }
            rest -= count
            return count
        }

        func finish() throws(StreamError) { try inner.finish() }
    }
}

/// Kills the children of this process that run a program of this name.
func killChildren(named name: String) {
    for entry in directoryEntries("/proc") {
        guard let pid = Int32(String(decoding: entry, as: UTF8.self)),
            let bytes = try? DurableFiles.read(FilePath("/proc/\(pid)/stat"), limit: 4096)
        else { continue }
        let text = String(decoding: bytes, as: UTF8.self)
        if text.contains("(\(name))"), text.split(separator: " ").dropFirst(3).first == "\(getpid())" { kill(pid, SIGKILL) }
    }
}
