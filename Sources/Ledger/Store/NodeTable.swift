internal import Platform

/// The hashes of complete subtrees, as rows.
enum NodeTable {
    static func insert(_ node: MerkleNode, in database: Database) throws(DatabaseError) {
        try database.run(
            "INSERT INTO nodes (level, place, hash) VALUES (?1, ?2, ?3)", SQLValue(node.level), .integer(node.index),
            .blob(node.hash.bytes))
    }

    /// - Throws: `.damaged` when the row is missing or no hash.
    static func hash(_ level: Int, _ index: Int64, in database: Database) throws -> Digest {
        let bytes = try database.first(
            "SELECT hash FROM nodes WHERE level = ?1 AND place = ?2", SQLValue(level), .integer(index)
        ) { row throws(DatabaseError) in row.blob(0) }
        guard let bytes, let hash = Digest(bytes) else {
            throw LedgerError(
                .damaged,
                Phrase(
                    vi: "cây băm của sổ cái thiếu nút \(level)/\(index)", en: "the hash tree of the ledger lacks node \(level)/\(index)"),
                hint: LedgerFiles.restoreHint)
        }
        return hash
    }

    /// The tree of the first `size` events.
    static func tree(of size: Int64, in database: Database) -> MerkleTree {
        MerkleTree(size: size) { level, index in try hash(level, index, in: database) }
    }

    /// The right edge of the tree over the stored events.
    static func frontier(in database: Database) throws -> MerkleFrontier {
        let size = try EventTable.count(in: database)
        var peaks: [Digest] = []
        var start: Int64 = 0
        for level in stride(from: 62, through: 0, by: -1) where size >> Int64(level) & 1 == 1 {
            peaks.append(try hash(level, start >> Int64(level), in: database))
            start += 1 << Int64(level)
        }
        return MerkleFrontier(size: size, peaks: peaks) ?? MerkleFrontier()
    }
}
