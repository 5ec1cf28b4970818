package import Ledger
package import Platform

/// Repositories as the record knows them: identity, keys, every snapshot with its receipt, the last upkeep.
package struct ReceiptProjection: Projection {
    /// A snapshot that is gone stays in the table for this long; the ledger keeps its events.
    package static let keptGoneSeconds: Int64 = 400 * 86400

    package init() {}

    package let name = "receipts"
    package let tables = ["repository", "repository_key", "receipt"]
    package let schema = """
        CREATE TABLE IF NOT EXISTS repository(
          name TEXT PRIMARY KEY, identity TEXT NOT NULL, location TEXT NOT NULL, enrolled INTEGER NOT NULL,
          forgot INTEGER, pruned INTEGER, failure_vi TEXT, failure_en TEXT) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS repository_key(
          repository TEXT NOT NULL, key TEXT NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY (repository, key)) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS receipt(
          repository TEXT NOT NULL, snapshot TEXT NOT NULL, original TEXT NOT NULL, tree TEXT NOT NULL, job TEXT,
          taken INTEGER NOT NULL, received INTEGER NOT NULL, origin TEXT NOT NULL, standing TEXT NOT NULL, doubts TEXT NOT NULL,
          incident TEXT, incomplete INTEGER NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL, added INTEGER NOT NULL,
          stored INTEGER NOT NULL, word INTEGER, word_by TEXT, gone INTEGER, gone_how TEXT,
          PRIMARY KEY (repository, snapshot)) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS receipt_identity ON receipt(repository, original, tree);
        CREATE INDEX IF NOT EXISTS receipt_job ON receipt(job, repository, received) WHERE gone IS NULL;
        CREATE INDEX IF NOT EXISTS receipt_gone ON receipt(gone) WHERE gone IS NOT NULL;
        """

    package func apply(_ event: Event, to database: Database) throws {
        let repository = event.subject
        let moment = SQLValue(event.moment.millisecondsSinceEpoch)
        switch event.kind {
        case EventKind.repositoryEnrolled: try enrol(event, in: database)
        case EventKind.repositoryKeys:
            for key in event.strings("removed") {
                try database.run("DELETE FROM repository_key WHERE repository=?1 AND key=?2", SQLValue(repository), SQLValue(key))
            }
            for key in event.strings("added") {
                try database.run(
                    "INSERT OR IGNORE INTO repository_key(repository, key, seen) VALUES(?1,?2,?3)", SQLValue(repository), SQLValue(key), moment)
            }
        case EventKind.snapshotReceived: try receive(event, in: database)
        case EventKind.snapshotApproved: try give(.trusted, event, in: database)
        case EventKind.snapshotRejected: try give(.rejected, event, in: database)
        case EventKind.snapshotForgotten:
            guard let snapshot = event.string("snapshot") else { return }
            try remove([snapshot], how: "forgotten", event, in: database)
        case EventKind.snapshotsGone: try remove(event.strings("snapshots"), how: event.string("how") ?? "", event, in: database)
        case EventKind.snapshotsBack:
            for snapshot in event.strings("snapshots") {
                try database.run(
                    "UPDATE receipt SET gone=NULL, gone_how=NULL WHERE repository=?1 AND snapshot=?2", SQLValue(repository), SQLValue(snapshot))
            }
        case EventKind.upkeepFinished: try finish(event, in: database)
        default: break
        }
    }

    private func enrol(_ event: Event, in database: Database) throws {
        let name = SQLValue(event.subject)
        // Another identity is another repository: nothing of the old one lies there.
        try database.run("DELETE FROM repository_key WHERE repository=?1", name)
        try database.run(
            "UPDATE receipt SET gone=?2, gone_how='replaced' WHERE repository=?1 AND gone IS NULL", name,
            SQLValue(event.moment.millisecondsSinceEpoch))
        try database.run(
            """
            INSERT INTO repository(name, identity, location, enrolled) VALUES(?1,?2,?3,?4)
            ON CONFLICT(name) DO UPDATE SET identity=excluded.identity, location=excluded.location, enrolled=excluded.enrolled
            """, name, SQLValue(event.string("identity") ?? ""), SQLValue(event.string("location") ?? ""),
            SQLValue(event.moment.millisecondsSinceEpoch))
    }

    private func receive(_ event: Event, in database: Database) throws {
        let moment = event.moment.millisecondsSinceEpoch
        guard let snapshot = event.string("snapshot"), let tree = event.string("tree") else { return }
        try database.run(
            """
            INSERT OR REPLACE INTO receipt(repository, snapshot, original, tree, job, taken, received, origin, standing, doubts, incident,
              incomplete, files, bytes, added, stored) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)
            """, SQLValue(event.subject), SQLValue(snapshot), SQLValue(event.string("original") ?? snapshot), SQLValue(tree),
            SQLValue(event.string("job")), SQLValue(event.integer("taken") ?? moment), SQLValue(event.integer("received") ?? moment),
            SQLValue(event.string("origin") ?? ReceiptOrigin.seen.rawValue),
            SQLValue(event.string("standing") ?? SnapshotStanding.trusted.rawValue),
            SQLValue(event.strings("doubts").joined(separator: ",")), SQLValue(event.string("incident")), SQLValue(event.bool("incomplete")),
            SQLValue(event.integer("files") ?? 0), SQLValue(event.integer("bytes") ?? 0), SQLValue(event.integer("added") ?? 0),
            SQLValue(event.integer("stored") ?? 0))
        // By the event's time, not the clock's: a rebuild must come to the same rows.
        try database.run("DELETE FROM receipt WHERE gone < ?1", SQLValue(moment - Self.keptGoneSeconds * 1000))
    }

    private func give(_ standing: SnapshotStanding, _ event: Event, in database: Database) throws {
        for snapshot in event.strings("snapshots") {
            try database.run(
                "UPDATE receipt SET standing=?3, word=?4, word_by=?5 WHERE repository=?1 AND snapshot=?2", SQLValue(event.subject),
                SQLValue(snapshot), SQLValue(standing.rawValue), SQLValue(event.moment.millisecondsSinceEpoch), SQLValue(event.actor.name))
        }
    }

    private func remove(_ snapshots: [String], how: String, _ event: Event, in database: Database) throws {
        for snapshot in snapshots {
            try database.run(
                "UPDATE receipt SET gone=?3, gone_how=?4 WHERE repository=?1 AND snapshot=?2", SQLValue(event.subject), SQLValue(snapshot),
                SQLValue(event.moment.millisecondsSinceEpoch), SQLValue(how))
        }
    }

    private func finish(_ event: Event, in database: Database) throws {
        let failure = event.facts["failure"]?.phrase
        let isDone = failure == nil
        try database.run(
            """
            UPDATE repository SET forgot=CASE WHEN ?2 THEN ?4 ELSE forgot END, pruned=CASE WHEN ?3 THEN ?4 ELSE pruned END,
              failure_vi=?5, failure_en=?6 WHERE name=?1
            """, SQLValue(event.subject), SQLValue(isDone && event.bool("forgets")), SQLValue(isDone && event.bool("prunes")),
            SQLValue(event.moment.millisecondsSinceEpoch), SQLValue(failure?.vi), SQLValue(failure?.en))
    }
}

extension Event {
    /// A list of texts among the facts; empty when there is none.
    func strings(_ name: String) -> [String] { facts[name]?.array?.compactMap(\.string) ?? [] }
}
