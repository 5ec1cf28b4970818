internal import Ledger
package import Platform

/// One incident as its table has it.
package struct IncidentRow: Sendable, Equatable {
    package var id: String
    package var sequence: Int64
    package var opened: Timestamp
    package var rule: String
    package var severity: Severity
    package var status: IncidentStatus
    package var condition: Condition
    package var asset: String?
    /// nil when a typed title was erased.
    package var title: Phrase?
    package var assignee: String?
    package var updated: Timestamp
    package var findings: Int64
    package var files: Int64
    package var resolved: Timestamp?
    package var closed: Timestamp?
    package var isClosedByItself: Bool

    package var shownTitle: Phrase { title ?? Phrase(vi: "(tiêu đề đã xóa)", en: "(title erased)") }
}

/// Which incidents a list shows.
package struct IncidentFilter: Sendable, Equatable {
    package var includesClosed: Bool
    package var minimumSeverity: Severity
    package var limit: Int

    package init(includesClosed: Bool = false, minimumSeverity: Severity = .low, limit: Int = 200) {
        self.includesClosed = includesClosed
        self.minimumSeverity = minimumSeverity
        self.limit = limit
    }
}

/// Questions to the tables of ``IncidentProjection``.
enum IncidentTable {
    private static let columns = """
        i.id, i.sequence, i.opened, i.rule, i.severity, i.status, i.asset, i.title_vi, i.title_en, i.assignee, i.updated,
        i.findings, i.files, i.resolved, i.closed, i.closed_by_itself,
        EXISTS(SELECT 1 FROM incident_condition c WHERE c.incident=i.id AND c.condition='active'),
        EXISTS(SELECT 1 FROM incident_condition c WHERE c.incident=i.id AND c.condition='cleared')
        """

    private static func read(_ row: borrowing Row) -> IncidentRow {
        let titleVi = row.optionalText(7)
        let titleEn = row.optionalText(8)
        var title: Phrase?
        if let titleVi, let titleEn { title = Phrase(vi: titleVi, en: titleEn) }
        return IncidentRow(
            id: row.text(0), sequence: row.integer(1), opened: Timestamp(millisecondsSinceEpoch: row.integer(2)),
            rule: row.text(3), severity: Severity(rank: row.integer(4)) ?? .low,
            status: IncidentStatus(rawValue: row.text(5)) ?? .open,
            condition: row.integer(16) == 1 ? .active : row.integer(17) == 1 ? .cleared : .momentary,
            asset: row.optionalText(6), title: title, assignee: row.optionalText(9),
            updated: Timestamp(millisecondsSinceEpoch: row.integer(10)), findings: row.integer(11), files: row.integer(12),
            resolved: row.optionalInteger(13).map(Timestamp.init(millisecondsSinceEpoch:)),
            closed: row.optionalInteger(14).map(Timestamp.init(millisecondsSinceEpoch:)), isClosedByItself: row.integer(15) == 1)
    }

    static func row(_ id: String, in database: Database) throws -> IncidentRow? {
        try database.first("SELECT \(columns) FROM incident i WHERE i.id=?1", SQLValue(id)) { row throws(DatabaseError) in read(row) }
    }

    /// The worst and newest first.
    static func list(_ filter: IncidentFilter, in database: Database) throws -> [IncidentRow] {
        try database.all(
            """
            SELECT \(columns) FROM incident i WHERE i.severity >= ?1 AND (?2 OR i.status <> 'closed')
            ORDER BY i.status='closed', i.status='resolved', i.severity DESC, i.sequence DESC LIMIT ?3
            """, SQLValue(filter.minimumSeverity.rank), SQLValue(filter.includesClosed), SQLValue(max(1, filter.limit))
        ) { row throws(DatabaseError) in read(row) }
    }

    /// The incidents under one correlation key that are not closed, oldest first.
    static func correlated(key: String, in database: Database) throws -> [CorrelatedIncident] {
        var found = try database.all(
            """
            SELECT id, rule, severity, status, last_finding FROM incident
            WHERE correlation=?1 AND status <> 'closed' ORDER BY sequence
            """, SQLValue(bounded(key, 320))
        ) { row throws(DatabaseError) in
            CorrelatedIncident(
                id: row.text(0), key: key, rule: row.text(1), severity: Severity(rank: row.integer(2)) ?? .low,
                status: IncidentStatus(rawValue: row.text(3)) ?? .open,
                lastFinding: Timestamp(millisecondsSinceEpoch: row.integer(4)))
        }
        for index in found.indices {
            let keys = try database.all(
                "SELECT key FROM incident_condition WHERE incident=?1 AND condition='active'", SQLValue(found[index].id)
            ) { row throws(DatabaseError) in row.text(0) }
            found[index].activeKeys = Set(keys)
        }
        return found
    }

    /// The incident that a person means by `name`.
    ///
    /// - Throws: `.notFound` with the nearest number.
    static func require(_ name: String, in database: Database) throws -> IncidentRow {
        let id = IncidentNumber(name)?.description ?? name
        if let row = try row(id, in: database) { return row }
        throw IncidentError.unknownIncident(name, similar: try similar(to: id, in: database))
    }

    private static func similar(to id: String, in database: Database) throws -> String? {
        let known = try database.all("SELECT id FROM incident ORDER BY status='closed', sequence DESC LIMIT 200") {
            row throws(DatabaseError) in row.text(0)
        }
        return Suggestion.nearest(to: id, among: known)
    }

    /// The first and the newest findings of an incident, oldest first.
    static func findings(of id: String, first: Int, newest: Int, in database: Database) throws -> [FindingRow] {
        try database.all(
            """
            SELECT sequence, moment, kind, severity, condition, key, subject, summary_vi, summary_en, total, batch
            FROM finding WHERE incident=?1 AND (
              sequence IN (SELECT sequence FROM finding WHERE incident=?1 ORDER BY sequence LIMIT ?2)
              OR sequence IN (SELECT sequence FROM finding WHERE incident=?1 ORDER BY sequence DESC LIMIT ?3))
            ORDER BY sequence
            """, SQLValue(id), SQLValue(first), SQLValue(newest)
        ) { row throws(DatabaseError) in
            FindingRow(
                sequence: row.integer(0), moment: Timestamp(millisecondsSinceEpoch: row.integer(1)), kind: row.text(2),
                severity: Severity(rank: row.integer(3)) ?? .low, condition: Condition(rawValue: row.text(4)) ?? .momentary,
                key: row.text(5), subject: row.text(6), summary: Phrase(vi: row.text(7), en: row.text(8)),
                total: row.integer(9), batch: row.optionalText(10))
        }
    }
}

/// One finding as its table has it.
struct FindingRow {
    var sequence: Int64
    var moment: Timestamp
    var kind: String
    var severity: Severity
    var condition: Condition
    var key: String
    var subject: String
    var summary: Phrase
    var total: Int64
    var batch: String?
}
