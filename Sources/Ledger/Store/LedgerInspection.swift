internal import Platform

/// What must hold before a ledger is opened for writing. Everything is read through a connection that cannot write.
struct LedgerInspection {
    let files: LedgerFiles
    let verifier: NoteVerifier

    /// Checks the file, the identity, SQLite's own structure, the right edge of the tree, and the newest checkpoints.
    ///
    /// - Parameter outside: Signed checkpoints that were kept elsewhere.
    /// - Returns: The identity that the database was created with.
    /// - Throws: `LedgerError`; nothing was changed.
    func run(outside: [String]) throws -> LedgerIdentity {
        try files.requireLedgerFile()
        do {
            let database = try Database(files.database, access: .readOnly)
            try requireVersion(database)
            try requireStructure(database)
            let identity = try requireIdentity(database)
            let size = try requireEdge(database)
            try requireCheckpoints(database, size: size, outside: outside)
            return identity
        } catch let error as DatabaseError where error.isDamaged {
            throw damaged(error.detail, cause: error)
        }
    }

    private func requireVersion(_ database: Database) throws {
        let version = try database.first("PRAGMA user_version") { row throws(DatabaseError) in row.integer(0) } ?? 0
        if version != LedgerSchema.version {
            throw LedgerError(
                .unsupportedVersion,
                Phrase(
                    vi: "'\(files.database)' có định dạng phiên bản \(version); chương trình này đọc phiên bản \(LedgerSchema.version)",
                    en: "'\(files.database)' has format version \(version); this program reads version \(LedgerSchema.version)"),
                hint: Phrase(vi: "cài phiên bản Sentinel mới hơn", en: "install a newer version of Sentinel"))
        }
    }

    private func requireStructure(_ database: Database) throws {
        let findings = try database.all("PRAGMA quick_check(5)") { row throws(DatabaseError) in row.text(0) }
        if findings != ["ok"] { throw damaged(findings.joined(separator: "; "), cause: nil) }
    }

    private func requireIdentity(_ database: Database) throws -> LedgerIdentity {
        guard let identity = try LedgerSchema.identity(in: database) else { throw damaged("meta", cause: nil) }
        if identity.origin != verifier.name {
            throw LedgerError(
                .wrongOrigin,
                Phrase(
                    vi: "sổ cái mang tên '\(escapedForDisplay(identity.origin))', cấu hình nói '\(verifier.name)'",
                    en: "the ledger is named '\(escapedForDisplay(identity.origin))', the configuration says '\(verifier.name)'"),
                hint: Phrase(
                    vi: "trả lại mã đơn vị cũ trong cấu hình, hoặc dùng thư mục dữ liệu khác",
                    en: "put the site's old code back into the configuration, or use another state directory"))
        }
        if identity.key != verifier.text {
            throw LedgerError(
                .wrongKey,
                Phrase(
                    vi: "sổ cái được ký bằng khóa '\(escapedForDisplay(identity.key))', không phải khóa '\(verifier.text)'",
                    en: "the ledger is signed with the key '\(escapedForDisplay(identity.key))', not with '\(verifier.text)'"),
                hint: Phrase(
                    vi: "khôi phục tệp khóa của sổ cái từ bản sao lưu; không tạo khóa mới",
                    en: "restore the key file of the ledger from the backup; do not make a new key"))
        }
        return identity
    }

    /// The last leaf and all subtrees that it completed must fit the stored nodes.
    private func requireEdge(_ database: Database) throws -> Int64 {
        let size = try EventTable.count(in: database)
        let count = try database.first("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM nodes WHERE level = 0)") {
            row throws(DatabaseError) in (row.integer(0), row.integer(1))
        }
        guard let count, count == (size, size) else { throw LedgerFiles.damagedTree(size) }
        guard size > 0, let leaf = try EventTable.leafBytes(size - 1, in: database) else { return size }
        var hasher = try MerkleHasher()
        var hash = try hasher.leaf(leaf)
        var level = 0
        var index = size - 1
        while true {
            if try NodeTable.hash(level, index, in: database) != hash { throw LedgerFiles.damagedTree(size) }
            if index & 1 == 0 { return size }
            hash = try hasher.node(NodeTable.hash(level, index - 1, in: database), hash)
            level += 1
            index >>= 1
        }
    }

    private func requireCheckpoints(_ database: Database, size: Int64, outside: [String]) throws {
        let inside = [try CheckpointTable.newest(in: database), try files.storedCheckpoint()].compactMap(\.self)
        for note in inside + outside {
            let checkpoint: Checkpoint
            do {
                checkpoint = try Checkpoint(note: note, key: verifier)
            } catch {
                throw LedgerError(
                    .inconsistent,
                    Phrase(
                        vi: "một điểm chốt của sổ cái không đọc được hoặc chữ ký sai",
                        en: "a checkpoint of the ledger cannot be read, or its signature is false"),
                    hint: LedgerFiles.restoreHint, cause: error)
            }
            try CheckpointTable.require(checkpoint, matches: database, size: size)
        }
    }

    private func damaged(_ detail: String, cause: (any Error)?) -> LedgerError {
        LedgerError(
            .damaged,
            Phrase(
                vi: "'\(files.database)' bị hỏng: \(escapedForDisplay(detail))", en: "'\(files.database)' is damaged: \(escapedForDisplay(detail))"),
            hint: LedgerFiles.restoreHint, cause: cause)
    }
}
