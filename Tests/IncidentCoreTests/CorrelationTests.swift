import Platform
import Testing

@testable import IncidentCore

@Suite struct CorrelationTests {
    private static let moment = Timestamp(seconds: 1000)

    private static func finding(
        _ kind: String, key: String = "k", severity: Severity = .low, condition: Condition = .active, asset: String? = nil,
        suspicious: Int64? = nil
    ) -> Finding {
        Finding(
            source: "test", kind: kind, severity: severity, condition: condition, key: key, subject: "s", asset: asset,
            summary: Phrase(verbatim: "x"), moment: moment, volume: suspicious.map { .init(total: $0, suspicious: $0) })
    }

    private static func incident(
        _ key: String, rule: String, severity: Severity = .medium, status: IncidentStatus = .open, active: Set<String> = ["k"]
    ) -> CorrelatedIncident {
        CorrelatedIncident(
            id: "SC-2026-0001", key: key, rule: rule, severity: severity, status: status, lastFinding: moment, activeKeys: active)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let finding: Finding
        var incidents: [CorrelatedIncident] = []
        var recent: Int64 = 0
        let expected: CorrelationDecision
        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row(
            name: "a file change opens", finding: finding("file.changed", suspicious: 1),
            expected: .open(rule: "unauthorised-change", severity: .medium, key: "files|k")),
        Row(
            name: "a later file change joins", finding: finding("file.changed", suspicious: 1),
            incidents: [incident("files|k", rule: "unauthorised-change")],
            expected: .attach(incident: "SC-2026-0001", rule: nil, severity: nil, reopens: false)),
        Row(
            name: "another area opens its own", finding: finding("file.changed", key: "other", suspicious: 1),
            incidents: [incident("files|k", rule: "unauthorised-change")],
            expected: .open(rule: "unauthorised-change", severity: .medium, key: "files|other")),
        Row(
            name: "a closed incident takes nothing", finding: finding("file.changed", suspicious: 1),
            incidents: [incident("files|k", rule: "unauthorised-change", status: .closed)],
            expected: .open(rule: "unauthorised-change", severity: .medium, key: "files|k")),
        Row(
            name: "a resolved incident is taken up again", finding: finding("file.changed", suspicious: 1),
            incidents: [incident("files|k", rule: "unauthorised-change", status: .resolved)],
            expected: .attach(incident: "SC-2026-0001", rule: nil, severity: nil, reopens: true)),
        Row(
            name: "19 files in a minute are no mass change", finding: finding("file.changed", suspicious: 10),
            incidents: [incident("files|k", rule: "unauthorised-change")], recent: 9,
            expected: .attach(incident: "SC-2026-0001", rule: nil, severity: nil, reopens: false)),
        Row(
            name: "20 files in a minute escalate", finding: finding("file.changed", suspicious: 10),
            incidents: [incident("files|k", rule: "unauthorised-change")], recent: 10,
            expected: .attach(incident: "SC-2026-0001", rule: "ransomware", severity: .high, reopens: false)),
        Row(
            name: "20 files at once open as ransomware", finding: finding("file.changed", suspicious: 20),
            expected: .open(rule: "ransomware", severity: .high, key: "files|k")),
        Row(
            name: "a mass change goes on without escalating again", finding: finding("file.changed", suspicious: 500),
            incidents: [incident("files|k", rule: "ransomware", severity: .high)], recent: 900,
            expected: .attach(incident: "SC-2026-0001", rule: nil, severity: nil, reopens: false)),
        Row(
            name: "added files are no attack", finding: finding("file.changed", suspicious: 0), recent: 100,
            expected: .open(rule: "unauthorised-change", severity: .medium, key: "files|k")),
        Row(
            name: "a touched decoy is ransomware at once", finding: finding("file.decoy-touched"),
            incidents: [incident("files|k", rule: "unauthorised-change")],
            expected: .attach(incident: "SC-2026-0001", rule: "ransomware", severity: .high, reopens: false)),
        Row(
            name: "tampering is critical", finding: finding("baseline.tampered"),
            expected: .open(rule: "tampering", severity: .critical, key: "tampering|k")),
        Row(
            name: "an outage opens at the severity of its check", finding: finding("service.down", severity: .medium),
            expected: .open(rule: "service-outage", severity: .medium, key: "service|k")),
        Row(
            name: "checks of one asset share an outage", finding: finding("service.down", key: "k2", asset: "mot-cua"),
            incidents: [incident("service|asset:mot-cua", rule: "service-outage")],
            expected: .attach(incident: "SC-2026-0001", rule: nil, severity: nil, reopens: false)),
        Row(
            name: "up clears", finding: finding("service.up", condition: .cleared),
            incidents: [incident("service|k", rule: "service-outage")],
            expected: .attach(incident: "SC-2026-0001", rule: nil, severity: nil, reopens: false)),
        Row(
            name: "up of a check that was not down is only recorded",
            finding: finding("service.up", key: "k2", condition: .cleared, asset: "mot-cua"),
            incidents: [incident("service|asset:mot-cua", rule: "service-outage")], expected: .record),
        Row(name: "up without an outage is only recorded", finding: finding("service.up", condition: .cleared), expected: .record),
        Row(
            name: "a failed backup opens at medium", finding: finding("backup.failed"),
            expected: .open(rule: "backup-failed", severity: .medium, key: "backup|k")),
        Row(
            name: "an incomplete backup opens low", finding: finding("backup.incomplete"),
            expected: .open(rule: "backup-incomplete", severity: .low, key: "backup|k")),
        Row(
            name: "a failure makes an incomplete backup worse", finding: finding("backup.failed"),
            incidents: [incident("backup|k", rule: "backup-incomplete", severity: .low)],
            expected: .attach(incident: "SC-2026-0001", rule: "backup-failed", severity: .medium, reopens: false)),
        Row(
            name: "an incomplete run does not soften a failure", finding: finding("backup.incomplete"),
            incidents: [incident("backup|k", rule: "backup-failed")],
            expected: .attach(incident: "SC-2026-0001", rule: nil, severity: nil, reopens: false)),
        Row(
            name: "a worse finding raises the severity", finding: finding("service.down", severity: .critical),
            incidents: [incident("service|k", rule: "service-outage")],
            expected: .attach(incident: "SC-2026-0001", rule: nil, severity: .critical, reopens: false)),
        Row(
            name: "a failed drill opens", finding: finding("drill.failed", severity: .high),
            expected: .open(rule: "drill-failed", severity: .high, key: "drill|k")),
        Row(name: "a blind interval is recorded", finding: finding("watch.blind"), expected: .record),
        Row(name: "an unknown kind is recorded", finding: finding("vendor.alarm", severity: .critical), expected: .record),
    ]

    @Test(arguments: rows) func `the table decides`(row: Row) {
        #expect(
            Correlation.decide(row.finding, incidents: row.incidents, recentSuspiciousFiles: row.recent) == row.expected)
    }

    @Test func `the rules are consistent`() {
        let rules = Correlation.rules
        #expect(Set(rules.map(\.name)).count == rules.count)
        #expect(rules.last?.kinds == ["*"])
        for rule in rules {
            #expect(!rule.kinds.isEmpty && !rule.title.vi.isEmpty && !rule.title.en.isEmpty)
            if let escalation = rule.escalation {
                let worse = Correlation.rule(named: escalation.rule)
                // An incident can only move within its group, or its key would no longer fit.
                #expect(worse?.group == rule.group)
                #expect((worse?.severityFloor ?? .low) > rule.severityFloor)
            }
            if rule.effect == .clears {
                #expect(rules.contains { $0.group == rule.group && $0.effect == .opens && scopesMatch($0, rule) })
            }
        }
    }

    private func scopesMatch(_ left: CorrelationRule, _ right: CorrelationRule) -> Bool {
        let finding = Self.finding("x", asset: "a")
        return left.scope.text(for: finding) == right.scope.text(for: finding)
    }

    @Test func `a renamed tree counts what was lost, not what appeared`() throws {
        func change(_ kind: ObservedFileChange.Kind, _ name: String) -> ObservedFileChange {
            ObservedFileChange(kind: kind, path: "/srv" / name, attributes: [], fingerprint: name, looksEncrypted: false)
        }
        let finding = try FileFindings.changes(
            area: "a", root: "/srv", asset: nil,
            changes: [change(.removed, "x"), change(.added, "x.locked"), change(.changed, "y")], moment: Self.moment)
        #expect(finding.volume == .init(total: 3, suspicious: 2))
        #expect(finding.attachment == nil)
        let again = try FileFindings.changes(
            area: "a", root: "/srv", asset: nil,
            changes: [change(.changed, "y"), change(.removed, "x"), change(.added, "x.locked")], moment: Self.moment)
        #expect(finding.fingerprint == again.fingerprint)
    }
}
