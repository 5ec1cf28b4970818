import Platform
import TestSupport
import Testing

@Suite(.enabled(if: Programs.areBuilt, Programs.howToBuild)) struct IncidentFlowTests {
    @Test(arguments: Programs.zones)
    func `a changed file opens an incident that is worked through to its end`(zone: String) async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward, zone: zone)
            try await daemon.ctl(["integrity", "check"]).expect(15)
            try await daemon.ctl(["integrity", "baseline", "--note", "bàn giao"]).expect(0)
            try await daemon.ctl(["integrity", "check"]).expect(0)

            try ward.write("Văn bản/Kế hoạch 68.txt", "nội dung bị sửa")
            let list = try await daemon.eventually(["incident", "list"]) { !$0.incidents.isEmpty }
            let id = try #require(list.incidents.first?["id"].text)
            try await daemon.ctl(["integrity", "check"]).expect(4)
            try ward.write("Văn bản/mới.txt", "thêm")
            try DurableFiles.remove(ward.data / "Hồ sơ một cửa" / "Giấy khai sinh 1.txt")
            try await daemon.ctl(["integrity", "check"]).expect(7)

            var steps = 0
            while steps < 40 {
                let shown = try await daemon.ctl(["incident", "show", id, "--json"]).expect(0).json()
                guard let step = shown.nextStep else { break }
                try await daemon.ctl(["playbook", "start", id, step]).expect(0)
                let done = try await daemon.ctl(["playbook", "done", id, step, "--note", "đã làm bước \(step)"])
                if done.status != 0 {
                    // A step with several successors asks which one was taken.
                    let next = try #require(shown.successors(of: step).first, "\(done)")
                    try await daemon.ctl(["playbook", "done", id, step, "--note", "đã làm", "--next", next]).expect(0)
                }
                steps += 1
            }
            #expect(steps > 0)
            try await daemon.ctl(["incident", "note", id, "đã đối chiếu với bản giấy"]).expect(0)
            try await daemon.ctl(["integrity", "accept", "--all", "--note", "thay đổi đã được phê duyệt"]).expect(0)
            try await daemon.ctl(["integrity", "check"]).expect(0)
            try await daemon.ctl(["incident", "resolve", id, "--note", "đã khôi phục"]).expect(0)
            try await daemon.ctl(["incident", "close", id, "--note", "hồ sơ đầy đủ"]).expect(0)
            try await daemon.ctl(["incident", "reopen", id, "--note", "còn sót một tệp"]).expect(0)
            try await daemon.ctl(["ledger", "verify"]).expect(0)
            try await daemon.stop()

            // Everything is still there after a restart.
            let again = try await Daemon.start(ward, zone: zone)
            #expect(try await again.ctl(["incident", "show", id]).expect(0).text.contains("còn sót một tệp"))
            try await again.ctl(["ledger", "rebuild"]).expect(0)
            #expect(try await again.ctl(["incident", "show", id]).expect(0).text.contains("còn sót một tệp"))
            try await again.stop()
        }
    }

    @Test func `a change made while the daemon was down is found when it starts`() async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            try await daemon.ctl(["integrity", "baseline", "--note", "bàn giao"]).expect(0)
            try await daemon.stop()
            try ward.write("Văn bản/Kế hoạch 68.txt", "sửa trong lúc dừng")
            let again = try await Daemon.start(ward)
            try await again.eventually(["incident", "list"]) { !$0.incidents.isEmpty }
            try await again.ctl(["integrity", "check"]).expect(4)
            try await again.stop()
        }
    }

    @Test func `what does not exist is exit code 7`() async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            try await daemon.ctl(["incident", "show", "SC-2026-9999"]).expect(7)
            try await daemon.ctl(["playbook", "show", "khong-co"]).expect(7)
            try await daemon.ctl(["backup", "run", "khong-co"]).expect(7)
            try await daemon.ctl(["drill", "run", "khong-co"]).expect(7)
            try await daemon.stop()
        }
    }

    @Test func `an incident opened by hand has a playbook and a next step`() async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            let opened = try await daemon.ctl(["incident", "open", "Máy trạm bộ phận một cửa bị khóa", "--severity", "high", "--json"]).expect(0).json()
            let id = try #require(opened["id"].text ?? opened["summary"]["id"].text)
            let shown = try await daemon.ctl(["incident", "show", id, "--json"]).expect(0).json()
            #expect(shown.nextStep != nil)
            try await daemon.stop()
        }
    }
}
