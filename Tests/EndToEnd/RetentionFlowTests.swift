import Platform
import TestSupport
import Testing

/// What retention, holds and doubts do to a real repository.
@Suite(.enabled(if: Programs.areBuilt, Programs.howToBuild)) struct RetentionFlowTests {
    private func repository(_ ward: Ward, _ arguments: [String], state: FilePath? = nil) async throws -> ProcessOutput {
        try await Programs.sentinelctl(
            ["repo"] + arguments,
            environment: [
                "RESTIC_REPOSITORY": "\(ward.repository)", "RESTIC_PASSWORD_FILE": "\(ward.state / "keys" / "repo-main")",
                "SENTINEL_STATE": state?.description,
            ])
    }

    private func snapshots(_ ward: Ward) throws -> [String] {
        directoryEntries(ward.repository / "snapshots").map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    /// Runs the job, with something new to store.
    private func backUp(_ daemon: Daemon, _ ward: Ward, _ number: Int) async throws {
        try ward.write("Văn bản/bản \(number).txt", String(repeating: "văn bản số \(number) ", count: 3000))
        try await daemon.ctl(["backup", "run", "hoso"]).expect(0)
    }

    private func settles(_ daemon: Daemon, at count: Int) async throws -> JSON {
        try await daemon.eventually(["backup", "snapshots", "hoso"]) { $0.items.count == count }
    }

    /// The first backup that the schedule starts by itself would count too: wait until it is over.
    private func startQuietly(_ ward: Ward) async throws -> Daemon {
        let daemon = try await Daemon.start(ward)
        try await daemon.eventually(["backup", "snapshots", "hoso"]) { !$0.items.isEmpty }
        return daemon
    }

    @Test func `retention forgets what the policy no longer keeps, and prune frees it`() async throws {
        try await withWard(job: "keep: {last: 2}") { ward in
            let daemon = try await startQuietly(ward)
            for number in 1...3 { try await backUp(daemon, ward, number) }
            let left = try await settles(daemon, at: 2)
            #expect(try snapshots(ward) == left.items.compactMap { $0["snapshot"].text }.sorted())
            try await daemon.ctl(["backup", "run", "hoso", "--prune"]).expect(0)
            try await repository(ward, ["check", "--read-data"]).expect(0)
            let view = try await daemon.ctl(["backup", "repositories", "--json"]).expect(0).json()[0]
            #expect(view["snapshots"].integer == 2)
            #expect(view["pruned"].text != nil)
            #expect(view["freeBytes"].integer != nil)
            try await daemon.ctl(["ledger", "verify"]).expect(0)
            try await daemon.ctl(["ledger", "rebuild"]).expect(0)
            #expect(try await daemon.ctl(["backup", "repositories", "--json"]).expect(0).json()[0]["snapshots"].integer == 2)
            try await daemon.stop()
        }
    }

    @Test func `a hold keeps snapshots from retention, from our own forget, and with the daemon down`() async throws {
        try await withWard(job: "keep: {last: 2}") { ward in
            let daemon = try await startQuietly(ward)
            try await backUp(daemon, ward, 1)
            try await backUp(daemon, ward, 2)
            _ = try await settles(daemon, at: 2)
            let held = try snapshots(ward)
            let incident = try await daemon.ctl(["incident", "open", "Kiểm tra", "--severity", "medium", "--json"]).expect(0).json()
            let id = try #require(incident["summary"]["id"].text)
            try await daemon.ctl(["backup", "hold", id, "--reason", "giữ chứng cứ"]).expect(0)
            for number in 3...5 { try await backUp(daemon, ward, number) }
            _ = try await settles(daemon, at: 4)
            #expect(Set(held).isSubset(of: try snapshots(ward)))

            // Our own command goes to the daemon, through a link too, and the daemon asks its holds.
            let refused = try await repository(ward, ["forget", held[0], "--lang", "en"], state: ward.state)
            refused.expect(5)
            #expect(refused.errorText.contains("held by hold-0001"), "\(refused)")
            // A snapshot that nobody holds goes.
            let free = try #require(try snapshots(ward).first { !held.contains($0) })
            try await repository(ward, ["forget", free], state: ward.state).expect(0)
            #expect(try snapshots(ward).count == 3)
            try await daemon.stop()

            let down = try await repository(ward, ["forget", held[0], "--lang", "en"], state: ward.state)
            down.expect(5)
            #expect(down.errorText.contains("--break-glass"), "\(down)")
            try await repository(ward, ["prune"], state: ward.state).expect(5)
            #expect(try snapshots(ward).count == 3)
            try await repository(ward, ["forget", held[0], "--break-glass"], state: ward.state).expect(64)
            try await repository(ward, ["forget", held[0], "--break-glass", "--reason", "đĩa hỏng"], state: ward.state).expect(0)
            #expect(try snapshots(ward).count == 2)

            // The daemon takes up the note, and notices the loss at its next look.
            let again = try await Daemon.start(ward)
            try await again.eventually(["incident", "list"]) { $0.incidents.contains { $0["rule"].text == "repository-attacked" } }
            #expect(directoryEntries(ward.state / "broken-glass").isEmpty)
            try await backUp(again, ward, 6)
            try await again.eventually(["incident", "list"]) { $0.incidents.count { $0["rule"].text == "repository-attacked" } == 2 }
            try await again.ctl(["ledger", "verify"]).expect(0)
            try await again.stop()
        }
    }

    @Test func `while an alarm is open snapshots are suspect and displace nothing until a person has spoken`() async throws {
        try await withWard(job: "keep: {last: 1}") { ward in
            let daemon = try await startQuietly(ward)
            try await daemon.ctl(["integrity", "baseline", "--note", "bàn giao"]).expect(0)
            try await backUp(daemon, ward, 1)
            _ = try await settles(daemon, at: 1)
            let good = try snapshots(ward)
            for number in 1...20 { try ward.write("Hồ sơ một cửa/Giấy khai sinh \(number).txt", "mã hóa \(number)") }
            for number in 21...30 { try ward.write("Hồ sơ một cửa/Giấy khai sinh \(number).txt", "x") }
            for number in 1...20 { try ward.write("Hồ sơ một cửa/Giấy khai sinh \(number).txt", "mã hóa lần hai \(number)") }
            let status = try await daemon.eventually(["status"]) { $0["alarm"].text != nil }
            let alarm = try #require(status["alarm"].text)
            try await backUp(daemon, ward, 2)
            let views = try await settles(daemon, at: 2)
            #expect(views.items.contains { $0["standing"].text == "suspect" })
            #expect(Set(good).isSubset(of: try snapshots(ward)))
            let tagged = try await repository(ward, ["snapshots", "--json"]).expect(0).json()
            #expect(tagged.items.contains { $0["tags"].items.contains(.string("suspect")) })

            try await daemon.ctl(["incident", "close", alarm, "--note", "diễn tập"]).expect(0)
            for hold in try await daemon.ctl(["backup", "holds", "--json"]).expect(0).json().items {
                try await daemon.ctl(["backup", "release", hold["id"].text ?? "", "--reason", "diễn tập"]).expect(0)
            }
            #expect(try await daemon.ctl(["status", "--json"]).expect(0).json()["jobs"][0]["waitingSnapshots"].integer == 1)
            try await daemon.ctl(["backup", "approve", "hoso"]).expect(64)
            try await daemon.ctl(["backup", "approve", "hoso", "--all", "--note", "diễn tập"]).expect(0)
            try await backUp(daemon, ward, 3)
            _ = try await settles(daemon, at: 1)
            try await daemon.stop()
        }
    }

    @Test func `an append-only repository is neither forgotten nor pruned from here`() async throws {
        try await withWard(job: "keep: {last: 1}", repository: ", appendOnly: true") { ward in
            let daemon = try await startQuietly(ward)
            try await backUp(daemon, ward, 1)
            try await backUp(daemon, ward, 2)
            let before = try snapshots(ward)
            #expect(before.count == 3)
            let forget = try await repository(ward, ["forget", before[0], "--lang", "en"], state: ward.state)
            forget.expect(5)
            #expect(forget.errorText.contains("docs/append-only.md"), "\(forget)")
            try await repository(ward, ["prune", "--break-glass", "--reason", "x"], state: ward.state).expect(5)

            let list = ward.root / "holds.txt"
            let incident = try await daemon.ctl(["incident", "open", "Kiểm tra", "--severity", "low", "--json"]).expect(0).json()
            try await daemon.ctl(["backup", "hold", incident["summary"]["id"].text ?? ""]).expect(0)
            try await daemon.ctl(["backup", "export-holds", "-o", "\(list)"]).expect(0)
            let key = try await daemon.ctl(["ledger", "checkpoint", "--json"]).expect(0).json()["verificationKey"].text ?? ""
            try await daemon.stop()
            #expect(try snapshots(ward) == before)
            let shown = try await Programs.sentinelctl(["backup", "verify-holds", "\(list)", "--key", key])
            shown.expect(0)
            #expect(before.allSatisfy { shown.text.contains("held \($0) ") }, "\(shown)")
            let forged = String(decoding: try DurableFiles.read(list, limit: 1 << 20), as: UTF8.self).replacing("end 3", with: "end 2")
            try DurableFiles.replace(list, Array(forged.utf8))
            try await Programs.sentinelctl(["backup", "verify-holds", "\(list)", "--key", key]).expect(4)
        }
    }

    @Test func `a new key file is an incident`() async throws {
        try await withWard { ward in
            let daemon = try await startQuietly(ward)
            let keys = ward.repository / "keys"
            let own = try #require(directoryEntries(keys).first)
            let bytes = try DurableFiles.read(keys.appending(own), limit: 1 << 16)
            try DurableFiles.create(keys / String(repeating: "ab", count: 32), bytes)
            try await daemon.ctl(["backup", "run", "hoso"]).expect(0)
            let list = try await daemon.ctl(["incident", "list", "--json"]).expect(0).json()
            #expect(list.incidents.contains { $0["rule"].text == "repository-attacked" && $0["severity"].text == "high" })
            try await daemon.stop()
        }
    }

    @Test func `a backup stops at the free-space floor and says so`() async throws {
        try await withWard(repository: ", freeSpaceFloor: 99%") { ward in
            let daemon = try await Daemon.start(ward)
            let output = try await daemon.ctl(["backup", "run", "hoso", "--lang", "en"])
            #expect(output.status != 0)
            #expect(output.errorText.contains("free-space floor"), "\(output)")
            #expect(try snapshots(ward).isEmpty)
            try await daemon.eventually(["incident", "list"]) { $0.incidents.contains { $0["rule"].text == "backup-failed" } }
            try await daemon.stop()
        }
    }

    @Test func `two upkeeps, a backup and a drill at once do not stand in each other's way`() async throws {
        try await withWard(job: "keep: {last: 1}") { ward in
            let daemon = try await startQuietly(ward)
            try await backUp(daemon, ward, 1)
            async let pruned = daemon.ctl(["backup", "run", "hoso", "--prune"])
            async let drilled = daemon.ctl(["drill", "run", "hoso-hang-quy"])
            async let forgotten = repository(ward, ["forget"], state: ward.state)
            try await pruned.expect(0)
            try await drilled.expect(0)
            try await forgotten.expect(0)
            try await repository(ward, ["check", "--read-data"]).expect(0)
            try await daemon.stop()
        }
    }
}
