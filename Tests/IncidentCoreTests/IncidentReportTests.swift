import Ledger
import Platform
import Testing

@testable import IncidentCore

@Suite struct IncidentReportTests {
    @Test func `a change opens an incident with number, playbook and next step`() async throws {
        try await withSite { site in
            let outcome = try await site.service.report([try site.files(2)])
            #expect(outcome.map(\.effect) == [.opened])
            #expect(outcome.map(\.incident) == ["SC-2026-0001"])
            let detail = try await site.service.show("2026-1")
            #expect(detail.summary.severity == .medium)
            #expect(detail.summary.status == .open)
            #expect(detail.summary.condition == .momentary)
            #expect(detail.summary.files == 2)
            #expect(detail.summary.playbook == "thay-doi")
            #expect(detail.summary.title.vi == "Tệp thay đổi chưa được phê duyệt: ho-so")
            #expect(detail.summary.next?.step == "a")
            #expect(detail.summary.next?.people.map(\.fullName) == ["Trần Bình"])
            #expect(detail.summary.next?.deadline == Timestamp(seconds: IncidentFixture.start.seconds + 1800).rfc3339Local)
            #expect(detail.summary.next?.isOverdue == false)
            #expect(detail.findings.map { $0.items?.map(\.path) } == [["/srv/hoso/tệp-0.docx", "/srv/hoso/tệp-1.docx"]])
            site.clock.advance(seconds: 1801)
            #expect(try await site.service.show("2026-1").summary.next?.isOverdue == true)
        }
    }

    @Test func `names of files are erasable texts, never facts`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(3)])
            for event in try await site.ledger.events() {
                #expect(!JSONValue.object(event.facts).canonicalText.contains("docx"))
            }
        }
    }

    @Test func `the same occurrence is recorded once, however often it is reported`() async throws {
        try await withSite { site in
            let findings = [try site.files(2), site.service("web", isUp: false)]
            let first = try await site.service.report(findings)
            let before = try await site.dump()
            let count = try await site.ledger.events().count
            for _ in 0..<3 {
                let again = try await site.service.report(findings)
                #expect(again.map(\.effect) == [.repeated, .repeated])
                #expect(again.map(\.incident) == first.map(\.incident))
            }
            #expect(try await site.ledger.events().count == count)
            #expect(try await site.dump() == before)
        }
    }

    @Test func `two reports at once open one incident`() async throws {
        try await withSite { site in
            let findings = try (0..<8).map { try site.files(1, tag: "t\($0)") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for finding in findings { group.addTask { try await site.service.report([finding]) } }
                try await group.waitForAll()
            }
            let list = try await site.service.list()
            #expect(list.map(\.id) == ["SC-2026-0001"])
            #expect(list.first?.findings == 8)
        }
    }

    @Test func `20 files within a minute become ransomware, with a hold, in one transaction`() async throws {
        try await withSite { site in
            let jobs = JobService(incidents: site.service)
            try await jobs.record(.test("hoso", snapshot: "aa", tree: "bb", site.clock.now))
            try await site.service.report([try site.files(12)])
            site.clock.advance(seconds: 30)
            let commits = site.ledger.statistics.bodies
            let outcome = try await site.service.report([try site.files(8, tag: "later")])
            #expect(site.ledger.statistics.bodies == commits + 1)
            #expect(outcome.map(\.effect) == [.escalated])
            let detail = try await site.service.show("SC-2026-0001")
            #expect(detail.summary.severity == .high)
            #expect(detail.summary.rule == "ransomware")
            #expect(detail.summary.playbook == "tong-tien")
            #expect(detail.runs.map(\.playbook) == ["thay-doi", "tong-tien"])
            #expect(detail.runs.first?.superseded != nil)
            // `hoso` and `all` hold something of /srv/hoso, `web` does not.
            #expect(detail.holds.map(\.job) == ["hoso", "all"])
            #expect(detail.holds.map(\.snapshots) == [1, 0])
            // More of the same neither escalates nor holds again.
            #expect(try await site.service.report([try site.files(300, tag: "more")]).map(\.effect) == [.attached])
            #expect(try await site.service.holds().count == 2)
        }
    }

    @Test func `slow changes stay what they are`() async throws {
        try await withSite { site in
            for round in 0..<5 {
                try await site.service.report([try site.files(10, tag: "r\(round)-")])
                site.clock.advance(seconds: 61)
            }
            #expect(try await site.service.show("SC-2026-0001").summary.severity == .medium)
            #expect(try await site.service.holds().isEmpty)
        }
    }

    @Test func `when the hold cannot be placed, nothing of the finding stays`() async throws {
        try await withSite(extra: [RefusingProjection(kind: EventKind.holdPlaced)]) { site in
            await #expect(throws: RefusingProjection.Refusal.self) { try await site.service.report([try site.files(25)]) }
            let events = try await site.ledger.events()
            #expect(events.isEmpty)
            let rows = try await site.dump()
            #expect(rows.isEmpty)
        }
    }

    @Test func `a large report goes into a sealed batch`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(5000)])
            let view = try #require(try await site.service.show("SC-2026-0001").findings.first)
            #expect(view.files == 5000)
            #expect(view.items?.count == 10)
            let digest = try #require(view.batch.flatMap { Digest(hex: $0) })
            let bytes = try BatchStore(directory: site.directory / "batches").read(digest, limit: 64 << 20)
            let rows = try JSONValue(parsing: bytes, limitBytes: 64 << 20)
            #expect(rows.array?.count == 5000)
            let report = try await site.ledger.verify()
            #expect(report.isIntact)
        }
    }

    @Test func `what people did stays in sight however many findings there are`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(1)])
            _ = try await site.service.note("SC-2026-0001", "đã khóa máy", by: IncidentFixture.responder)
            try await site.service.report(try (0..<700).map { try site.files(1, tag: "f\($0)-") })
            let detail = try await site.service.show("SC-2026-0001")
            #expect(detail.summary.findings == 701)
            #expect(detail.findings.count == IncidentDetail.listLimit)
            let sequences = detail.findings.map(\.sequence)
            #expect(sequences.first == 0)
            #expect(sequences == sequences.sorted())
            #expect(detail.timeline.contains { $0.note == "đã khóa máy" })
        }
    }

    @Test func `hostile texts cannot overflow an event`() async throws {
        try await withSite { site in
            let junk = String(repeating: "\u{1}\"\\", count: 3000)
            let finding = Finding(
                source: "test", kind: FindingKind.drillFailed, severity: .high, condition: .active, key: junk, subject: junk,
                asset: junk, summary: Phrase(vi: junk, en: junk), details: ["x": JSONValue(junk)], moment: site.clock.now,
                fingerprint: junk, root: FilePath(junk), items: [FindingItem(kind: junk, path: FilePath(junk))])
            let first = try await site.service.report([finding])
            #expect(first.map(\.effect) == [.opened])
            #expect(try await site.service.report([finding]).map(\.effect) == [.repeated])
            #expect(try await site.service.show("SC-2026-0001").findings.first?.batch != nil)
        }
    }

    @Test func `projections built again are the same`() async throws {
        try await withSite { site in
            try await site.exercise()
            let before = try await site.dump()
            #expect(before.count > 40)
            try await site.ledger.rebuild()
            #expect(try await site.dump() == before)
        }
    }

    @Test func `numbers count per year of the site`() async throws {
        try await withSite { site in
            try await site.service.report([site.service("a", isUp: false)])
            try await site.service.report([site.service("b", isUp: false)])
            site.clock.advance(seconds: 60 * 86400)
            try await site.service.report([site.service("c", isUp: false)])
            #expect(Set(try await site.service.list().map(\.id)) == ["SC-2026-0001", "SC-2026-0002", "SC-2027-0001"])
        }
    }

    // MARK: Closing by itself

    @Test func `a low outage closes by itself when the service is back`() async throws {
        try await withSite { site in
            try await site.service.report([site.service("web", isUp: false)])
            site.clock.advance(seconds: 90)
            #expect(try await site.service.report([site.service("web", isUp: true)]).map(\.effect) == [.closed])
            let detail = try await site.service.show("SC-2026-0001")
            #expect(detail.summary.status == .closed)
            #expect(detail.summary.closedByItself)
            #expect(detail.summary.condition == .cleared)
            // The next outage is a new incident.
            site.clock.advance(seconds: 90)
            #expect(try await site.service.report([site.service("web", isUp: false)]).map(\.incident) == ["SC-2026-0002"])
        }
    }

    @Test func `an outage of an asset waits for people`() async throws {
        try await withSite { site in
            try await site.service.report([site.service("web", isUp: false, asset: "mot-cua")])
            try await site.service.report([site.service("web", isUp: true, asset: "mot-cua")])
            let summary = try await site.service.show("SC-2026-0001").summary
            #expect(summary.severity == .medium)
            #expect(summary.status == .open)
            #expect(summary.condition == .cleared)
        }
    }

    @Test func `a begun mandatory step keeps it open`() async throws {
        try await withSite { site in
            try await site.service.report([site.service("web", isUp: false)])
            _ = try await site.service.act(
                .start, step: "a", of: "SC-2026-0001", branch: nil, note: nil, by: IncidentFixture.responder)
            #expect(try await site.service.report([site.service("web", isUp: true)]).map(\.effect) == [.attached])
            #expect(try await site.service.show("SC-2026-0001").summary.status == .open)
        }
    }

    @Test func `an outage of two checks is over when both are back`() async throws {
        try await withSite { site in
            let down = [site.service("a", isUp: false, asset: "mot-cua"), site.service("b", isUp: false, asset: "mot-cua")]
            #expect(try await site.service.report(down).map(\.effect) == [.opened, .attached])
            try await site.service.report([site.service("a", isUp: true, asset: "mot-cua")])
            #expect(try await site.service.show("SC-2026-0001").summary.condition == .active)
            try await site.service.report([site.service("b", isUp: true, asset: "mot-cua")])
            #expect(try await site.service.show("SC-2026-0001").summary.condition == .cleared)
        }
    }

    @Test func `a resolved outage that happens again is open again`() async throws {
        try await withSite { site in
            try await site.service.report([site.service("web", isUp: false, asset: "mot-cua")])
            _ = try await site.service.resolve("SC-2026-0001", note: nil, by: IncidentFixture.responder)
            site.clock.advance(seconds: 60)
            let again = site.service("web", isUp: false, asset: "mot-cua")
            #expect(try await site.service.report([again]).map(\.effect) == [.reopened])
            #expect(try await site.service.show("SC-2026-0001").summary.status == .open)
        }
    }
}

extension IncidentFixture {
    /// A bit of everything, for tests that compare states.
    func exercise() async throws {
        let jobs = JobService(incidents: service)
        let drills = DrillService(incidents: service)
        try await jobs.begin(.backup, "hoso", by: .system("scheduler"))
        try await jobs.record(.test("hoso", snapshot: "aa", tree: "bb", clock.now))
        try await service.report([try files(12), service("web", isUp: false), service("db", isUp: false, asset: "mot-cua")])
        clock.advance(seconds: 20)
        try await service.report([try files(9, tag: "x"), service("web", isUp: true)])
        _ = try await service.act(.finish, step: "a", of: "SC-2026-0001", branch: "b", note: "xong", by: Self.responder)
        _ = try await service.assign("SC-2026-0001", to: "an", note: nil, by: Self.responder)
        _ = try await service.note("SC-2026-0001", "đã gọi", by: Self.responder)
        _ = try await service.open(
            title: "Thư lạ", severity: .high, playbook: "thay-doi", asset: "mot-cua", note: "từ người dân", by: Self.responder)
        _ = try await service.close("SC-2026-0003", reason: "nhầm", by: Self.administrator)
        _ = try await service.reopen("SC-2026-0003", reason: "không nhầm", by: Self.administrator)
        let holds = try await service.holds()
        if let hold = holds.first { _ = try await service.releaseHold(hold.id, reason: "đã kiểm tra", by: Self.administrator) }
        try await jobs.record(.test("hoso", snapshot: nil, tree: nil, clock.now))
        try await drills.record(.test("hoso-quy", .failed, clock.now))
        clock.advance(seconds: 5)
        try await drills.record(.test("hoso-quy", .passed, clock.now))
        let accepts = BaselineAccepts(ledger: ledger, now: { clock.now })
        let digest = try SHA256.hash([1])
        _ = try await accepts.accept(
            batch: digest, rows: 3, root: digest, previousSequence: -1, isInitial: true, by: Self.administrator.actor, note: "đầu")
    }
}

extension BackupResult {
    /// A complete run to `main`; a failed one without a snapshot.
    static func test(
        _ job: String, snapshot: String?, tree: String?, _ moment: Timestamp, outcome: RunOutcome? = nil
    ) -> BackupResult {
        var target = Target(repository: "main", outcome: outcome ?? (snapshot == nil ? .failed : .complete))
        target.snapshot = snapshot.map { String(repeating: $0, count: 32) }
        target.tree = tree.map { String(repeating: $0, count: 32) }
        target.time = snapshot == nil ? nil : moment.rfc3339Local
        if snapshot == nil { target.failure = FailureText(message: Phrase(vi: "kho bị khóa", en: "repository locked"), hint: nil) }
        return BackupResult(
            job: job, asset: nil, started: moment.rfc3339Local, ended: moment.rfc3339Local, targets: [target])
    }
}

extension DrillResult {
    static func test(_ drill: String, _ outcome: DrillOutcome, _ moment: Timestamp) -> DrillResult {
        var result = DrillResult(
            DrillOrder(
                drill: drill, job: "hoso", reference: RepositoryReference(name: "main", location: "/r"), hostname: "h", scratch: "/s",
                recoveryTimeObjectiveSeconds: 1800), started: moment)
        result.outcome = outcome
        result.ended = moment.rfc3339Local
        result.recoveryTimeMilliseconds = outcome == .failed ? nil : 1234
        result.recoveryPointSeconds = 3600
        result.filesVerified = 10
        result.problemCount = outcome == .failed ? 2 : 0
        return result
    }
}
