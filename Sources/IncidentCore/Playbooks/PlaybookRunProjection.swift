package import Ledger
package import Platform

/// Playbooks under way: which one, and how far each step has come. The graph itself is in the preserved definition; an event
/// that ends a step names the steps that come next, so the tables follow from the events alone.
///
/// | state of a step | meaning |
/// |---|---|
/// | no row | not reached yet |
/// | `ready` | its turn |
/// | `started` | somebody works on it |
/// | `done`, `skipped` | over; reached again over a loop it becomes `ready` again |
package struct PlaybookRunProjection: Projection {
    package init() {}

    package let name = "playbook-runs"
    package let tables = ["playbook_run", "playbook_step"]
    package let schema = """
        CREATE TABLE IF NOT EXISTS playbook_run(
          incident TEXT NOT NULL, run INTEGER NOT NULL, playbook TEXT NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL,
          batch TEXT NOT NULL, attached INTEGER NOT NULL, sequence INTEGER NOT NULL,
          superseded INTEGER, PRIMARY KEY (incident, run)) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS playbook_step(
          incident TEXT NOT NULL, run INTEGER NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL, mandatory INTEGER NOT NULL,
          since INTEGER NOT NULL, started INTEGER, started_by TEXT, ended INTEGER, ended_by TEXT,
          times_done INTEGER NOT NULL, PRIMARY KEY (incident, run, step)) STRICT, WITHOUT ROWID;
        """

    package func apply(_ event: Event, to database: Database) throws {
        switch event.kind {
        case EventKind.playbookAttached: try attach(event, in: database)
        case EventKind.stepStarted:
            try database.run(
                """
                UPDATE playbook_step SET state='started', started=?4, started_by=?5, mandatory=?6
                WHERE incident=?1 AND run=?2 AND step=?3
                """, SQLValue(event.subject), run(event), step(event), milliseconds(event), SQLValue(event.actor.name),
                SQLValue(event.bool("mandatory")))
        case EventKind.stepFinished: try end(event, as: "done", in: database)
        case EventKind.stepSkipped: try end(event, as: "skipped", in: database)
        default: break
        }
    }

    private func attach(_ event: Event, in database: Database) throws {
        try database.run(
            "UPDATE playbook_run SET superseded=?2 WHERE incident=?1 AND superseded IS NULL", SQLValue(event.subject),
            milliseconds(event))
        try database.run(
            "INSERT INTO playbook_run(incident, run, playbook, version, digest, batch, attached, sequence) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
            SQLValue(event.subject), run(event), SQLValue(event.string("playbook") ?? ""),
            SQLValue(event.string("version") ?? ""), SQLValue(event.string("digest") ?? ""),
            SQLValue(event.string("batch") ?? ""), milliseconds(event), SQLValue(event.sequence))
        try makeReady(event, "first", in: database)
    }

    private func end(_ event: Event, as state: String, in database: Database) throws {
        try database.run(
            """
            UPDATE playbook_step SET state=?4, ended=?5, ended_by=?6, mandatory=?7,
              started=coalesce(started, ?5), started_by=coalesce(started_by, ?6), times_done=times_done+1
            WHERE incident=?1 AND run=?2 AND step=?3
            """, SQLValue(event.subject), run(event), step(event), SQLValue(state), milliseconds(event),
            SQLValue(event.actor.name), SQLValue(event.bool("mandatory")))
        try makeReady(event, "next", in: database)
    }

    private func makeReady(_ event: Event, _ field: String, in database: Database) throws {
        for next in event.facts[field]?.array ?? [] {
            guard let name = next.string else { continue }
            try database.run(
                """
                INSERT INTO playbook_step(incident, run, step, state, mandatory, since, times_done)
                VALUES(?1,?2,?3,'ready',0,?4,0)
                ON CONFLICT(incident, run, step) DO UPDATE SET
                  state='ready', since=excluded.since, started=NULL, started_by=NULL, ended=NULL, ended_by=NULL
                  WHERE state IN ('done','skipped')
                """, SQLValue(event.subject), run(event), SQLValue(name), milliseconds(event))
        }
    }

    private func run(_ event: Event) -> SQLValue { SQLValue(event.integer("run") ?? 1) }
    private func step(_ event: Event) -> SQLValue { SQLValue(event.string("step") ?? "") }
    private func milliseconds(_ event: Event) -> SQLValue { SQLValue(event.moment.millisecondsSinceEpoch) }
}
