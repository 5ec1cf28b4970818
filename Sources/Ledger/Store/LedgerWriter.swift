internal import Platform

/// Counts since the ledger was opened.
package struct LedgerStatistics: Sendable, Equatable {
    /// COMMITs that reached the disk.
    package var commits = 0
    /// Bodies whose effects they made durable.
    package var bodies = 0
    /// Bodies that threw and were undone.
    package var failedBodies = 0
    /// False while the reserve is used up: the disk was full.
    package var hasReserve = true
    /// True while a redacted text may still lie in the write-ahead log, because a reader holds it.
    package var isPurgePending = false
    /// Why reserve or write-ahead log could not be tidied the last time; no event is concerned.
    package var upkeepFailure: String?
}

/// The connection that writes, and the tree in memory that goes with it. Used by one thread at a time.
final class LedgerWriter {
    let database: Database
    let signer: NoteSigner
    let projections: [any Projection]
    private(set) var frontier: MerkleFrontier
    private(set) var statistics = LedgerStatistics()
    private var hasher: MerkleHasher
    private var reserve: LedgerReserve
    private var purge = Purge()

    init(database: Database, signer: NoteSigner, projections: [any Projection], reserve: LedgerReserve) throws {
        self.database = database
        self.signer = signer
        self.projections = projections
        self.reserve = reserve
        hasher = try MerkleHasher()
        frontier = try NodeTable.frontier(in: database)
        // Erased texts are overwritten where they lay.
        try database.execute("PRAGMA secure_delete=ON; PRAGMA journal_size_limit=8388608")
    }

    /// Builds the projections again when one of them is new, gone or changed.
    func prepareProjections() throws {
        if try ProjectionBuild.isCurrent(projections, in: database) { return }
        try database.transaction { try ProjectionBuild.rebuild(projections, in: database) }
    }

    // MARK: Batches

    /// Runs every body in a savepoint of its own and makes them durable with one COMMIT.
    ///
    /// - Returns: What tells each caller, to be called by the receiver. Nothing of a body that is told it failed stands in
    ///   the ledger, on disk or in memory.
    func run(_ batch: [CommitRequest]) -> [@Sendable () -> Void] {
        do {
            return try attempt(batch)
        } catch {
            do {
                if Self.isNoSpace(error), try reserve.release() { return try attempt(batch) }
                return Self.failures(batch, error)
            } catch {
                return Self.failures(batch, error)
            }
        }
    }

    /// Makes the reserve again. Need not happen before the callers are told.
    func keepReserve() {
        upkeep { try reserve.replenish() }
        statistics.hasReserve = reserve.isAvailable
    }

    /// Work that no event depends on: what fails is shown and tried again.
    private func upkeep(_ body: () throws -> Void) {
        do {
            try body()
            statistics.upkeepFailure = nil
        } catch {
            statistics.upkeepFailure = "\(error)"
        }
    }

    private func attempt(_ batch: [CommitRequest]) throws -> [@Sendable () -> Void] {
        var told: [@Sendable () -> Void] = []
        var succeeded = 0
        do {
            try database.execute("BEGIN IMMEDIATE")
            if try EventTable.count(in: database) != frontier.size { frontier = try NodeTable.frontier(in: database) }
            for request in batch {
                do {
                    told.append(try runOne(request))
                    succeeded += 1
                } catch let error as Undone {
                    let cause = error.cause
                    let isFull = (cause as? DatabaseError)?.isFull ?? false
                    // With space given back the body may succeed.
                    if isFull, reserve.isAvailable { throw cause }
                    told.append { request.fail(isFull ? Self.noSpace(cause) : cause) }
                }
            }
            if succeeded > 0 {
                try FaultPoint.reach("ledger.before-commit")
                try database.execute("COMMIT")
            } else {
                try database.execute("ROLLBACK")
            }
        } catch {
            try undoAll()
            throw error
        }
        statistics.failedBodies += batch.count - succeeded
        if succeeded > 0 {
            statistics.commits += 1
            statistics.bodies += succeeded
            do {
                try FaultPoint.reach("ledger.committed")
            } catch {
                // The events are durable. A fault planned here leaves the callers in doubt, as a crash would.
                return Self.failures(batch, error)
            }
            upkeep { try purge.run(in: database) }
            statistics.isPurgePending = purge.isWanted
        }
        return told
    }

    /// A body failed and nothing of it is left.
    private struct Undone: Error { let cause: any Error }

    /// - Throws: ``Undone``; anything else when the whole transaction is lost.
    private func runOne(_ request: CommitRequest) throws -> @Sendable () -> Void {
        let before = frontier
        try database.execute("SAVEPOINT body")
        let transaction = LedgerTransaction(writer: self, database: database, projections: projections)
        defer { transaction.close() }
        do {
            let tell = try request.attempt(transaction)
            if let failure = transaction.failure { throw failure }
            try database.execute("RELEASE body")
            return tell
        } catch {
            // SQLite itself may have given up the transaction: then all bodies of the batch are gone.
            guard database.isInTransaction else { throw error }
            try database.execute("ROLLBACK TO body; RELEASE body")
            frontier = before
            throw Undone(cause: error)
        }
    }

    /// Brings memory back to what the disk says.
    private func undoAll() throws {
        if database.isInTransaction { try database.execute("ROLLBACK") }
        frontier = try NodeTable.frontier(in: database)
    }

    private static func isNoSpace(_ error: any Error) -> Bool {
        switch error {
        case let error as DatabaseError: error.isFull
        case let error as SystemError: error.isNoSpace
        default: false
        }
    }

    private static func failures(_ batch: [CommitRequest], _ cause: any Error) -> [@Sendable () -> Void] {
        let error = isNoSpace(cause) ? noSpace(cause) : storage(cause)
        return batch.map { request in { request.fail(error) } }
    }

    private static func noSpace(_ cause: any Error) -> LedgerError {
        LedgerError(
            .noSpace, Phrase(vi: "đĩa đầy: không ghi được vào sổ cái", en: "the disk is full: the ledger cannot be written"),
            hint: Phrase(
                vi: "giải phóng dung lượng trên phân vùng chứa sổ cái; không xóa ledger.db hay ledger.db-wal",
                en: "free space on the file system of the ledger; do not delete ledger.db or ledger.db-wal"), cause: cause)
    }

    private static func storage(_ cause: any Error) -> LedgerError {
        LedgerError(
            .storage, Phrase(vi: "không ghi được vào sổ cái", en: "the ledger could not be written"),
            hint: Phrase(vi: "kiểm tra đĩa và nhật ký hệ thống", en: "check the disk and the system log"), cause: cause)
    }

    // MARK: Events and checkpoints

    func append(_ prepared: PreparedEvent) throws {
        let event = prepared.event
        try database.run(
            "INSERT INTO events (sequence, leaf, time, kind, subject) VALUES (?1, ?2, ?3, ?4, ?5)", .integer(event.sequence),
            .blob(prepared.leaf), .integer(event.moment.millisecondsSinceEpoch), .text(event.kind), .text(event.subject))
        for text in prepared.texts {
            try database.run(
                "INSERT INTO payloads (sequence, field, salt, payload) VALUES (?1, ?2, ?3, ?4)", .integer(event.sequence),
                .text(text.field), .blob(text.salt), .blob(text.payload))
        }
        let leafHash = try hasher.leaf(prepared.leaf)
        for node in try frontier.append(leafHash, &hasher) { try NodeTable.insert(node, in: database) }
    }

    /// The newest checkpoint, signed now when events were added since.
    ///
    /// - Throws: `.rolledBack` or `.inconsistent`: a tree that contradicts an earlier checkpoint is never signed.
    func checkpoint() throws -> String {
        let root = try frontier.root(&hasher)
        if let note = try CheckpointTable.newest(in: database) {
            let earlier = try Checkpoint(note: note, key: signer.verifier)
            try CheckpointTable.require(earlier, matches: database, size: frontier.size)
            if earlier.size == frontier.size { return note }
            let tree = NodeTable.tree(of: frontier.size, in: database)
            let proof = try tree.consistencyProof(from: earlier.size, to: frontier.size, &hasher)
            guard try MerkleProof.isConsistent(earlier.root, of: earlier.size, with: root, of: frontier.size, hashes: proof, &hasher)
            else { throw LedgerFiles.damagedTree(earlier.size) }
        }
        let checkpoint = Checkpoint(origin: signer.verifier.name, size: frontier.size, root: root)
        let note = try signer.sign(checkpoint.text)
        try CheckpointTable.insert(checkpoint, note: note, in: database)
        return note
    }

    /// A text was erased: its last copy, in the write-ahead log, has to go.
    func wantPurge() { purge.isWanted = true }

    /// Moves the write-ahead log into the database and empties it.
    private struct Purge {
        var isWanted = false
        private var nextTry: UInt64 = 0

        mutating func run(in database: Database) throws {
            if !isWanted || Monotonic.nanoseconds() < nextTry { return }
            // A long reader blocks this for the busy time: do not let it slow every commit.
            nextTry = Monotonic.nanoseconds() + 30_000_000_000
            var isBusy = true
            try database.query("PRAGMA wal_checkpoint(TRUNCATE)") { row throws(DatabaseError) in isBusy = row.integer(0) != 0 }
            if !isBusy { self = Purge() }
        }
    }
}
