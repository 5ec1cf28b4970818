import Glibc
import Platform
import TestSupport
import Testing

@Suite(.enabled(if: Programs.areBuilt, Programs.howToBuild)) struct DaemonTests {
    @Test(arguments: Programs.zones)
    func `it starts, answers in both languages, and stops without leaving a process`(zone: String) async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward, zone: zone)
            let vietnamese = try await daemon.ctl(["status", "--lang", "vi"])
            let english = try await daemon.ctl(["status", "--lang", "en"])
            #expect(vietnamese.text != english.text)
            #expect(vietnamese.text.contains("Phường Dương Kinh"))
            // The site's zone counts, whatever zone the caller lives in.
            try await daemon.ctl(["health", "list"]).expect(0)
            // Red is an answer too: no checkpoint has left this host yet.
            let doctor = try await daemon.ctl(["doctor", "--json"])
            #expect(JSON(doctor.standardOutput) != nil, "\(doctor)")
            try await daemon.stop()
        }
    }

    @Test func `a second daemon on the same directory is refused and harms nothing`() async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            let second = try Daemon(ward)
            let end = await second.process.wait(seconds: 15)
            #expect(end != nil && end != .exited(0), "\(second.log)")
            try await daemon.ctl(["ledger", "verify"]).expect(0)
            try await daemon.stop()
        }
    }

    @Test(.enabled(if: getuid() == 0, "only root has rights to give up"))
    func `no thread of a role keeps a right that the role does not need`() async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            for (role, allowed) in [("core", UInt64(0)), ("watch", 1 << 21 | 1 << 2 | 1 << 19)] {
                let process = try #require(daemon.roleProcess(role))
                let threads = directoryEntries(FilePath("/proc/\(process.pid)/task"))
                #expect(threads.count > 1)
                for thread in threads {
                    let status = String(
                        decoding: try DurableFiles.read(FilePath("/proc/\(process.pid)/task").appending(thread) / "status", limit: 1 << 16),
                        as: UTF8.self)
                    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("CapEff:") })
                    let capabilities = try #require(UInt64(line.dropFirst(7).filter { !$0.isWhitespace }, radix: 16))
                    #expect(capabilities & ~allowed == 0, "\(role), thread \(FilePath(bytes: thread)): \(line)")
                }
            }
            try await daemon.stop()
        }
    }

    @Test func `every process is restarted or taken along when one is killed`() async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            try await daemon.kill()
            // Children die with their parent: nobody else would ever stop them.
            try await daemon.expectNoProcesses()
            let next = try await Daemon.start(ward)
            try await next.ctl(["ledger", "verify"]).expect(0)
            for role in ["watch", "core"] where next.roleProcess(role) != nil {
                let old = next.roleProcess(role)?.pid
                try await next.kill(role: role)
                try await next.eventually(["status"]) { _ in next.roleProcess(role).map { $0.pid != old } ?? false }
            }
            try await next.ctl(["ledger", "verify"]).expect(0)
            try await next.stop()
        }
    }

    @Test func `SIGHUP with a broken configuration keeps the daemon running as it was`() async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            let good = try DurableFiles.read(ward.configuration, limit: 1 << 20)
            try DurableFiles.replace(ward.configuration, Array("site: [".utf8), mode: 0o600)
            daemon.process.send(SIGHUP)
            try await Task.sleep(for: .milliseconds(500))
            #expect(daemon.process.poll() == nil)
            #expect(try await daemon.ctl(["status"]).text.contains("Phường Dương Kinh"))
            try DurableFiles.replace(ward.configuration, good, mode: 0o600)
            try await daemon.stop()
        }
    }
}
