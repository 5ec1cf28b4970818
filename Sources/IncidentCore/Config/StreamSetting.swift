package import BackupEngine
package import Platform

/// A source of a job whose content is produced while it runs. The same value crosses to the job process: it holds no secret.
package struct StreamSetting: Codable, Sendable, Hashable {
    package enum Kind: String, Codable, Sendable, Hashable, CaseIterable { case sqlite, postgresql, mariadb, command }

    /// How long a dump may take unless the configuration says otherwise.
    package static let standardTimeoutSeconds = 6 * 3600

    package let kind: Kind
    /// The path of an SQLite database; the name of any other entry in the snapshot.
    package var name = ""
    package var database = ""
    package var socket: String?
    package var host: String?
    package var port: Int?
    package var user: String?
    package var passwordCredential: String?
    package var passwordFile: String?
    /// Also store the roles and tablespaces of a PostgreSQL server.
    package var globals = false
    /// The absolute path of a program and its arguments.
    package var argv: [String] = []
    package var timeoutSeconds = StreamSetting.standardTimeoutSeconds
    package var limitBytes: UInt64?

    package var password: SecretReference? {
        passwordCredential.map { .credential($0) } ?? passwordFile.map { .file(FilePath($0)) }
    }

    /// Where its entries stand in the snapshot.
    package var paths: [FilePath] {
        switch kind {
        case .sqlite: [FilePath(name)]
        case .postgresql: [PostgreSQLDump.path(of: name)] + (globals ? [PostgreSQLDump.globalsPath] : [])
        case .mariadb: [MariaDBDump.path(of: name)]
        case .command: [FilePath("/command/\(name)")]
        }
    }

    /// The entries themselves.
    ///
    /// - Parameters:
    ///   - secret: Finds a password. One that cannot be found fails its own entry, not the job.
    ///   - scratch: A private directory for copies of SQLite databases.
    package func sources(scratch: FilePath, secret: (SecretReference) throws -> [UInt8]) -> [StreamSource] {
        do {
            let password = try password.map(secret)
            let seconds = Double(timeoutSeconds)
            switch kind {
            case .sqlite: return [SQLiteProducer.source(path: FilePath(name), scratch: scratch)]
            case .postgresql:
                return [PostgreSQLDump.database(database, as: name, connection, password: password, timeoutSeconds: seconds)]
                    + (globals ? [PostgreSQLDump.globals(connection, password: password, timeoutSeconds: seconds)] : [])
            case .mariadb: return [MariaDBDump.database(database, as: name, connection, password: password, timeoutSeconds: seconds)]
            case .command:
                let request = CommandRequest(argv: argv, timeoutSeconds: seconds, outputLimitBytes: 16 << 10)
                return [StreamSource(path: paths[0], producer: CommandProducer(request, limitBytes: limitBytes))]
            }
        } catch {
            let failure = FailureText(error)
            return paths.map { StreamSource(path: $0, producer: FailingProducer(failure: failure)) }
        }
    }

    private var connection: DatabaseConnection {
        DatabaseConnection(
            place: socket.map { .socket(FilePath($0)) } ?? host.map { .host($0) } ?? .standard, port: port, user: user)
    }
}

/// Stands for an entry that cannot even be begun.
private struct FailingProducer: StreamProducer {
    let failure: FailureText

    func open(_ surroundings: StreamSurroundings) throws(StreamError) -> any ByteStream { throw StreamError(failure.message, hint: failure.hint) }
}
