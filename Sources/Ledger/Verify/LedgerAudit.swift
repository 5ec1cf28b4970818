internal import Platform

/// Recomputes a whole ledger from its leaves: every hash, every text, every node, every checkpoint, every batch.
///
/// Needs nothing but the public key. A damaged ledger gives a report full of problems, not an error.
struct LedgerAudit {
    let database: Database
    let key: NoteVerifier
    /// The folder of batch files; nil leaves them out.
    let batches: FilePath?
    /// The note of the checkpoint file, and others from outside, that the ledger must fit.
    let outside: [String]

    private static let pageSize = 512
    /// A batch file larger than this is reported, not read.
    static let batchLimitBytes = 1 << 30

    init(database: Database, key: NoteVerifier, batches: FilePath?, checkpointFile: String?, outside: [String] = []) {
        self.database = database
        self.key = key
        self.batches = batches
        self.outside = [checkpointFile].compactMap(\.self) + outside
    }

    /// Audits the database file `path`, the ledger's own or a copy, against the files beside the ledger.
    static func run(
        _ path: FilePath, of files: LedgerFiles, key: NoteVerifier, outside: [String] = []
    ) throws -> VerificationReport {
        do {
            return try Database(path, access: .readOnly).snapshot { database in
                try LedgerAudit(
                    database: database, key: key, batches: files.batches, checkpointFile: files.storedCheckpoint(),
                    outside: outside
                ).run()
            }
        } catch let error as DatabaseError where error.isDamaged {
            var report = VerificationReport()
            report.add(.structure, nil, error.detail)
            return report
        }
    }

    func run() throws -> VerificationReport {
        var report = VerificationReport()
        do {
            try checkStructure(&report)
            try checkIdentity(&report)
            let checkpoints = try readCheckpoints(&report)
            try checkEvents(checkpoints, &report)
        } catch let error as DatabaseError where error.isDamaged {
            report.add(.structure, nil, error.detail)
        }
        return report
    }

    private func checkStructure(_ report: inout VerificationReport) throws {
        let findings = try database.all("PRAGMA integrity_check(100)") { row throws(DatabaseError) in row.text(0) }
        for finding in findings where finding != "ok" { report.add(.structure, nil, finding) }
    }

    private func checkIdentity(_ report: inout VerificationReport) throws {
        let identity = try LedgerSchema.identity(in: database)
        if identity?.key != key.text { report.add(.identity, nil, identity?.key ?? "meta") }
        if identity?.origin != key.name { report.add(.identity, nil, identity?.origin ?? "meta") }
    }

    // MARK: Checkpoints

    private func readCheckpoints(_ report: inout VerificationReport) throws -> [Checkpoint] {
        let rows = try database.all("SELECT size, note FROM checkpoints ORDER BY size") {
            row throws(DatabaseError) in (size: Optional(row.integer(0)), note: row.text(1))
        }
        var result: [Checkpoint] = []
        for row in rows + outside.map({ (size: nil, note: $0) }) {
            do {
                let checkpoint = try Checkpoint(note: row.note, key: key)
                if let size = row.size, size != checkpoint.size {
                    report.add(.checkpoint, nil, "row \(size) holds a checkpoint of \(checkpoint.size) events")
                } else {
                    result.append(checkpoint)
                }
            } catch let error as LedgerError {
                report.add(.checkpoint, nil, "\(row.size.map { "size \($0): " } ?? "")\(error)")
            }
        }
        return result.sorted { $0.size < $1.size }
    }

    // MARK: Events

    private func checkEvents(_ checkpoints: [Checkpoint], _ report: inout VerificationReport) throws {
        var hasher = try MerkleHasher()
        var frontier = MerkleFrontier()
        var due = checkpoints[...]
        var recorded: Set<RedactedField> = []
        var erased: Set<RedactedField> = []
        var nodeCount: Int64 = 0
        var payloadCount: Int64 = 0
        try confirm(&due, frontier, &hasher, &report)
        while true {
            let page = try database.all(
                "SELECT sequence, leaf, time, kind, subject FROM events WHERE sequence >= ?1 ORDER BY sequence LIMIT \(Self.pageSize)",
                .integer(frontier.size)
            ) { row throws(DatabaseError) in
                StoredEvent(
                    sequence: row.integer(0), leaf: row.blob(1), time: row.integer(2), kind: row.text(3), subject: row.text(4))
            }
            for stored in page {
                guard stored.sequence == frontier.size else {
                    // Without its neighbours no later hash means anything.
                    report.add(.sequence, frontier.size, "the next one stored is \(stored.sequence)")
                    return
                }
                for node in try frontier.append(hasher.leaf(stored.leaf), &hasher) {
                    nodeCount += 1
                    if try storedNode(node) != node.hash { report.add(.node, stored.sequence, "level \(node.level), place \(node.index)") }
                }
                report.events += 1
                if let leaf = checkLeaf(stored, &report) {
                    if let target = Redaction.target(of: leaf) { recorded.insert(target) }
                    payloadCount += try checkTexts(leaf, &erased, &report)
                    checkBatch(leaf, &report)
                }
                try confirm(&due, frontier, &hasher, &report)
            }
            if page.count < Self.pageSize { break }
        }
        report.root = try frontier.root(&hasher)
        for checkpoint in due {
            report.add(.checkpoint, nil, "a checkpoint confirms \(checkpoint.size) events, the ledger has \(frontier.size): rolled back")
        }
        checkRedactions(recorded: recorded, erased: erased, &report)
        try checkCounts(nodes: nodeCount, payloads: payloadCount, &report)
    }

    private struct StoredEvent {
        let sequence: Int64
        let leaf: [UInt8]
        let time: Int64
        let kind: String
        let subject: String
    }

    /// Compares every checkpoint of the size reached with the tree built so far.
    private func confirm(
        _ due: inout ArraySlice<Checkpoint>, _ frontier: MerkleFrontier, _ hasher: inout MerkleHasher,
        _ report: inout VerificationReport
    ) throws {
        while let checkpoint = due.first, checkpoint.size == frontier.size {
            due.removeFirst()
            if try frontier.root(&hasher) == checkpoint.root {
                report.checkpoints += 1
                report.confirmedEvents = checkpoint.size
            } else {
                report.add(.checkpoint, nil, "the checkpoint of \(checkpoint.size) events confirms others")
            }
        }
    }

    private func storedNode(_ node: MerkleNode) throws(DatabaseError) -> Digest? {
        try database.first(
            "SELECT hash FROM nodes WHERE level = ?1 AND place = ?2", SQLValue(node.level), .integer(node.index)
        ) { row throws(DatabaseError) in row.blob(0) }.flatMap { Digest($0) }
    }

    private func checkLeaf(_ stored: StoredEvent, _ report: inout VerificationReport) -> Leaf? {
        do {
            let leaf = try Leaf(decoding: stored.leaf)
            let isSame =
                leaf.sequence == stored.sequence && leaf.milliseconds == stored.time && leaf.kind == stored.kind
                && leaf.subject == stored.subject
            if !isSame { report.add(.leaf, stored.sequence, "the columns beside it say something else") }
            return leaf
        } catch {
            report.add(.leaf, stored.sequence, "\(error)")
            return nil
        }
    }

    /// - Returns: Rows of texts that belong to this event.
    private func checkTexts(_ leaf: Leaf, _ erased: inout Set<RedactedField>, _ report: inout VerificationReport) throws -> Int64 {
        if leaf.textHashes.isEmpty { return 0 }
        let rows = try database.all("SELECT field, salt, payload FROM payloads WHERE sequence = ?1", .integer(leaf.sequence)) {
            row throws(DatabaseError) in
            (field: row.text(0), salt: row.isNull(1) ? nil : row.blob(1), payload: row.isNull(2) ? nil : row.blob(2))
        }
        var missing = leaf.textHashes
        var count: Int64 = 0
        for row in rows {
            guard let hash = missing.removeValue(forKey: row.field) else {
                report.add(.payload, leaf.sequence, "'\(row.field)' belongs to nothing")
                continue
            }
            count += 1
            if let salt = row.salt, let payload = row.payload {
                report.texts += 1
                if try Leaf.hash(salt: salt, text: payload) != hash { report.add(.payload, leaf.sequence, "'\(row.field)'") }
            } else if row.salt == nil, row.payload == nil {
                erased.insert(RedactedField(sequence: leaf.sequence, field: row.field))
            } else {
                report.add(.payload, leaf.sequence, "'\(row.field)' is half erased")
            }
        }
        for field in missing.keys.sorted() { report.add(.payload, leaf.sequence, "'\(field)' is missing") }
        return count
    }

    private func checkRedactions(recorded: Set<RedactedField>, erased: Set<RedactedField>, _ report: inout VerificationReport) {
        report.redactedTexts = recorded.intersection(erased).count
        func order(_ fields: Set<RedactedField>) -> [RedactedField] {
            fields.sorted { ($0.sequence, $0.field) < ($1.sequence, $1.field) }
        }
        for field in order(erased.subtracting(recorded)) {
            report.add(.redaction, field.sequence, "'\(field.field)' is gone and no event says so")
        }
        for field in order(recorded.subtracting(erased)) {
            report.add(.redaction, field.sequence, "'\(field.field)' should be gone")
        }
    }

    private func checkCounts(nodes: Int64, payloads: Int64, _ report: inout VerificationReport) throws {
        let stored = try database.first("SELECT (SELECT count(*) FROM nodes), (SELECT count(*) FROM payloads)") {
            row throws(DatabaseError) in (nodes: row.integer(0), payloads: row.integer(1))
        }
        if let stored, stored.nodes > nodes { report.add(.node, nil, "\(stored.nodes - nodes) too many") }
        if let stored, stored.payloads > payloads { report.add(.payload, nil, "\(stored.payloads - payloads) too many") }
    }

    // MARK: Batches

    private func checkBatch(_ leaf: Leaf, _ report: inout VerificationReport) {
        guard let batches, let id = leaf.facts[Event.batchFact]?.string.flatMap({ Digest(hex: $0) }) else { return }
        do {
            _ = try BatchStore(directory: batches).read(id, limit: Self.batchLimitBytes)
            report.batches += 1
        } catch {
            report.add(.batch, leaf.sequence, "\(error)")
        }
    }
}
