import Ledger
import Platform
import Testing

@testable import IncidentCore

@Suite struct IncidentActionTests {
    private let responder = IncidentFixture.responder
    private let administrator = IncidentFixture.administrator

    @Test func `an incident opened by hand has its typed title, erasable`() async throws {
        try await withSite { site in
            let detail = try await site.service.open(
                title: "Ông X báo mất máy", severity: .medium, playbook: "thay-doi", asset: "mot-cua", note: "gọi lúc 8 giờ",
                by: responder)
            #expect(detail.summary.title.vi == "Ông X báo mất máy")
            #expect(detail.summary.playbook == "thay-doi")
            #expect(detail.timeline.contains { $0.note == "gọi lúc 8 giờ" && $0.actor == "binh" })
            let opened = try #require(try await site.ledger.events(kinds: [EventKind.incidentOpened]).first)
            try await site.ledger.redact(sequence: opened.sequence, field: "title", by: [responder.actor, administrator.actor])
            let erased = try await site.service.show(detail.summary.id)
            #expect(erased.summary.title.vi == "(tiêu đề đã xóa)")
            let before = try await site.dump()
            try await site.ledger.rebuild()
            #expect(try await site.dump() == before)
        }
    }

    @Test func `two incidents opened by hand do not merge`() async throws {
        try await withSite { site in
            for _ in 0..<2 {
                _ = try await site.service.open(
                    title: "x", severity: .low, playbook: nil, asset: nil, note: nil, by: responder)
            }
            #expect(try await site.service.list().count == 2)
        }
    }

    @Test func `wrong names are refused with the nearest right one`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(1)])
            let refused: [(IncidentError.Code, String, () async throws -> Void)] = [
                (.notFound, "SC-2026-0001", { _ = try await site.service.show("SC-2026-0007") }),
                (.notFound, "binh", { _ = try await site.service.assign("2026-1", to: "bin", note: nil, by: responder) }),
                (
                    .notFound, "thay-doi",
                    { _ = try await site.service.attachPlaybook("thay-dol", to: "2026-1", by: responder) }
                ),
                (
                    .notFound, "mot-cua",
                    {
                        _ = try await site.service.open(
                            title: "x", severity: .low, playbook: nil, asset: "mot-cuaa", note: nil, by: responder)
                    }
                ),
            ]
            for (code, suggestion, body) in refused {
                do {
                    try await body()
                    Issue.record("accepted, though \(suggestion) was meant")
                } catch let error as IncidentError {
                    #expect(error.code == code)
                    #expect(error.hint?.en.contains(suggestion) == true, "\(error.hint?.en ?? "no hint")")
                }
            }
        }
    }

    @Test func `closing asks for the mandatory steps or a reason`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(1)])
            let id = "SC-2026-0001"
            #expect(try await incidentCode { _ = try await site.service.close(id, reason: nil, by: responder) } == .refused)
            _ = try await site.service.act(.finish, step: "a", of: id, branch: "c", note: nil, by: responder)
            // The branch with the other mandatory step was not taken.
            let closed = try await site.service.close(id, reason: nil, by: responder)
            #expect(closed.summary.status == .closed)
            #expect(closed.summary.next == nil)
            #expect(try await incidentCode { _ = try await site.service.close(id, reason: nil, by: responder) } == .refused)
            #expect(try await incidentCode { _ = try await site.service.resolve(id, note: nil, by: responder) } == .refused)
            #expect(
                try await incidentCode {
                    _ = try await site.service.act(.finish, step: "c", of: id, branch: nil, note: nil, by: responder)
                } == .refused)
            #expect(try await incidentCode { _ = try await site.service.reopen(id, reason: "", by: responder) } == .invalidArgument)
            #expect(try await site.service.reopen(id, reason: "còn nữa", by: responder).summary.status == .open)
            #expect(try await incidentCode { _ = try await site.service.reopen(id, reason: "x", by: responder) } == .refused)
        }
    }

    @Test func `an active condition is not closed in passing`() async throws {
        try await withSite { site in
            let finding = Finding(
                source: "test", kind: FindingKind.drillFailed, severity: .high, condition: .active, key: "drill:x", subject: "x",
                summary: Phrase(verbatim: "x"), moment: site.clock.now)
            try await site.service.report([finding])
            let id = "SC-2026-0001"
            _ = try await site.service.act(.finish, step: "a", of: id, branch: "c", note: nil, by: responder)
            #expect(try await incidentCode { _ = try await site.service.close(id, reason: nil, by: responder) } == .refused)
            #expect(try await site.service.close(id, reason: "chấp nhận rủi ro", by: responder).summary.status == .closed)
        }
    }

    @Test func `a hold is released by an administrator with a reason, once`() async throws {
        try await withSite { site in
            let jobs = JobService(incidents: site.service)
            try await jobs.record(.test("hoso", snapshot: "aa", tree: "bb", site.clock.now))
            try await site.service.report([try site.files(30)])
            let hold = try #require(try await site.service.holds().first { $0.job == "hoso" })
            let known = DeletionQuestion(
                original: try #require(Digest(hex: String(repeating: "aa", count: 32))), tree: .zero, time: site.clock.now, job: nil)
            let rewritten = DeletionQuestion(
                original: .zero, tree: try #require(Digest(hex: String(repeating: "bb", count: 32))), time: site.clock.now, job: nil)
            let unrecorded = DeletionQuestion(
                original: .zero, tree: .zero, time: site.clock.now.adding(seconds: -86400), job: "hoso")
            let later = DeletionQuestion(
                original: .zero, tree: .zero, time: site.clock.now.adding(seconds: 3600), job: "hoso")
            for snapshot in [known, rewritten, unrecorded] {
                #expect(try await site.service.holds(covering: snapshot).map(\.id) == [hold.id])
            }
            #expect(try await site.service.holds(covering: later).isEmpty)
            #expect(
                try await incidentCode { _ = try await site.service.releaseHold(hold.id, reason: "x", by: responder) } == .notPermitted)
            #expect(
                try await incidentCode { _ = try await site.service.releaseHold(hold.id, reason: "", by: administrator) }
                    == .invalidArgument)
            _ = try await site.service.releaseHold(hold.id, reason: "đã kiểm tra", by: administrator)
            #expect(try await site.service.holds(covering: known).isEmpty)
            #expect(
                try await incidentCode { _ = try await site.service.releaseHold(hold.id, reason: "x", by: administrator) } == .refused)
            #expect(
                try await incidentCode { _ = try await site.service.releaseHold("hold-9", reason: "x", by: administrator) } == .notFound)
        }
    }

    @Test func `accepts are replayed in order, and a foreign root is known as foreign`() async throws {
        try await withSite { site in
            let accepts = BaselineAccepts(ledger: site.ledger, now: { site.clock.now })
            let roots = try (1...3).map { try SHA256.hash([UInt8($0)]) }
            var previous: Int64 = -1
            for (index, root) in roots.enumerated() {
                let accept = try await accepts.accept(
                    batch: root, rows: 1, root: root, previousSequence: previous, isInitial: index == 0, by: administrator.actor,
                    note: "n")
                previous = accept.sequence
            }
            let all = try await accepts.accepts(after: -1)
            #expect(all.map(\.root) == roots.map(\.hex))
            #expect(try await accepts.accepts(after: all[0].sequence).map(\.root) == roots.dropFirst().map(\.hex))
            #expect(try await accepts.isKnown(root: roots[2]))
            #expect(try await !accepts.isKnown(root: .zero))
            #expect(
                try await incidentCode {
                    _ = try await accepts.accept(
                        batch: .zero, rows: 1, root: .zero, previousSequence: all[0].sequence, isInitial: false,
                        by: administrator.actor, note: "n")
                } == .refused)
        }
    }

    @Test func `status says why the site is not protected, and when it is`() async throws {
        try await withSite { site in
            let inputs = StatusInputs(
                version: "0.1", watch: WatchStatusView(areas: 2, realtimeAreas: 2, files: 10, openBlindIntervals: 0, hasBaseline: true),
                health: [], newestOutsideCheckpoint: nil, isWatching: true)
            let status = StatusService(incidents: site.service)
            let bad = try await status.status(inputs)
            #expect(!bad.isProtected)
            #expect(Set(bad.problems.map(\.kind)) == [.backup, .drill, .checkpoint])
            let jobs = JobService(incidents: site.service)
            for job in ["hoso", "web", "all"] {
                try await jobs.record(.test(job, snapshot: "aa", tree: "bb", site.clock.now))
            }
            try await DrillService(incidents: site.service).record(.test("hoso-quy", .passed, site.clock.now))
            var fresh = inputs
            fresh.newestOutsideCheckpoint = site.clock.now.adding(seconds: -86399)
            let good = try await status.status(fresh)
            #expect(good.problems == [])
            #expect(good.isProtected)
            #expect(good.drills.first?.last?.recoveryTimeMilliseconds == 1234)
            fresh.newestOutsideCheckpoint = site.clock.now.adding(seconds: -86400)
            #expect(try await status.status(fresh).problems.map(\.kind) == [.checkpoint])
        }
    }
}
