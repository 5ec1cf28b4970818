package import Platform

/// Where a database server listens, and as whom to ask it.
package struct DatabaseConnection: Sendable, Hashable {
    package enum Place: Sendable, Hashable {
        /// The default of the client program.
        case standard
        /// A unix socket: the directory for PostgreSQL, the socket itself for MariaDB.
        case socket(FilePath)
        case host(String)
    }

    package var place: Place
    package var port: Int?
    package var user: String?

    package init(place: Place = .standard, port: Int? = nil, user: String? = nil) {
        self.place = place
        self.port = port
        self.user = user
    }
}

/// PostgreSQL through pg_dump and pg_dumpall: one transaction, streamed, restored with pg_restore and psql.
package enum PostgreSQLDump {
    /// Where a dump stands in a snapshot.
    package static func path(of name: String) -> FilePath { FilePath("/postgresql/\(name).dump") }
    /// Roles and tablespaces of the whole server.
    package static let globalsPath: FilePath = "/postgresql/globals.sql"

    /// One database in pg_dump's custom format.
    ///
    /// Without its own compression: compressed dumps differ everywhere after a small change, so nothing would deduplicate, and the
    /// repository compresses by itself. See docs/decisions/0010-sources.md.
    ///
    /// - Parameter password: Reaches the program as a password file in memory, never by argument or environment.
    package static func database(
        _ name: String, as entry: String, _ connection: DatabaseConnection, password: [UInt8]?, timeoutSeconds: Double, programs: FilePath? = nil
    ) -> StreamSource {
        StreamSource(
            path: path(of: entry),
            producer: CommandProducer(
                request(
                    "pg_dump", ["--format=custom", "--compress=0", "--no-password"], connection, database: name, hasPassword: password != nil,
                    timeoutSeconds, programs), secret: password.map(passwordFile)))
    }

    /// What belongs to no single database; asking for it needs a superuser.
    package static func globals(
        _ connection: DatabaseConnection, password: [UInt8]?, timeoutSeconds: Double, programs: FilePath? = nil
    ) -> StreamSource {
        StreamSource(
            path: globalsPath,
            producer: CommandProducer(
                request(
                    "pg_dumpall", ["--globals-only", "--no-password"], connection, database: nil, hasPassword: password != nil,
                    timeoutSeconds, programs), secret: password.map(passwordFile)))
    }

    private static func request(
        _ program: String, _ options: [String], _ connection: DatabaseConnection, database: String?, hasPassword: Bool,
        _ timeoutSeconds: Double, _ programs: FilePath?
    ) -> CommandRequest {
        var environment = CommandRequest.minimalEnvironment
        environment["HOME"] = "/nonexistent"
        environment["PGAPPNAME"] = "sentinel"
        environment["PGCONNECT_TIMEOUT"] = "30"
        // By environment, not by argument: a name like 'a=b' would be read as a whole connection string there.
        environment["PGDATABASE"] = database
        environment["PGUSER"] = connection.user
        environment["PGPORT"] = connection.port.map { "\($0)" }
        switch connection.place {
        case .standard: break
        case .socket(let directory): environment["PGHOST"] = String(decoding: directory.bytes, as: UTF8.self)
        case .host(let host): environment["PGHOST"] = host
        }
        if hasPassword { environment["PGPASSFILE"] = PipedCommand.secretPath }
        let directory = programs ?? newestPrograms()
        return CommandRequest(
            argv: [(directory / program).bytes] + options.map { Array($0.utf8) }, environment: environment,
            timeoutSeconds: timeoutSeconds, outputLimitBytes: 16 << 10)
    }

    /// Debian keeps each version in a directory of its own; a dump needs a program at least as new as the server.
    private static func newestPrograms() -> FilePath {
        let root: FilePath = "/usr/lib/postgresql"
        let versions = ((try? FileDescriptor.open(root).sortedNames(limit: 1000)) ?? []).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        let newest = versions.sorted(by: >).map { root / "\($0)/bin" }.first { (try? FileStatus.exists($0 / "pg_dump")) == true }
        return newest ?? "/usr/bin"
    }

    /// One line of libpq's password file; colons and backslashes are escaped.
    private static func passwordFile(_ password: [UInt8]) -> [UInt8] {
        Array("*:*:*:*:".utf8) + password.flatMap { [UInt8(ascii: ":"), UInt8(ascii: "\\")].contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
            + [UInt8(ascii: "\n")]
    }
}

/// MariaDB and MySQL through mariadb-dump: one transaction, streamed, restored with `mariadb DATABASE < FILE`.
package enum MariaDBDump {
    package static func path(of name: String) -> FilePath { FilePath("/mariadb/\(name).sql") }

    /// One database as SQL: tables, views, triggers, routines and events.
    ///
    /// Tables of engines without transactions are not frozen by it.
    ///
    /// - Parameter password: Reaches the program as an option file in memory, never by argument or environment.
    package static func database(
        _ name: String, as entry: String, _ connection: DatabaseConnection, password: [UInt8]?, timeoutSeconds: Double,
        program: FilePath = "/usr/bin/mariadb-dump"
    ) -> StreamSource {
        var words: [String] = []
        if password != nil { words.append("--defaults-extra-file=\(PipedCommand.secretPath)") }
        words += ["--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob"]
        // A date in the last line would make every dump new.
        words += ["--skip-dump-date", "--default-character-set=utf8mb4"]
        switch connection.place {
        case .standard: break
        case .socket(let socket): words.append("--socket=\(String(decoding: socket.bytes, as: UTF8.self))")
        case .host(let host): words += ["--protocol=tcp", "--host=\(host)"]
        }
        if let port = connection.port { words.append("--port=\(port)") }
        if let user = connection.user { words.append("--user=\(user)") }
        words += ["--", name]
        var environment = CommandRequest.minimalEnvironment
        environment["HOME"] = "/nonexistent"
        return StreamSource(
            path: path(of: entry),
            producer: CommandProducer(
                CommandRequest(
                    argv: [program.bytes] + words.map { Array($0.utf8) }, environment: environment, timeoutSeconds: timeoutSeconds,
                    outputLimitBytes: 16 << 10), secret: password.map(optionFile)))
    }

    /// An option file with the password alone, quoted so that `#`, quotes and spaces stay what they are.
    private static func optionFile(_ password: [UInt8]) -> [UInt8] {
        Array("[client]\npassword=\"".utf8)
            + password.flatMap { [UInt8(ascii: "\""), UInt8(ascii: "\\")].contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] } + Array("\"\n".utf8)
    }
}
