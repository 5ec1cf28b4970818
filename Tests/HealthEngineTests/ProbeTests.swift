@testable internal import HealthEngine
internal import Platform
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(3))) struct ProbeTests {
    /// Probes once with a prober of its own.
    private func probe(
        _ probe: Probe, timeoutSeconds: Double = 10,
        command: @escaping SystemProber.Command = { try await CommandRunner().run($0) }
    ) async -> ProbeResult {
        let prober = SystemProber(command: command)
        let result = await prober.probe(HealthCheck(name: "x", probe: probe, timeoutSeconds: timeoutSeconds))
        await prober.shutDown()
        return result
    }

    // MARK: HTTP

    @Test func `status, body and redirects of a real server decide`() async throws {
        let server = try await LocalServer.plain()
        let base = "http://127.0.0.1:\(server.port)"
        let cases: [(Probe, Bool, String)] = [
            (.http(url: base + "/ok"), true, "200"),
            (.http(url: base + "/ok", bodyContains: "sẵn sàng"), true, "200"),
            (.http(url: base + "/ok", bodyContains: "không có"), false, "không có"),
            (.http(url: base + "/split", bodyContains: "needle"), true, "200"),
            (.http(url: base + "/large", bodyContains: "needle"), false, "needle"),
            (.http(url: base + "/large"), true, "200"),
            (.http(url: base + "/error"), false, "500"),
            (.http(url: base + "/error", status: HTTPStatusRange(500...500)), true, "500"),
            (.http(url: base + "/missing"), false, "404"),
            (.http(url: base + "/hop/5"), true, "200"),
            (.http(url: base + "/hop/6"), false, "redirect"),
            (.http(url: base + "/loop"), false, "redirect"),
            (.http(url: "ftp://127.0.0.1/"), false, "http"),
            (.http(url: "http://"), false, ""),
            (.http(url: "http://[::1"), false, ""),
        ]
        for (probe, isUp, text) in cases {
            let result = await self.probe(probe)
            #expect(result.isUp == isUp, "\(probe): \(result.detail.en)")
            #expect(result.detail.en.lowercased().contains(text), "\(probe): \(result.detail.en)")
        }
        await server.stop()
    }

    @Test func `a refused connection and an unknown host are down, with the reason`() async throws {
        let silent = try await LocalServer.silentPort()
        var result = await probe(.http(url: "http://127.0.0.1:\(silent.port)/"))
        #expect(!result.isUp && result.detail.en.contains("refused"), "\(result.detail.en)")
        result = await probe(.tcp(host: "127.0.0.1", port: silent.port))
        #expect(!result.isUp && result.detail.en.contains("refused"), "\(result.detail.en)")
        result = await probe(.tcp(host: "no-such-host.invalid", port: 80), timeoutSeconds: 5)
        #expect(!result.isUp)
        await silent.stop()
    }

    @Test func `a server that accepts and stays silent is cut at the time limit`() async throws {
        let mute = try await LocalServer.mute()
        let before = Monotonic.nanoseconds()
        let result = await probe(.http(url: "http://127.0.0.1:\(mute.port)/"), timeoutSeconds: 0.5)
        #expect(!result.isUp)
        #expect(Monotonic.nanoseconds() - before < 30_000_000_000)
        let accepted = await probe(.tcp(host: "127.0.0.1", port: mute.port), timeoutSeconds: 5)
        #expect(accepted.isUp)
        await mute.stop()
    }

    @Test func `certificates are verified, against an authority of one's own when it is given`() async throws {
        let directory = try TemporaryDirectory("tls")
        let path = directory.path
        try await makeCertificates(in: path)
        let server = try await LocalServer.secure(in: path)
        let named = "https://localhost:\(server.port)/ok"
        let ca = path / "ca.pem"
        var result = await probe(.http(url: named, bodyContains: "sẵn sàng", certificateAuthority: ca))
        #expect(result.isUp, "\(result.detail.en)")
        // Not signed by anyone the system trusts.
        result = await probe(.http(url: named))
        #expect(!result.isUp && result.detail.en.lowercased().contains("certificate"), "\(result.detail.en)")
        // Signed, but for another name.
        result = await probe(.http(url: "https://127.0.0.1:\(server.port)/ok", certificateAuthority: ca))
        #expect(!result.isUp, "\(result.detail.en)")
        // An authority that signed something else, one that is no certificate, one that is not there.
        result = await probe(.http(url: named, certificateAuthority: path / "other-ca.pem"))
        #expect(!result.isUp, "\(result.detail.en)")
        result = await probe(.http(url: named, certificateAuthority: "/etc/hostname"))
        #expect(!result.isUp, "\(result.detail.en)")
        result = await probe(.http(url: named, certificateAuthority: path / "missing.pem"))
        #expect(!result.isUp && result.detail.vi.contains("missing.pem"), "\(result.detail.vi)")
        await server.stop()
    }

    @Test func `a changed authority file is read again`() async throws {
        let directory = try TemporaryDirectory("tls-change")
        let path = directory.path
        try await makeCertificates(in: path)
        let server = try await LocalServer.secure(in: path)
        let ca = path / "current-ca.pem"
        let prober = SystemProber()
        let check = HealthCheck(
            name: "x", probe: .http(url: "https://localhost:\(server.port)/ok", certificateAuthority: ca))
        for (file, isUp) in [("other-ca.pem", false), ("ca.pem", true), ("other-ca.pem", false), ("ca.pem", true)] {
            try DurableFiles.replace(ca, try DurableFiles.read(path / file, limit: 1 << 20))
            let result = await prober.probe(check)
            #expect(result.isUp == isUp, "\(file): \(result.detail.en)")
        }
        await prober.shutDown()
        let late = await prober.probe(check)
        #expect(!late.isUp)
        await server.stop()
    }

    private func makeCertificates(in directory: FilePath) async throws {
        let script = """
            set -e
            for n in ca other-ca; do
              openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout $n.key -out $n.pem -subj /CN=$n
            done
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=localhost
            printf 'subjectAltName=DNS:localhost\\n' > names
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem
            """
        let result = try await runProcess(["/bin/sh", "-c", script], directory: directory)
        #expect(result.status == 0, "\(result)")
    }

    // MARK: Commands

    @Test func `the state of a unit is read from systemctl show`() async {
        func unit(_ stdout: String, status: Int32 = 0, stderr: String = "") async -> ProbeResult {
            await probe(.systemdUnit(name: "postgresql.service")) { request in
                #expect(
                    request.argv.map { String(decoding: $0, as: UTF8.self) } == [
                        "/usr/bin/systemctl", "show", "--property=LoadState,ActiveState,SubState,Result", "--", "postgresql.service",
                    ])
                return CommandResult(status: .exited(status), stdout: Array(stdout.utf8), stderr: Array(stderr.utf8))
            }
        }
        var result = await unit("Result=success\nLoadState=loaded\nActiveState=active\nSubState=running\n")
        #expect(result.isUp && result.detail.en == "postgresql.service: active (running)")
        result = await unit("Result=exit-code\nLoadState=loaded\nActiveState=failed\nSubState=failed\n")
        #expect(!result.isUp && result.detail.en.contains("exit-code"))
        result = await unit("Result=success\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\n")
        #expect(!result.isUp)
        result = await unit("Result=success\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n")
        #expect(!result.isUp && result.detail.en.contains("no unit"))
        result = await unit("", status: 1, stderr: "System has not been booted with systemd\u{1B}[31m\n")
        #expect(!result.isUp && result.detail.en.contains("booted") && !result.detail.en.contains("\u{1B}"))
        result = await unit("nonsense")
        #expect(!result.isUp)
        result = await probe(.systemdUnit(name: "--version"))
        #expect(!result.isUp && result.detail.en.contains("not a unit name"))
    }

    @Test func `a unit that cannot be asked about is down`() async {
        let result = await probe(.systemdUnit(name: "x.service")) { _ in
            throw CommandError(.notFound, program: "/usr/bin/systemctl")
        }
        #expect(!result.isUp && result.detail.vi.contains("systemctl"))
    }

    @Test func `a plugin's status is the verdict, its first line without performance data the message`() async {
        func plugin(_ script: String, timeoutSeconds: Double = 10) async -> ProbeResult {
            await probe(.plugin(argv: ["/bin/sh", "-c", script]), timeoutSeconds: timeoutSeconds)
        }
        var result = await plugin("echo 'DISK OK - free | /=2MB'; echo more")
        #expect(result.isUp && result.detail.en == "DISK OK - free")
        result = await plugin("echo WARNING; exit 1")
        #expect(result.isUp)
        for status in [2, 3, 127] {
            result = await plugin("echo bad; exit \(status)")
            #expect(!result.isUp && result.detail.en.contains("bad"))
        }
        result = await plugin("kill -9 $$")
        #expect(!result.isUp && result.detail.en.contains("signal 9"))
        result = await plugin("sleep 300", timeoutSeconds: 0.3)
        #expect(!result.isUp && result.detail.en.contains("too long"))
        result = await probe(.plugin(argv: ["check_disk"]))
        #expect(!result.isUp)
    }

    // MARK: Disk

    @Test func `free bytes, percent and inodes are judged`() {
        let space = FileSystemSpace(totalBytes: 1000 << 20, freeBytes: 100 << 20, totalInodes: 1000, freeInodes: 50)
        func judge(_ bytes: UInt64?, _ percent: Double?, _ inodes: Double?) -> ProbeResult {
            DiskSpaceProbe(
                path: "/srv", minimumFreeBytes: bytes, minimumFreePercent: percent, minimumFreeInodesPercent: inodes
            ).judge(space)
        }
        #expect(judge(nil, nil, nil).isUp)
        #expect(judge(100 << 20, 10, 5).isUp)
        #expect(judge(100 << 20, nil, nil).detail.en == "/srv: 100 MiB (10 %) free")
        #expect(!judge((100 << 20) + 1, nil, nil).isUp)
        #expect(!judge(nil, 10.1, nil).isUp)
        #expect(judge(nil, nil, 5.1).detail.vi == "/srv: còn 5 % inode, cần 5.1 %")
        let without = FileSystemSpace(totalBytes: 1, freeBytes: 1, totalInodes: 0, freeInodes: 0)
        #expect(without.freeInodesPercent == 100)
    }

    @Test func `a real file system has room, and a missing path is down`() async {
        var result = await probe(.diskSpace(path: "/", minimumFreeBytes: 1))
        #expect(result.isUp, "\(result.detail.en)")
        result = await probe(.diskSpace(path: "/", minimumFreePercent: 100.1))
        #expect(!result.isUp)
        result = await probe(.diskSpace(path: "/nonexistent"))
        #expect(!result.isUp && result.detail.en.contains("ENOENT"))
    }

    @Test func `numbers are shown short`() {
        #expect([0, 1.04, 1.05, 12.96, -2.5].map(shortNumber) == ["0", "1", "1.1", "13", "-2.5"])
        #expect([0, 1023, 1536, 5 << 30].map(shortBytes) == ["0 B", "1023 B", "1.5 KiB", "5 GiB"])
    }
}
