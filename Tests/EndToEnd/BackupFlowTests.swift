import Platform
import TestSupport
import Testing

@Suite(.enabled(if: Programs.areBuilt, Programs.howToBuild)) struct BackupFlowTests {
    private func repository(_ ward: Ward, _ arguments: [String]) async throws -> ProcessOutput {
        try await Programs.sentinelctl(
            ["repo"] + arguments,
            environment: ["RESTIC_REPOSITORY": "\(ward.repository)", "RESTIC_PASSWORD_FILE": "\(ward.state / "keys" / "repo-main")"])
    }

    @Test(arguments: Programs.zones)
    func `a job makes snapshots that restore, and a drill proves it`(zone: String) async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward, zone: zone)
            try await daemon.ctl(["backup", "run", "hoso"]).expect(0)
            try await daemon.ctl(["backup", "run", "hoso"]).expect(0)
            try await daemon.ctl(["backup", "list"]).expect(0)
            #expect(try await repository(ward, ["snapshots", "--json"]).expect(0).json().items.count >= 2)
            try await repository(ward, ["check", "--read-data"]).expect(0)
            try await daemon.ctl(["drill", "run", "hoso-hang-quy"]).expect(0)
            try await daemon.ctl(["drill", "list"]).expect(0)
            try await daemon.ctl(["ledger", "verify"]).expect(0)
            try await daemon.stop()
        }
    }

    @Test func `a job that dies costs one job: the daemon lives, the repository is sound, the next job ends well`() async throws {
        try await withWard { ward in
            let broken = try await Daemon.start(ward, faults: "job:pack.published=kill")
            let failed = try await broken.ctl(["backup", "run", "hoso"])
            #expect(failed.status != 0)
            #expect(broken.process.poll() == nil)
            try await broken.ctl(["ledger", "verify"]).expect(0)
            try await broken.stop()

            let sound = try await Daemon.start(ward)
            try await sound.ctl(["backup", "run", "hoso"]).expect(0)
            try await repository(ward, ["check", "--read-data"]).expect(0)
            try await sound.stop()
        }
    }

    @Test func `a full disk during a backup is reported and leaves the repository sound`() async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            try await daemon.ctl(["backup", "run", "hoso"]).expect(0)
            try await daemon.stop()
            try ward.write("Văn bản/mới.txt", String(repeating: "dữ liệu mới ", count: 10_000))
            let full = try await Daemon.start(ward, faults: "job:file.written=nospace")
            let failed = try await full.ctl(["backup", "run", "hoso", "--lang", "en"])
            #expect(failed.status != 0)
            #expect(failed.errorText.contains("no space left"), "\(failed)")
            try await full.stop()
            try await repository(ward, ["check", "--read-data"]).expect(0)
        }
    }

    @Test func `a drill notices that the newest snapshot cannot be read`() async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            try await daemon.ctl(["backup", "run", "hoso"]).expect(0)
            for folder in directoryEntries(ward.repository / "data") {
                for name in directoryEntries((ward.repository / "data").appending(folder)) {
                    let pack = (ward.repository / "data").appending(folder).appending(name)
                    var bytes = try DurableFiles.read(pack, limit: 64 << 20)
                    bytes[10] ^= 0x40
                    try DurableFiles.replace(pack, bytes)
                }
            }
            let failed = try await daemon.ctl(["drill", "run", "hoso-hang-quy"])
            #expect(failed.status != 0)
            try await daemon.eventually(["incident", "list"]) { !$0.incidents.isEmpty }
            try await daemon.stop()
        }
    }
}
