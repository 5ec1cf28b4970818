internal import Platform
internal import Synchronization

/// A second connection, read-only, with a thread of its own: reading never waits for the disk that a commit waits for.
final class ReadConnection: Sendable {
    private let queue: RequestQueue<@Sendable () -> Void>
    private let database: Mutex<Database?>
    private static let waitingLimit = 4096

    init(path: FilePath) throws {
        database = Mutex(try Database(path, access: .readOnly))
        queue = try RequestQueue(name: "ledger.reader", limit: Self.waitingLimit, batchLimit: 1) { work in
            for item in work { item() }
        }
    }

    /// Runs `body` on one unchanging state of the database.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try queue.submit { continuation.resume(with: Result { try self.run(body) }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private func run<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) throws -> Value {
        try database.withLock { database in
            guard let database else { throw LedgerError.closed() }
            return try database.snapshot { try body($0) }
        }
    }

    func close() {
        queue.close()
        queue.join()
        database.withLock { $0 = nil }
    }

    deinit { queue.close() }
}

extension Database {
    /// Runs `body` in a transaction that only reads, so that all it sees is of one moment.
    func snapshot<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try execute("BEGIN")
        do {
            let value = try body(self)
            try execute("COMMIT")
            return value
        } catch {
            if isInTransaction { try execute("ROLLBACK") }
            throw error
        }
    }
}
