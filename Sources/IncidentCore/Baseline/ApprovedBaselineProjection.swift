package import Ledger
package import Platform

/// The approved baseline as the ledger knows it: which accepts there were, in order, and the root after each.
package struct ApprovedBaselineProjection: Projection {
    package init() {}

    package let name = "approved-baseline"
    package let tables = ["baseline_accept"]
    package let schema = """
        CREATE TABLE IF NOT EXISTS baseline_accept(
          sequence INTEGER PRIMARY KEY, moment INTEGER NOT NULL, actor TEXT NOT NULL, batch TEXT NOT NULL,
          rows INTEGER NOT NULL, root TEXT NOT NULL, initial INTEGER NOT NULL) STRICT;
        CREATE INDEX IF NOT EXISTS baseline_accept_root ON baseline_accept(root);
        """

    package func apply(_ event: Event, to database: Database) throws {
        guard event.kind == EventKind.baselineAccepted else { return }
        try database.run(
            "INSERT INTO baseline_accept(sequence, moment, actor, batch, rows, root, initial) VALUES(?1,?2,?3,?4,?5,?6,?7)",
            SQLValue(event.sequence), SQLValue(event.moment.millisecondsSinceEpoch), SQLValue(event.actor.name),
            SQLValue(event.string("batch") ?? ""), SQLValue(event.integer("rows") ?? 0), SQLValue(event.string("root") ?? ""),
            SQLValue(event.bool("initial")))
    }
}
