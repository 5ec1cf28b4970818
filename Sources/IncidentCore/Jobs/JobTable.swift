internal import Ledger
internal import Platform

/// Questions to the tables of ``JobProjection``.
enum JobTable {
    private static let columns = """
        sequence, repository, started, ended, outcome, snapshot, files, bytes, stored, unreadable, failure_vi, failure_en
        """

    private static func read(_ row: borrowing Row) -> JobRunView {
        var failure: Phrase?
        if let vi = row.optionalText(10), let en = row.optionalText(11) { failure = Phrase(vi: vi, en: en) }
        return JobRunView(
            sequence: row.integer(0), repository: row.text(1), started: viewTime(milliseconds: row.integer(2)),
            ended: viewTime(milliseconds: row.integer(3)), outcome: RunOutcome(rawValue: row.text(4)) ?? .failed,
            snapshot: row.optionalText(5), files: row.integer(6), bytes: row.integer(7), bytesStored: row.integer(8),
            unreadable: row.integer(9), failure: failure)
    }

    static func runs(of job: String, limit: Int, in database: Database) throws -> [JobRunView] {
        try database.all(
            "SELECT \(columns) FROM job_run WHERE job=?1 ORDER BY sequence DESC LIMIT ?2", SQLValue(job), SQLValue(limit)
        ) { row throws(DatabaseError) in read(row) }
    }

    /// The newest run to each repository, in the order of their names.
    static func lastRuns(of job: String, in database: Database) throws -> [JobRunView] {
        try database.all(
            """
            SELECT \(columns) FROM job_run r WHERE job=?1
              AND sequence=(SELECT max(sequence) FROM job_run WHERE job=?1 AND repository=r.repository) ORDER BY repository
            """, SQLValue(job)
        ) { row throws(DatabaseError) in read(row) }
    }

    /// Time and sequence of the newest complete snapshot, in any repository.
    static func newestComplete(of job: String, in database: Database) throws -> (taken: Timestamp, sequence: Int64)? {
        try database.first(
            "SELECT taken, sequence FROM job_run WHERE job=?1 AND outcome='complete' AND taken IS NOT NULL ORDER BY taken DESC LIMIT 1",
            SQLValue(job)
        ) { row throws(DatabaseError) in (Timestamp(millisecondsSinceEpoch: row.integer(0)), row.integer(1)) }
    }

    static func lastStarts(in database: Database) throws -> [JobKey: Timestamp] {
        let rows = try database.all("SELECT kind, name, started FROM job_start") { row throws(DatabaseError) in
            (JobKind(rawValue: row.text(0)), row.text(1), Timestamp(millisecondsSinceEpoch: row.integer(2)))
        }
        var result: [JobKey: Timestamp] = [:]
        for (kind, name, started) in rows {
            if let kind { result[JobKey(kind: kind, name: name)] = started }
        }
        return result
    }
}
