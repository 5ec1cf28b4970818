package import Ledger
package import Platform

/// Runs of backup jobs, one row for each run and repository, and what counts as the newest good snapshot.
package struct JobProjection: Projection {
    /// Finished runs of one job and repository that stay listed; the ledger keeps all.
    package static let keptRuns = 200

    package init() {}

    package let name = "jobs"
    package let tables = ["job_run", "job_start"]
    package let schema = """
        CREATE TABLE IF NOT EXISTS job_run(
          sequence INTEGER PRIMARY KEY, job TEXT NOT NULL, repository TEXT NOT NULL, started INTEGER NOT NULL,
          ended INTEGER NOT NULL, outcome TEXT NOT NULL, snapshot TEXT, tree TEXT, taken INTEGER,
          files INTEGER NOT NULL, bytes INTEGER NOT NULL, stored INTEGER NOT NULL, unreadable INTEGER NOT NULL,
          failure_vi TEXT, failure_en TEXT) STRICT;
        CREATE INDEX IF NOT EXISTS job_run_job ON job_run(job, repository, sequence);
        CREATE TABLE IF NOT EXISTS job_start(
          kind TEXT NOT NULL, name TEXT NOT NULL, started INTEGER NOT NULL, trigger TEXT NOT NULL,
          PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID;
        """

    package func apply(_ event: Event, to database: Database) throws {
        switch event.kind {
        case EventKind.jobStarted:
            try database.run(
                """
                INSERT INTO job_start(kind, name, started, trigger) VALUES(?1,?2,?3,?4)
                ON CONFLICT(kind, name) DO UPDATE SET started=excluded.started, trigger=excluded.trigger
                """, SQLValue(event.string("kind") ?? JobKind.backup.rawValue), SQLValue(event.subject),
                SQLValue(event.moment.millisecondsSinceEpoch), SQLValue(event.string("trigger") ?? ""))
        case EventKind.jobFinished: try finish(event, in: database)
        default: break
        }
    }

    private func finish(_ event: Event, in database: Database) throws {
        let failure = event.facts["failure"]?.phrase
        let ended = event.moment.millisecondsSinceEpoch
        let repository = event.string("repository") ?? ""
        try database.run(
            """
            INSERT INTO job_run(sequence, job, repository, started, ended, outcome, snapshot, tree, taken, files, bytes, stored,
              unreadable, failure_vi, failure_en) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)
            """, SQLValue(event.sequence), SQLValue(event.subject), SQLValue(repository),
            SQLValue(event.integer("started") ?? ended), SQLValue(ended), SQLValue(event.string("outcome") ?? ""),
            SQLValue(event.string("snapshot")), SQLValue(event.string("tree")), SQLValue(event.integer("taken")),
            SQLValue(event.integer("files") ?? 0), SQLValue(event.integer("bytes") ?? 0),
            SQLValue(event.integer("stored") ?? 0), SQLValue(event.integer("unreadable") ?? 0), SQLValue(failure?.vi),
            SQLValue(failure?.en))
        // The newest complete run stays, however many failures came after it: the recovery point hangs on it.
        try database.run(
            """
            DELETE FROM job_run WHERE job=?1 AND repository=?2
              AND sequence <= (SELECT sequence FROM job_run WHERE job=?1 AND repository=?2 ORDER BY sequence DESC LIMIT 1 OFFSET ?3)
              AND sequence <> (SELECT coalesce(max(sequence), -1) FROM job_run WHERE job=?1 AND repository=?2 AND outcome='complete')
            """, SQLValue(event.subject), SQLValue(repository), SQLValue(Self.keptRuns))
    }
}

/// What the scheduler starts.
package enum JobKind: String, Codable, Sendable, CaseIterable {
    case backup, drill, scan
    /// Retention in one repository, and pruning.
    case forget, prune
}
