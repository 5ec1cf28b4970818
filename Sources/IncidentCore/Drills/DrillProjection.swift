package import Ledger
package import Platform

/// Results of drills, one row each.
package struct DrillProjection: Projection {
    package init() {}

    package let name = "drills"
    package let tables = ["drill_run"]
    package let schema = """
        CREATE TABLE IF NOT EXISTS drill_run(
          sequence INTEGER PRIMARY KEY, drill TEXT NOT NULL, job TEXT NOT NULL, repository TEXT NOT NULL, snapshot TEXT,
          started INTEGER NOT NULL, ended INTEGER NOT NULL, outcome TEXT NOT NULL, recovery_time INTEGER,
          recovery_point INTEGER, files INTEGER NOT NULL, bytes INTEGER NOT NULL, problems INTEGER NOT NULL, batch TEXT) STRICT;
        CREATE INDEX IF NOT EXISTS drill_run_drill ON drill_run(drill, sequence);
        """

    package func apply(_ event: Event, to database: Database) throws {
        guard event.kind == EventKind.drillFinished else { return }
        let ended = event.moment.millisecondsSinceEpoch
        try database.run(
            """
            INSERT INTO drill_run(sequence, drill, job, repository, snapshot, started, ended, outcome, recovery_time,
              recovery_point, files, bytes, problems, batch) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)
            """, SQLValue(event.sequence), SQLValue(event.subject), SQLValue(event.string("job") ?? ""),
            SQLValue(event.string("repository") ?? ""), SQLValue(event.string("snapshot")),
            SQLValue(event.integer("started") ?? ended), SQLValue(ended), SQLValue(event.string("outcome") ?? ""),
            SQLValue(event.integer("recoveryTimeMilliseconds")), SQLValue(event.integer("recoveryPointSeconds")),
            SQLValue(event.integer("filesVerified") ?? 0), SQLValue(event.integer("bytesVerified") ?? 0),
            SQLValue(event.integer("problems") ?? 0), SQLValue(event.string(Event.batchFact)))
    }
}
