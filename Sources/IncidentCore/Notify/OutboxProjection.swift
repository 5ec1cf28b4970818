package import Ledger
package import Platform

/// One row for each message and channel: queued, and what became of it. Attempts under way are no part of it: see ``OutboxSender``.
package struct OutboxProjection: Projection {
    package init() {}

    package let name = "outbox"
    package let tables = ["outbox"]
    package let schema = """
        CREATE TABLE IF NOT EXISTS outbox(
          sequence INTEGER NOT NULL, channel TEXT NOT NULL, incident TEXT NOT NULL, topic TEXT NOT NULL,
          severity TEXT NOT NULL, queued INTEGER NOT NULL, state TEXT NOT NULL, settled INTEGER,
          PRIMARY KEY (sequence, channel)) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS outbox_pending ON outbox(state, sequence);
        CREATE INDEX IF NOT EXISTS outbox_incident ON outbox(incident, channel, sequence);
        """

    package func apply(_ event: Event, to database: Database) throws {
        switch event.kind {
        case EventKind.notificationQueued:
            for channel in event.facts["channels"]?.array ?? [] {
                guard let name = channel.string else { continue }
                try database.run(
                    """
                    INSERT OR IGNORE INTO outbox(sequence, channel, incident, topic, severity, queued, state)
                    VALUES(?1,?2,?3,?4,?5,?6,'pending')
                    """, SQLValue(event.sequence), SQLValue(name), SQLValue(event.subject),
                    SQLValue(event.string("topic") ?? ""), SQLValue(event.string("severity") ?? ""),
                    SQLValue(event.moment.millisecondsSinceEpoch))
            }
        case EventKind.notificationSent: try settle(event, "sent", in: database)
        case EventKind.notificationFailed: try settle(event, "failed", in: database)
        default: break
        }
    }

    private func settle(_ event: Event, _ state: String, in database: Database) throws {
        guard let sequence = event.integer("notification"), let channel = event.string("channel") else { return }
        try database.run(
            "UPDATE outbox SET state=?3, settled=?4 WHERE sequence=?1 AND channel=?2", SQLValue(sequence), SQLValue(channel),
            SQLValue(state), SQLValue(event.moment.millisecondsSinceEpoch))
    }
}
