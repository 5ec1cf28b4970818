package import Platform
internal import Synchronization

/// The one ledger of an installation: events, their Merkle tree and the projections, in one database.
///
/// Everything is written by one thread. All methods may be called from anywhere.
package final class Ledger: Sendable {
    /// The key that verifiers need, as a vkey: printed on the recovery sheet and on every report.
    package let verificationKey: String
    package let files: LedgerFiles
    private let origin: NoteVerifier
    private let projections: [any Projection]
    private let store: WriterBox
    private let commits: RequestQueue<CommitRequest>
    private let reads: ReadConnection

    /// Opens the ledger of `directory`, or creates one where there never was any.
    ///
    /// - Parameters:
    ///   - key: Signs the checkpoints; must be the key the ledger was created with.
    ///   - origin: Name of the log inside checkpoints, such as `sentinel.local/DK01`: no space, no `+`.
    ///   - projections: In the order in which each event is applied to them. Built again when one of them changed.
    ///   - outsideCheckpoints: Signed notes that were kept elsewhere; the ledger must contain what they confirm.
    ///   - waitingLimit: Bodies that may wait for a commit.
    /// - Throws: `LedgerError` for every state that is not a sound ledger of this key and origin. Nothing is overwritten then.
    package static func open(
        directory: FilePath, key: SigningKey, origin: String, projections: [any Projection],
        outsideCheckpoints: [String] = [], waitingLimit: Int = 4096
    ) throws -> Ledger {
        let signer = try NoteSigner(name: origin, key: key)
        let files = LedgerFiles(directory: directory)
        try DurableFiles.makeDirectories(directory)
        guard let lock = try FileLock.take(files.lock) else {
            throw LedgerError(
                .locked,
                Phrase(vi: "sổ cái trong '\(directory)' đang được tiến trình khác mở", en: "another process has the ledger in '\(directory)' open"),
                hint: Phrase(vi: "dừng sentineld đang chạy trước", en: "stop the sentineld that is running first"))
        }
        try files.removeLeftovers()
        if try files.isNew() { try LedgerCreation.run(files, verifier: signer.verifier) }
        let identity = try LedgerInspection(files: files, verifier: signer.verifier).run(outside: outsideCheckpoints)
        try files.requireMarker(identity)
        return try Ledger(files: files, lock: lock, signer: signer, projections: projections, waitingLimit: waitingLimit)
    }

    private init(
        files: LedgerFiles, lock: consuming FileLock, signer: NoteSigner, projections: [any Projection], waitingLimit: Int
    ) throws {
        self.files = files
        self.projections = projections
        origin = signer.verifier
        verificationKey = signer.verifier.text
        let store = try WriterBox(files: files, lock: lock, signer: signer, projections: projections)
        self.store = store
        reads = try ReadConnection(path: files.database)
        commits = try RequestQueue(name: "ledger.writer", limit: waitingLimit, batchLimit: CommitRequest.batchLimit) { batch in
            store.run(batch)
        }
    }

    deinit { commits.close() }

    /// Runs `body` and makes its effect durable.
    ///
    /// Bodies of many callers run one after the other, each in a savepoint, and share one COMMIT; the caller goes on after it.
    /// `body` may run a second time when the disk was full; only the effect of the last run remains.
    ///
    /// - Throws: What `body` throws; its own effect, and nobody else's, is undone then. `.noSpace`, `.storage`, `.overloaded`, `.closed`.
    @discardableResult
    package func commit<Value: Sendable>(
        _ body: @escaping @Sendable (LedgerTransaction) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let request = CommitRequest(
                attempt: { transaction in
                    let value = try body(transaction)
                    return { continuation.resume(returning: value) }
                },
                fail: { continuation.resume(throwing: $0) })
            do {
                try commits.submit(request)
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Runs `body` on one unchanging state of the database, on a connection that cannot write.
    package func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await reads.read(body)
    }

    /// Events in the order of the ledger; see ``EventTable/events(in:after:limit:kinds:subject:)``.
    package func events(
        after sequence: Int64 = -1, limit: Int = EventTable.pageLimit, kinds: [String]? = nil, subject: String? = nil
    ) async throws -> [Event] {
        try await read { try EventTable.events(in: $0, after: sequence, limit: limit, kinds: kinds, subject: subject) }
    }

    /// Signs the tree as it is now, unless nothing was added since the last checkpoint; that one is returned then.
    ///
    /// - Returns: A signed note (C2SP tlog-checkpoint). It also lies in `ledger.checkpoint`.
    /// - Throws: `.rolledBack` or `.inconsistent`: a tree that contradicts an earlier checkpoint is never signed.
    package func checkpoint() async throws -> String {
        let note = try await commit { try $0.checkpoint() }
        // After the commit: the file must never be ahead of the database, or a crash would look like a rollback.
        try store.publish(note, key: origin)
        return note
    }

    /// The newest signed checkpoint; nil when there is none.
    package func latestCheckpoint() async throws -> String? {
        try await read { try CheckpointTable.newest(in: $0) }
    }

    /// The proof that the event at `sequence` stands in the ledger: a `.tlog-proof` file with the leaf inside.
    ///
    /// - Throws: `.unknown` when there is no such event.
    package func proof(of sequence: Int64) async throws -> String {
        let key = origin
        func attempt() async throws -> String? {
            try await read { database in
                guard let leaf = try EventTable.leafBytes(sequence, in: database) else { throw LedgerError.unknownEvent(sequence) }
                guard let note = try CheckpointTable.newest(in: database) else { return nil }
                let checkpoint = try Checkpoint(note: note, key: key)
                guard checkpoint.size > sequence else { return nil }
                var hasher = try MerkleHasher()
                let hashes = try NodeTable.tree(of: checkpoint.size, in: database)
                    .inclusionProof(of: sequence, in: checkpoint.size, &hasher)
                return TransparencyProof(extra: leaf, index: sequence, hashes: hashes, checkpoint: note).text
            }
        }
        if let proof = try await attempt() { return proof }
        _ = try await checkpoint()
        guard let proof = try await attempt() else { throw LedgerError.unknownEvent(sequence) }
        return proof
    }

    /// The hashes that show that the tree only grew from `old` to `size` events (RFC 6962, section 2.1.2).
    package func consistencyProof(from old: Int64, to size: Int64) async throws -> [Digest] {
        try await read { database in
            var hasher = try MerkleHasher()
            return try NodeTable.tree(of: EventTable.count(in: database), in: database).consistencyProof(from: old, to: size, &hasher)
        }
    }

    /// Computes everything again from the leaves up; see ``LedgerAudit``. Neither commits nor other reads wait for it.
    package func verify() async throws -> VerificationReport {
        let files = files
        let key = origin
        return try await OwnThread.run(name: "ledger.verify") {
            try LedgerAudit.run(files.database, of: files, key: key)
        }
    }

    /// Drops all projection tables and builds them again from the events, in one transaction.
    package func rebuild() async throws {
        let projections = projections
        try await commit { try ProjectionBuild.rebuild(projections, in: $0.database) }
    }

    /// Erases the text `field` of the event at `sequence`: payload and salt go, the leaf and all proofs stay.
    ///
    /// Appends `ledger.redacted` and builds the projections again, so that no table keeps the text.
    ///
    /// - Parameter actors: Two persons with different uids other than 0. Whether they may do this is for the caller to decide.
    /// - Throws: `.refused` without two persons or when the text is already erased, `.unknown` for another event or field.
    @discardableResult
    package func redact(sequence: Int64, field: String, by actors: [Actor]) async throws -> Event {
        let projections = projections
        return try await commit { try Redaction(sequence: sequence, field: field, actors: actors).run($0, projections) }
    }

    /// Counts since the ledger was opened.
    package var statistics: LedgerStatistics { store.statistics }

    /// Waits for the bodies that were accepted, then closes both connections. Further calls throw `.closed`.
    ///
    /// Blocks; never call it inside a body.
    package func close() {
        commits.close()
        commits.join()
        reads.close()
        store.close()
    }
}

extension LedgerError {
    static func unknownEvent(_ sequence: Int64) -> LedgerError {
        LedgerError(.unknown, Phrase(vi: "sổ cái không có sự kiện số \(sequence)", en: "the ledger has no event \(sequence)"))
    }
}
