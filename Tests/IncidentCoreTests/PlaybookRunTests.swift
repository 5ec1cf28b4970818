import Ledger
import Platform
import Testing

@testable import IncidentCore

@Suite struct PlaybookRunTests {
    private let responder = IncidentFixture.responder
    private let administrator = IncidentFixture.administrator
    private let id = "SC-2026-0001"

    private func act(
        _ site: IncidentFixture, _ verb: StepVerb, _ step: String, branch: String? = nil, note: String? = nil,
        by person: Responder = IncidentFixture.responder
    ) async throws -> IncidentDetail {
        try await site.service.act(verb, step: step, of: id, branch: branch, note: note, by: person)
    }

    private func states(_ detail: IncidentDetail) -> [String: StepState] {
        Dictionary(uniqueKeysWithValues: (detail.runs.last?.steps ?? []).map { ($0.id, $0.state) })
    }

    @Test func `steps come one after the other`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(1)])
            #expect(try await incidentCode { _ = try await act(site, .start, "b") } == .refused)
            var detail = try await act(site, .start, "a")
            #expect(states(detail) == ["a": .started, "b": .waiting, "c": .waiting, "d": .waiting])
            #expect(detail.runs.last?.steps.first?.startedBy == "binh")
            #expect(try await incidentCode { _ = try await act(site, .start, "a") } == .refused)
            detail = try await act(site, .finish, "a", branch: "b", note: "đã gọi")
            #expect(states(detail) == ["a": .done, "b": .ready, "c": .waiting, "d": .waiting])
            #expect(detail.summary.next?.step == "b")
            #expect(try await incidentCode { _ = try await act(site, .finish, "a", branch: "b") } == .refused)
            // Done without having been started: nobody is held up by a formality.
            detail = try await act(site, .finish, "b")
            detail = try await act(site, .finish, "d")
            #expect(states(detail) == ["a": .done, "b": .done, "c": .waiting, "d": .done])
            #expect(detail.runs.last?.isFinished == true)
            #expect(detail.summary.next == nil)
            #expect(try await incidentCode { _ = try await act(site, .start, "d") } == .refused)
        }
    }

    @Test func `a branch must be chosen, and be one`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(1)])
            #expect(try await incidentCode { _ = try await act(site, .finish, "a") } == .invalidArgument)
            #expect(try await incidentCode { _ = try await act(site, .finish, "a", branch: "d") } == .invalidArgument)
            #expect(try await incidentCode { _ = try await act(site, .finish, "z", branch: "b") } == .notFound)
            #expect(states(try await act(site, .finish, "a", branch: "c"))["c"] == .ready)
        }
    }

    @Test func `skipping needs a reason, and an administrator where the step is mandatory`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(1)])
            #expect(try await incidentCode { _ = try await act(site, .skip, "a", branch: "b") } == .invalidArgument)
            #expect(try await incidentCode { _ = try await act(site, .skip, "a", branch: "b", note: "x") } == .notPermitted)
            var detail = try await act(site, .skip, "a", branch: "c", note: "đã làm qua điện thoại", by: administrator)
            #expect(states(detail)["a"] == .skipped)
            #expect(detail.timeline.contains { $0.note == "đã làm qua điện thoại" })
            detail = try await act(site, .skip, "c", note: "không cần")
            #expect(states(detail)["d"] == .ready)
            #expect(detail.openMandatorySteps.isEmpty)
        }
    }

    @Test func `a changed file does not change a running playbook`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(1)])
            let before = try await site.service.show(id).runs
            let changed = PlaybookLibrary(
                playbooks: [try IncidentFixture.playbook("thay-doi", triggers: "file.changed", version: 2)], overrides: [])
            try site.service.definitions.preserve(changed)
            site.policy.replace(ResponsePolicy(configuration: site.policy.value.configuration, playbooks: changed))
            #expect(try await site.service.show(id).runs == before)
            try await site.service.report([try site.files(1, area: "etc", root: "/etc", tag: "e")])
            #expect(try await site.service.show("SC-2026-0002").runs.map(\.version) == ["2"])
            // Attached by hand it takes the place of the older issue.
            let detail = try await site.service.attachPlaybook("thay-doi", to: id, by: responder)
            #expect(detail.runs.map(\.version) == ["1", "2"])
            #expect(detail.runs.map { $0.superseded == nil } == [false, true])
        }
    }

    @Test func `a running playbook survives a restart without its file`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(1)])
            let batches = BatchStore(directory: site.directory / "batches")
            let policy = ResponsePolicy(
                configuration: site.policy.value.configuration, playbooks: PlaybookLibrary(playbooks: [], overrides: []))
            let restarted = IncidentService(
                ledger: site.ledger, definitions: PlaybookDefinitions(batches: batches), batches: batches, policy: { policy },
                now: { site.clock.now })
            let detail = try await restarted.act(.finish, step: "a", of: id, branch: "b", note: nil, by: responder)
            #expect(detail.summary.next?.step == "b")
        }
    }

    @Test func `the steps of a superseded playbook are no longer taken`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(2)])
            _ = try await act(site, .finish, "a", branch: "b")
            try await site.service.report([try site.files(30, tag: "m")])
            let detail = try await site.service.show(id)
            #expect(detail.summary.playbook == "tong-tien")
            #expect(states(detail)["a"] == .ready)
            #expect(detail.runs.first?.steps.first?.state == .done)
            #expect(try await incidentCode { _ = try await act(site, .finish, "b") } == .refused)
        }
    }
}
