package import Ledger
package import Platform

/// Snapshots that must not be deleted. A hold names a job and a moment: it covers every snapshot of the job taken until then.
///
/// The snapshots known at that moment are listed by `original ?? id` and tree, so that a rewritten snapshot stays held;
/// those that only the repository knows are covered through the job's tag and their time.
package struct HoldProjection: Projection {
    package init() {}

    package let name = "holds"
    package let tables = ["hold", "hold_snapshot", "hold_known_snapshot"]
    package let schema = """
        CREATE TABLE IF NOT EXISTS hold(
          id TEXT PRIMARY KEY, job TEXT NOT NULL, incident TEXT, reason_vi TEXT NOT NULL, reason_en TEXT NOT NULL,
          placed INTEGER NOT NULL, sequence INTEGER NOT NULL, covers_until INTEGER NOT NULL,
          released INTEGER, released_by TEXT) STRICT;
        CREATE TABLE IF NOT EXISTS hold_snapshot(
          hold TEXT NOT NULL, original TEXT NOT NULL, tree TEXT NOT NULL, repository TEXT NOT NULL,
          PRIMARY KEY (hold, original, tree, repository)) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS hold_snapshot_tree ON hold_snapshot(tree);
        CREATE TABLE IF NOT EXISTS hold_known_snapshot(
          original TEXT NOT NULL, tree TEXT NOT NULL, repository TEXT NOT NULL, job TEXT NOT NULL, moment INTEGER NOT NULL,
          PRIMARY KEY (original, tree, repository)) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS hold_known_job ON hold_known_snapshot(job);
        """

    package func apply(_ event: Event, to database: Database) throws {
        switch event.kind {
        case EventKind.jobFinished:
            guard let original = event.string("original") ?? event.string("snapshot"), let tree = event.string("tree") else { return }
            try database.run(
                "INSERT OR REPLACE INTO hold_known_snapshot(original, tree, repository, job, moment) VALUES(?1,?2,?3,?4,?5)",
                SQLValue(original), SQLValue(tree), SQLValue(event.string("repository") ?? ""), SQLValue(event.subject),
                SQLValue(event.moment.millisecondsSinceEpoch))
        case EventKind.snapshotReceived:
            guard let original = event.string("original"), let tree = event.string("tree"), let job = event.string("job") else { return }
            try database.run(
                "INSERT OR REPLACE INTO hold_known_snapshot(original, tree, repository, job, moment) VALUES(?1,?2,?3,?4,?5)",
                SQLValue(original), SQLValue(tree), SQLValue(event.subject), SQLValue(job),
                SQLValue(event.integer("received") ?? event.moment.millisecondsSinceEpoch))
        case EventKind.snapshotForgotten:
            guard let original = event.string("original"), let tree = event.string("tree") else { return }
            try database.run(
                "DELETE FROM hold_known_snapshot WHERE original=?1 AND tree=?2 AND repository=?3", SQLValue(original), SQLValue(tree),
                SQLValue(event.subject))
        case EventKind.holdPlaced:
            let reason = event.facts["reason"]?.phrase ?? Phrase(verbatim: "")
            let job = event.string("job") ?? ""
            try database.run(
                """
                INSERT INTO hold(id, job, incident, reason_vi, reason_en, placed, sequence, covers_until)
                VALUES(?1,?2,?3,?4,?5,?6,?7,?8)
                """, SQLValue(event.subject), SQLValue(job), SQLValue(event.string("incident")), SQLValue(reason.vi),
                SQLValue(reason.en), SQLValue(event.moment.millisecondsSinceEpoch), SQLValue(event.sequence),
                SQLValue(event.integer("coversUntil") ?? event.moment.millisecondsSinceEpoch))
            try database.run(
                """
                INSERT INTO hold_snapshot(hold, original, tree, repository)
                SELECT ?1, original, tree, repository FROM hold_known_snapshot WHERE job=?2
                """, SQLValue(event.subject), SQLValue(job))
        case EventKind.holdReleased:
            try database.run(
                "UPDATE hold SET released=?2, released_by=?3 WHERE id=?1 AND released IS NULL", SQLValue(event.subject),
                SQLValue(event.moment.millisecondsSinceEpoch), SQLValue(event.actor.name))
        default: break
        }
    }
}
