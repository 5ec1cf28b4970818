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

    /// Rights belong to threads: a role that gives them up on one thread while another lives on has given up nothing.
    @Test func `every thread of a role has given up its rights, not only one`() async throws {
        try await withWard { ward in
            let daemon = try await Daemon.start(ward)
            for role in ["core", "watch"] {
                let process = try #require(daemon.roleProcess(role))
                let tasks = FilePath("/proc/\(process.pid)/task")
                let threads = directoryEntries(tasks)
                #expect(threads.count > 1)
                for thread in threads {
                    let bytes = try DurableFiles.read(tasks.appending(thread) / "status", limit: 1 << 16)
                    let status = String(decoding: bytes, as: UTF8.self)
                    #expect(status.contains("NoNewPrivs:\t1\n"), "\(role), thread \(FilePath(bytes: thread))")
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
