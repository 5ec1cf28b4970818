package import Platform

/// The approved state.
extension BaselineStore {
    /// The sequence of the newest accept event that was applied; nil when there was none.
    package func appliedSequence() throws -> Int64? {
        try database.read { try Self.number($0, "applied_sequence") }
    }

    /// The root kept with the newest applied event; that of no rows when there was none.
    package func approvedRoot() throws -> Digest {
        let kept = try database.read { database in
            try database.first("SELECT bytes FROM meta WHERE name = 'approved_root'") { $0.blob(0) }
        }
        if let kept {
            guard let root = Digest(kept) else {
                throw IntegrityError.corrupt(Phrase(vi: "gốc cơ sở", en: "baseline root"), "\(kept.count) bytes")
            }
            return root
        }
        return try Self.emptyRoot()
    }

    /// The root of an approved state without rows.
    package static func emptyRoot() throws -> Digest {
        var root = try BaselineRoot()
        return try root.finish()
    }

    /// Applies the rows of an accept event, unless that was done before.
    ///
    /// All or nothing, in one durable transaction.
    ///
    /// - Parameters:
    ///   - sequence: The sequence of the event in the ledger.
    ///   - expectedRoot: What the event says the root is afterwards; not compared when nil (several events are replayed: only the last one
    ///     is compared).
    /// - Returns: False when `sequence` was applied before: nothing is done then.
    /// - Throws: ``IntegrityError`` `.rootMismatch`; nothing is changed then.
    @discardableResult
    package func apply(_ rows: [AcceptedRow], sequence: Int64, expectedRoot: Digest?) throws -> Bool {
        try apply(sequence, expectedRoot) { put in for row in rows { try put(row) } }
    }

    /// The same from the bytes of a batch file, row by row.
    @discardableResult
    package func apply(batch: [UInt8], sequence: Int64, expectedRoot: Digest?) throws -> Bool {
        try apply(sequence, expectedRoot) { put in try AcceptBatch.forEach(batch, put) }
    }

    private func apply(
        _ sequence: Int64, _ expectedRoot: Digest?, _ rows: ((AcceptedRow) throws -> Void) throws -> Void
    ) throws -> Bool {
        try database.read { database in
            let isNew = try database.transaction {
                if let applied = try Self.number(database, "applied_sequence"), sequence <= applied { return false }
                try rows { row in try Self.put(database, .approved, row.path, row.record) }
                let root = try Self.root(of: database)
                if let expectedRoot, root != expectedRoot { throw Self.mismatch(sequence, expected: expectedRoot, found: root) }
                try Self.set(database, "applied_sequence", number: sequence)
                try Self.set(database, "approved_root", bytes: root.bytes)
                try FaultPoint.reach("baseline.before-commit")
                return true
            }
            if isNew { try FaultPoint.reach("baseline.applied") }
            return isNew
        }
    }

    /// Forgets the approved rows, so that all accept events are applied anew.
    package func clearApproved() throws {
        try database.read { database in
            try database.transaction {
                try database.execute("DELETE FROM approved")
                try database.execute("DELETE FROM meta WHERE name IN ('applied_sequence', 'approved_root')")
            }
        }
    }

    /// The root of the rows as they are now, whatever was kept.
    package func computeApprovedRoot() throws -> Digest {
        try database.read { try Self.root(of: $0) }
    }

    /// True when the rows still give `expectedRoot`. What a difference means is for the caller to say: only a root that is in no event is
    /// tampering.
    package func verifyApproved(_ expectedRoot: Digest) throws -> Bool {
        try computeApprovedRoot() == expectedRoot
    }

    /// The root that the approved state would have with `rows` applied; the store is not changed.
    package func approvedRoot(applying rows: [AcceptedRow]) throws -> Digest {
        var root = try BaselineRoot()
        let approved = try records(.approved)
        var current = try approved.next()
        func add(_ record: FileRecord?, _ root: inout BaselineRoot) throws {
            if let record { try root.add(path: record.path.bytes, attributeBytes: record.attributeBytes) }
        }
        for row in rows.sorted(by: { $0.path.precedesInTree($1.path) }) {
            while let record = current, record.path.precedesInTree(row.path) {
                try add(record, &root)
                current = try approved.next()
            }
            if current?.path == row.path { current = try approved.next() }
            try add(row.record, &root)
        }
        while let record = current {
            try add(record, &root)
            current = try approved.next()
        }
        return try root.finish()
    }

    private static func root(of database: Database) throws -> Digest {
        var root = try BaselineRoot()
        var failure: CryptoError?
        // The canonical row has slashes where the key has NUL.
        try database.query("SELECT key, record FROM approved ORDER BY key") { row throws(DatabaseError) in
            do throws(CryptoError) {
                let path = row.blob(0).map { $0 == 0 ? FilePath.slash : $0 }
                try root.add(path: path, attributeBytes: row.blob(1))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return try root.finish()
    }

    private static func mismatch(_ sequence: Int64, expected: Digest, found: Digest) -> IntegrityError {
        IntegrityError(
            code: .rootMismatch,
            message: Phrase(
                vi: "trạng thái phê duyệt sau sự kiện \(sequence) có gốc \(found.short), sổ cái ghi \(expected.short)",
                en: "the approved state after event \(sequence) has root \(found.short), the ledger says \(expected.short)"),
            hint: Phrase(
                vi: "dựng lại cơ sở từ sổ cái: sentinelctl ledger rebuild",
                en: "rebuild the baseline from the ledger: sentinelctl ledger rebuild"))
    }
}
