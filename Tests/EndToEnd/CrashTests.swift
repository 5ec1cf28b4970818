import Platform
import TestSupport
import Testing

/// A process of the daemon dies at a named moment of an accept or a playbook step. Whatever was answered with success is kept,
/// nothing looks like tampering, and the daemon goes on by itself. Deaths at the ledger's own points are in LedgerFlowTests.
@Suite(.enabled(if: Programs.areBuilt, Programs.howToBuild)) struct CrashTests {
    static let acceptPoints = [
        "watch:accept.batch-written", "core:accept.batch-written", "core:accept.committed", "watch:baseline.before-commit",
        "watch:baseline.applied",
    ]
    static let stepPoints = ["core:step.before-commit", "core:step.committed"]

    @Test(arguments: acceptPoints)
    func `an accept that is cut off is there in full or not at all, and is no tampering`(point: String) async throws {
        try await withWard { ward in
            let first = try await Daemon.start(ward)
            try await first.ctl(["integrity", "baseline", "--note", "bàn giao"]).expect(0)
            try ward.write("Văn bản/mới.txt", "nội dung mới")
            try await first.eventually(["integrity", "changes"]) { $0["added"].integer == 1 }
            try await first.stop()

            let broken = try await Daemon.start(ward, faults: "\(point)=kill")
            let accepted = try await broken.ctl(["integrity", "accept", "--all", "--note", "đã kiểm tra"])
            try await broken.stopHard()

            let sound = try await Daemon.start(ward)
            try await sound.ctl(["ledger", "verify"]).expect(0)
            let events = try await sound.ctl(["ledger", "events", "--limit", "1000", "--json"]).expect(0).json()
            let kinds = events.items.compactMap { $0["kind"].text }
            let accepts = kinds.count { $0 == "baseline.accepted" }
            if accepted.status == 0 { #expect(accepts == 2) }
            #expect([1, 2].contains(accepts))
            let changes = try await sound.ctl(["integrity", "changes", "--json"]).expect(0).json()
            #expect(changes["added"].integer == (accepts == 2 ? 0 : 1), "\(point): \(accepted)")
            let incidents = try await sound.ctl(["incident", "list", "--all", "--json"]).expect(0).json()
            #expect(!incidents.items.contains { $0["rule"].text == "tampering" }, "\(point)")
            try await sound.stop()
        }
    }

    @Test(arguments: stepPoints)
    func `a step that was answered with success stays done`(point: String) async throws {
        try await withWard { ward in
            let first = try await Daemon.start(ward)
            let opened = try await first.ctl(["incident", "open", "Thử", "--json"]).expect(0).json()
            let id = try #require(opened["summary"]["id"].text)
            let step = try #require(opened.nextStep)
            try await first.stop()

            let broken = try await Daemon.start(ward, faults: "\(point)=kill")
            let started = try await broken.ctl(["playbook", "start", id, step, "--note", "bắt đầu"])
            try await broken.stopHard()

            let sound = try await Daemon.start(ward)
            try await sound.ctl(["ledger", "verify"]).expect(0)
            let shown = try await sound.ctl(["incident", "show", id, "--json"]).expect(0).json()
            let state = shown["runs"].items.first?["steps"].items.first { $0["id"].text == step }?["state"].text
            if started.status == 0 { #expect(state == "started", "\(point)") }
            #expect(["ready", "started"].contains(state), "\(point)")
            try await sound.stop()
        }
    }

    @Test func `killing the parent leaves no process behind, and the next start finds everything`() async throws {
        try await withWard { ward in
            let first = try await Daemon.start(ward)
            let opened = try await first.ctl(["incident", "open", "Thử", "--json"]).expect(0).json()
            let id = try #require(opened["summary"]["id"].text)
            try await first.kill()
            try await first.expectNoProcesses()

            let second = try await Daemon.start(ward)
            try await second.ctl(["ledger", "verify"]).expect(0)
            try await second.ctl(["incident", "show", id]).expect(0)
            try await second.stop()
        }
    }
}

extension Daemon {
    /// Ends a daemon whose processes may be dying: no expectation about how.
    func stopHard() async throws {
        try await kill()
        try await expectNoProcesses()
    }
}
