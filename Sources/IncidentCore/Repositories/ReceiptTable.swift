internal import Ledger
internal import Platform

/// Questions to the tables of ``ReceiptProjection``.
enum ReceiptTable {
    private static let columns = """
        repository, snapshot, original, tree, job, taken, received, origin, standing, doubts, incomplete, files, bytes, added, stored
        """

    private static func read(_ row: borrowing Row) -> Receipt {
        Receipt(
            repository: row.text(0), snapshot: row.text(1), original: row.text(2), tree: row.text(3), job: row.optionalText(4),
            taken: Timestamp(millisecondsSinceEpoch: row.integer(5)), received: Timestamp(millisecondsSinceEpoch: row.integer(6)),
            origin: ReceiptOrigin(rawValue: row.text(7)) ?? .seen, standing: SnapshotStanding(rawValue: row.text(8)) ?? .suspect,
            doubts: row.text(9).split(separator: ",").compactMap { Doubt(rawValue: String($0)) }, isIncomplete: row.integer(10) == 1,
            files: row.integer(11), bytes: row.integer(12), added: row.integer(13), stored: row.integer(14))
    }

    private static func rows(_ condition: String, _ values: [SQLValue], in database: Database) throws -> [Receipt] {
        var result: [Receipt] = []
        try database.query("SELECT \(columns) FROM receipt WHERE \(condition)", values) { row throws(DatabaseError) in
            result.append(read(row))
        }
        return result
    }

    /// The snapshots that lie in a repository, newest receipt first.
    static func present(in repository: String, job: String? = nil, database: Database) throws -> [Receipt] {
        try rows(
            "repository=?1 AND gone IS NULL AND (?2 IS NULL OR job=?2) ORDER BY received DESC, snapshot", [SQLValue(repository), SQLValue(job)],
            in: database)
    }

    /// Those of a job that wait for a person's word, in any repository.
    static func waiting(job: String?, in database: Database) throws -> [Receipt] {
        try rows(
            "gone IS NULL AND standing IN ('implausible', 'suspect') AND (?1 IS NULL OR job=?1) ORDER BY received, snapshot",
            [SQLValue(job)], in: database)
    }

    /// A snapshot with the same content and first name: what a new tag leaves.
    static func twin(of facts: SnapshotFacts, repository: String, in database: Database) throws -> Receipt? {
        try rows(
            "repository=?1 AND original=?2 AND tree=?3 AND (gone IS NULL OR gone_how<>'replaced') ORDER BY received LIMIT 1",
            [SQLValue(repository), SQLValue(facts.original), SQLValue(facts.tree)], in: database
        ).first
    }

    /// Every snapshot of the table by its ID, and whether it is gone.
    static func known(in repository: String, database: Database) throws -> [String: Bool] {
        var result: [String: Bool] = [:]
        try database.query(
            "SELECT snapshot, gone IS NOT NULL FROM receipt WHERE repository=?1 AND coalesce(gone_how, '')<>'replaced'", [SQLValue(repository)]
        ) { row throws(DatabaseError) in result[row.text(0)] = row.integer(1) == 1 }
        return result
    }

    /// The newest trusted snapshot of a job that our jobs made or that was adopted, and all that such snapshots added.
    static func reference(
        job: String, repository: String, in database: Database
    ) throws -> (newest: Plausibility.Sizes?, usual: (added: Int64, stored: Int64)) {
        let condition = "job=?1 AND repository=?2 AND gone IS NULL AND standing='trusted' AND origin<>'seen' AND incomplete=0"
        let newest = try rows("\(condition) ORDER BY received DESC LIMIT 1", [SQLValue(job), SQLValue(repository)], in: database).first
        let sums = try database.first(
            "SELECT coalesce(sum(added), 0), coalesce(sum(stored), 0) FROM receipt WHERE \(condition)", SQLValue(job), SQLValue(repository)
        ) { row throws(DatabaseError) in (added: row.integer(0), stored: row.integer(1)) }
        return (
            newest.map { Plausibility.Sizes(files: $0.files, bytes: $0.bytes, added: $0.added, stored: $0.stored) }, sums ?? (added: 0, stored: 0)
        )
    }

    static func identity(of repository: String, in database: Database) throws -> String? {
        try database.first("SELECT identity FROM repository WHERE name=?1", SQLValue(repository)) { row throws(DatabaseError) in row.text(0) }
    }

    static func keys(of repository: String, in database: Database) throws -> Set<String> {
        Set(
            try database.all("SELECT key FROM repository_key WHERE repository=?1", SQLValue(repository)) { row throws(DatabaseError) in
                row.text(0)
            })
    }
}
