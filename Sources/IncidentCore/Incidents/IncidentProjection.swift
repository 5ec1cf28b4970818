package import Ledger
package import Platform

/// Findings and incidents as tables: what the events say now. Holds no erasable text but an incident's own title.
package struct IncidentProjection: Projection {
    /// Findings that belong to no incident are forgotten here (never in the ledger) after this time, and their fingerprints too.
    package static let retentionSeconds: Int64 = 90 * 86400

    package init() {}

    package let name = "incidents"
    package let tables = ["incident", "incident_condition", "finding"]
    package let schema = """
        CREATE TABLE IF NOT EXISTS incident(
          id TEXT PRIMARY KEY, year INTEGER NOT NULL, number INTEGER NOT NULL, sequence INTEGER NOT NULL,
          opened INTEGER NOT NULL, rule TEXT NOT NULL, correlation TEXT NOT NULL, severity INTEGER NOT NULL,
          status TEXT NOT NULL, asset TEXT, title_vi TEXT, title_en TEXT, assignee TEXT,
          updated INTEGER NOT NULL, updated_sequence INTEGER NOT NULL, last_finding INTEGER NOT NULL,
          findings INTEGER NOT NULL, files INTEGER NOT NULL,
          resolved INTEGER, closed INTEGER, closed_by_itself INTEGER NOT NULL DEFAULT 0) STRICT;
        CREATE INDEX IF NOT EXISTS incident_open ON incident(correlation) WHERE status <> 'closed';
        CREATE UNIQUE INDEX IF NOT EXISTS incident_number ON incident(year, number);
        CREATE TABLE IF NOT EXISTS incident_condition(
          incident TEXT NOT NULL, key TEXT NOT NULL, condition TEXT NOT NULL, since INTEGER NOT NULL,
          PRIMARY KEY (incident, key)) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS finding(
          sequence INTEGER PRIMARY KEY, moment INTEGER NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL,
          severity INTEGER NOT NULL, condition TEXT NOT NULL, key TEXT NOT NULL, subject TEXT NOT NULL, asset TEXT,
          summary_vi TEXT NOT NULL, summary_en TEXT NOT NULL, total INTEGER NOT NULL, suspicious INTEGER NOT NULL,
          batch TEXT, fingerprint TEXT, incident TEXT) STRICT;
        CREATE INDEX IF NOT EXISTS finding_fingerprint ON finding(fingerprint) WHERE fingerprint IS NOT NULL;
        CREATE INDEX IF NOT EXISTS finding_key ON finding(key, moment);
        CREATE INDEX IF NOT EXISTS finding_incident ON finding(incident, sequence);
        CREATE INDEX IF NOT EXISTS finding_unattached ON finding(moment) WHERE incident IS NULL;
        """

    package func apply(_ event: Event, to database: Database) throws {
        switch event.kind {
        case EventKind.findingRecorded: try record(event, in: database)
        case EventKind.incidentOpened: try open(event, in: database)
        case EventKind.incidentFinding: try attach(event, in: database)
        case EventKind.incidentEscalated: try escalate(event, in: database)
        case EventKind.incidentAssigned:
            try database.run("UPDATE incident SET assignee=?2 WHERE id=?1", SQLValue(event.subject), SQLValue(event.string("assignee")))
        case EventKind.incidentResolved:
            try database.run(
                "UPDATE incident SET status='resolved', resolved=?2 WHERE id=?1", SQLValue(event.subject), milliseconds(event))
        case EventKind.incidentClosed:
            try database.run(
                "UPDATE incident SET status='closed', closed=?2, closed_by_itself=?3 WHERE id=?1",
                SQLValue(event.subject), milliseconds(event), SQLValue(event.bool("byItself")))
        case EventKind.incidentReopened:
            try database.run(
                "UPDATE incident SET status='open', resolved=NULL, closed=NULL, closed_by_itself=0 WHERE id=?1",
                SQLValue(event.subject))
        default: break
        }
        if event.kind.hasPrefix("incident.") || event.kind.hasPrefix("playbook.") {
            try database.run(
                "UPDATE incident SET updated=?2, updated_sequence=?3 WHERE id=?1",
                SQLValue(event.subject), milliseconds(event), SQLValue(event.sequence))
        }
    }

    private func record(_ event: Event, in database: Database) throws {
        let summary = event.facts["summary"]?.phrase ?? Phrase(verbatim: "")
        try database.run(
            """
            INSERT INTO finding(sequence, moment, source, kind, severity, condition, key, subject, asset,
              summary_vi, summary_en, total, suspicious, batch, fingerprint)
            VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)
            """,
            SQLValue(event.sequence), milliseconds(event), SQLValue(event.string("source") ?? ""),
            SQLValue(event.string("kind") ?? ""), SQLValue(severity(event).rank),
            SQLValue(event.string("condition") ?? Condition.momentary.rawValue), SQLValue(event.string("key") ?? ""),
            SQLValue(event.subject), SQLValue(event.string("asset")), SQLValue(summary.vi), SQLValue(summary.en),
            SQLValue(event.integer("total") ?? 0), SQLValue(event.integer("suspicious") ?? 0),
            SQLValue(event.string("batch")), SQLValue(event.string("fingerprint")))
        // By the event's time, not the clock's: a rebuild must come to the same rows.
        try database.run(
            "DELETE FROM finding WHERE incident IS NULL AND sequence < ?1 AND moment < ?2",
            SQLValue(event.sequence),
            SQLValue(event.moment.adding(seconds: -Self.retentionSeconds).millisecondsSinceEpoch))
    }

    private func open(_ event: Event, in database: Database) throws {
        guard let number = IncidentNumber(event.subject) else { return }
        let title = event.facts["title"]?.phrase
        let typed = event.text("title")
        try database.run(
            """
            INSERT INTO incident(id, year, number, sequence, opened, rule, correlation, severity, status, asset,
              title_vi, title_en, assignee, updated, updated_sequence, last_finding, findings, files)
            VALUES(?1,?2,?3,?4,?5,?6,?7,?8,'open',?9,?10,?11,?12,?5,?4,?5,0,0)
            """,
            SQLValue(event.subject), SQLValue(number.year), SQLValue(number.number), SQLValue(event.sequence),
            milliseconds(event), SQLValue(event.string("rule") ?? ""), SQLValue(event.string("correlation") ?? ""),
            SQLValue(severity(event).rank), SQLValue(event.string("asset")), SQLValue(typed ?? title?.vi),
            SQLValue(typed ?? title?.en), SQLValue(event.string("assignee")))
    }

    private func attach(_ event: Event, in database: Database) throws {
        guard let finding = event.integer("finding") else { return }
        try database.run(
            "UPDATE finding SET incident=?2 WHERE sequence=?1", SQLValue(finding), SQLValue(event.subject))
        try database.run(
            """
            UPDATE incident SET findings=findings+1, files=files+?2, last_finding=max(last_finding, ?3) WHERE id=?1
            """, SQLValue(event.subject), SQLValue(event.integer("total") ?? 0), milliseconds(event))
        try database.run(
            """
            INSERT INTO incident_condition(incident, key, condition, since) VALUES(?1,?2,?3,?4)
            ON CONFLICT(incident, key) DO UPDATE SET
              since=CASE WHEN condition=excluded.condition THEN since ELSE excluded.since END, condition=excluded.condition
            """, SQLValue(event.subject), SQLValue(event.string("key") ?? ""),
            SQLValue(event.string("condition") ?? Condition.momentary.rawValue), milliseconds(event))
    }

    private func escalate(_ event: Event, in database: Database) throws {
        try database.run(
            "UPDATE incident SET severity=max(severity, ?2) WHERE id=?1", SQLValue(event.subject),
            SQLValue(severity(event).rank))
        guard let rule = event.string("rule") else { return }
        let title = event.facts["title"]?.phrase
        try database.run(
            "UPDATE incident SET rule=?2, title_vi=coalesce(?3, title_vi), title_en=coalesce(?4, title_en) WHERE id=?1",
            SQLValue(event.subject), SQLValue(rule), SQLValue(title?.vi), SQLValue(title?.en))
    }

    private func severity(_ event: Event) -> Severity { event.string("severity").flatMap(Severity.init(rawValue:)) ?? .low }

    private func milliseconds(_ event: Event) -> SQLValue { SQLValue(event.moment.millisecondsSinceEpoch) }
}
