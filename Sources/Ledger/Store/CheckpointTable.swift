package import Platform

/// The signed checkpoints, as rows.
package enum CheckpointTable {
    /// The note with the largest size; nil when nothing was signed yet.
    package static func newest(in database: Database) throws(DatabaseError) -> String? {
        try database.first("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1") { row throws(DatabaseError) in row.text(0) }
    }

    static func insert(_ checkpoint: Checkpoint, note: String, in database: Database) throws(DatabaseError) {
        try database.run(
            "INSERT INTO checkpoints (size, time, note) VALUES (?1, ?2, ?3)", .integer(checkpoint.size),
            .integer(Timestamp.now().millisecondsSinceEpoch), .text(note))
    }

    /// Compares a checkpoint with the stored tree.
    ///
    /// - Throws: `.rolledBack` when it names more events than there are, `.inconsistent` when it names others.
    static func require(_ checkpoint: Checkpoint, matches database: Database, size: Int64) throws {
        if checkpoint.size > size {
            throw LedgerError(
                .rolledBack,
                Phrase(
                    vi: "sổ cái có \(size) sự kiện, nhưng điểm chốt đã ký xác nhận \(checkpoint.size): sổ cái đã bị quay về trạng thái cũ",
                    en: "the ledger has \(size) events, but a signed checkpoint confirms \(checkpoint.size): the ledger was rolled back"),
                hint: LedgerFiles.restoreHint)
        }
        var hasher = try MerkleHasher()
        let root = try NodeTable.tree(of: size, in: database).root(of: checkpoint.size, &hasher)
        if root != checkpoint.root {
            throw LedgerError(
                .inconsistent,
                Phrase(
                    vi: "\(checkpoint.size) sự kiện đầu của sổ cái không phải những sự kiện mà điểm chốt đã ký (\(checkpoint.root.short)) xác nhận",
                    en: "the first \(checkpoint.size) events of the ledger are not those that the signed checkpoint (\(checkpoint.root.short)) confirms"),
                hint: LedgerFiles.restoreHint)
        }
    }
}
