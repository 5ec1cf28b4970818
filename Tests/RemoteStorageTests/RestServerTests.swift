import BackupEngine
import Glibc
import Platform
import RemoteStorage
import TestSupport
import Testing

/// Against the real rest-server, with stock restic as judge.
@Suite struct `REST server` {
    @Test func `what ours writes stock restic checks and restores, and the other way round`() async throws {
        try await withTemporaryDirectory("rest") { root in
            let server = try await RestServer(root / "srv")
            let source = root / "nguồn"
            try makeSource(source)
            let ours = try makeRepository(try openStorage(server.address()))
            let snapshot = try backUp(source, into: ours)
            let check = try await restic(server.address(), ["check", "--read-data"])
            #expect(check.status == 0, "\(check)")
            let target = root / "trả"
            let restored = try await restic(server.address(), ["restore", snapshot.hex, "--verify", "--target", try #require(target.utf8)])
            #expect(restored.status == 0, "\(restored)")

            let theirs = try await restic(server.address(), ["backup", "--host", "khác", try #require(source.utf8)])
            #expect(theirs.status == 0, "\(theirs)")
            let again = try Repository.open(in: try openStorage(server.address()), password: remotePassword)
            #expect(try again.listSnapshots().count == 2)
            try again.loadIndex()
            let newest = try #require(try again.listSnapshots().first { $0.hostname == "khác" })
            let report = try Restorer(repository: again).restore(
                newest, into: root / "lại", options: RestoreOptions(verifies: true), cancellation: CancellationFlag()
            ) { _ in }
            #expect(report.failures.isEmpty)
            let file = "lớn.bin"
            let deep = (root / "lại").appending(Array(source.bytes.dropFirst())) / file
            #expect(try DurableFiles.read(deep, limit: 8 << 20) == DurableFiles.read(source / file, limit: 8 << 20))
            #expect(directoryEntries(server.data / "kho" / "locks").isEmpty)
            await server.stop()
        }
    }

    @Test func `files come back whole and in parts, lists tell sizes, nothing is removed twice`() async throws {
        try await withTemporaryDirectory("rest-parts") { root in
            let server = try await RestServer(root / "srv")
            let backend = try openStorage(server.address())
            #expect(backend.connections == 5)
            try backend.create()
            let (id, bytes) = try object(700_000)
            try backend.save(.pack, id, bytes)
            #expect(try backend.list(.pack) == [StoredFile(id: id, sizeBytes: 700_000)])
            #expect(try backend.list(.snapshot).isEmpty)
            #expect(try backend.load(.pack, id, limit: 1 << 20) == bytes)
            #expect(try read(backend, .pack, id, offset: 0, count: 10) == Array(bytes[..<10]))
            #expect(try read(backend, .pack, id, offset: 123_456, count: 400_000) == Array(bytes[123_456..<523_456]))
            #expect(failure { _ = try read(backend, .pack, id, offset: 699_990, count: 20) }?.code == .corrupt)
            #expect(failure { _ = try read(backend, .pack, id, offset: 700_000, count: 1) }?.code == .corrupt)
            #expect(failure { _ = try backend.load(.pack, id, limit: 1000) }?.code == .storage)
            // rest-server tells no times; where one does, it is its own.
            if let age = try backend.age(of: .pack, id) { #expect(age >= 0 && age < 60) }
            // The same file once more is no error: it is there.
            try backend.save(.pack, id, bytes)
            try backend.remove(.pack, id)
            try backend.remove(.pack, id)
            #expect(failure { _ = try backend.load(.pack, id, limit: 1 << 20) }?.code == .missing)
            await server.stop()
        }
    }

    @Test func `a repository over a unix socket`() async throws {
        try await withTemporaryDirectory("rest-unix") { root in
            let socket = root / "s.sock"
            try DurableFiles.makeDirectories(root / "srv")
            try await withSocketServer(root / "srv", socket) {
                let backend = try openStorage("rest:http+unix://\(socket):/kho/")
                _ = try makeRepository(backend)
                #expect(try Repository.open(in: backend, password: remotePassword).listSnapshots().isEmpty)
            }
        }
    }

    @Test func `an own authority is trusted when it is named, and nothing else is`() async throws {
        try await withTemporaryDirectory("rest-tls") { root in
            let path = try #require(root.utf8)
            let made = try await runProcess([
                "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=kho", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path + "/key.pem", "-out", path + "/cert.pem",
            ])
            #expect(made.status == 0, "\(made)")
            let server = try await RestServer(
                root / "srv", ["--no-auth", "--tls", "--tls-cert", path + "/cert.pem", "--tls-key", path + "/key.pem"])
            let address = server.address(scheme: "https")
            let began = Monotonic.nanoseconds()
            let refused = failure { try openStorage(address, quickAccess { $0.retry.firstContactSeconds = 60 }).create() }
            #expect(refused?.hint?.en.contains("--cacert") == true, "\(String(describing: refused))")
            #expect(Double(Monotonic.nanoseconds() - began) / 1e9 < 30, "a certificate does not become valid by waiting")
            _ = try makeRepository(try openStorage(address, quickAccess { $0.authorities = root / "cert.pem" }))
            _ = try openStorage(address, quickAccess { $0.acceptsAnyCertificate = true }).loadConfiguration(limit: 4096)
            let check = try await restic(address, ["check"], environment: ["RESTIC_CACERT": path + "/cert.pem"])
            #expect(check.status == 0, "\(check)")
            #expect(failure { _ = try openStorage(address, quickAccess { $0.authorities = root / "key.pem" }) }?.code == .invalidArgument)
            #expect(failure { _ = try openStorage(address, quickAccess { $0.authorities = root / "none" }) }?.code == .storage)
            await server.stop()
        }
    }

    @Test func `the right password opens, a wrong one is refused at once, and no message holds it`() async throws {
        try await withTemporaryDirectory("rest-auth") { root in
            // SHA-1 of "bi-mat", the form that needs no program to make.
            try DurableFiles.replace(root / "htpasswd", Array("may:{SHA}\(shaOfSecret)\n".utf8))
            let server = try await RestServer(root / "srv", ["--htpasswd-file", try #require((root / "htpasswd").utf8), "--private-repos"])
            let named = try openStorage(server.address("may", user: "may:bi-mat@"))
            #expect(!named.description.contains("bi-mat"))
            _ = try makeRepository(named)
            _ = try openStorage(
                server.address("may"),
                quickAccess {
                    $0.user = "may"
                    $0.password = "bi-mat"
                }
            ).loadConfiguration(limit: 4096)
            for (path, user) in [("may", "may:bi-mat-sai@"), ("may", ""), ("khac", "may:bi-mat@")] {
                let began = Monotonic.nanoseconds()
                let error = failure {
                    _ = try openStorage(server.address(path, user: user), quickAccess { $0.retry.totalSeconds = 60 }).loadConfiguration(limit: 4096)
                }
                let text = "\(String(describing: error?.message)) \(String(describing: error))"
                #expect(error?.code == .storage && text.contains("401"))
                #expect(!text.contains("bi-mat"))
                #expect(Double(Monotonic.nanoseconds() - began) / 1e9 < 10)
            }
            await server.stop()
        }
    }

    @Test func `an append-only server takes backups and locks, and lets nothing else go`() async throws {
        try await withTemporaryDirectory("rest-append") { root in
            let server = try await RestServer(root / "srv", ["--no-auth", "--append-only"])
            let backend = try openStorage(server.address())
            let repository = try makeRepository(backend)
            try makeSource(root / "src")
            let snapshot = try backUp(root / "src", into: repository)
            #expect(try backend.list(.lock).isEmpty)
            let error = failure { try backend.remove(.snapshot, snapshot) }
            #expect(error?.code == .storage && error?.hint?.en.contains("append-only") == true)
            #expect(try backend.list(.snapshot).count == 1)
            #expect(failure { _ = try makeRepository(backend) }?.code == .exists)
            await server.stop()
        }
    }

    @Test func `a full server is told as such, and what was stored before is intact`() async throws {
        try await withTemporaryDirectory("rest-full") { root in
            let server = try await RestServer(root / "srv", ["--no-auth", "--max-size", "5000000"])
            let repository = try makeRepository(try openStorage(server.address()))
            try makeSource(root / "src", sizeBytes: 1 << 20)
            let first = try backUp(root / "src", into: repository)
            try makeSource(root / "src", seed: 8, sizeBytes: 12 << 20)
            let error = failure { try backUp(root / "src", into: repository) }
            #expect(error?.code == .storage)
            #expect(error?.message.en.contains("no space left") == true, "\(String(describing: error))")
            await server.stop()
            let larger = try await RestServer(root / "srv")
            let again = try Repository.open(in: try openStorage(larger.address()), password: remotePassword)
            try backUp(root / "src", into: again)
            let check = try await restic(larger.address(), ["check", "--read-data"])
            #expect(check.status == 0, "\(check)")
            #expect(try again.loadSnapshot(first).id == first)
            await larger.stop()
        }
    }

    @Test func `a server that goes away and comes back costs a pause`() async throws {
        try await withTemporaryDirectory("rest-away") { root in
            let first = try await RestServer(root / "srv")
            let backend = try openStorage(first.address(), quickAccess { $0.retry.totalSeconds = 30 })
            try backend.create()
            let (id, bytes) = try object(100_000)
            try backend.save(.pack, id, bytes)
            await first.stop()
            async let later = {
                try await Task.sleep(for: .milliseconds(300))
                return try await RestServer(root / "srv", port: first.port)
            }()
            let other = try object(100_000, seed: 2)
            let saved = try await OwnThread.run(name: "saver") { () -> Int in
                try backend.save(.pack, other.id, other.bytes)
                return try backend.list(.pack).count
            }
            #expect(saved == 2)
            await (try later).stop()
        }
    }

    @Test func `nothing there, nobody there and an unknown host are different things, told soon`() async throws {
        try await withTemporaryDirectory("rest-none") { root in
            let server = try await RestServer(root / "srv")
            let missing = failure { _ = try Repository.open(in: try openStorage(server.address()), password: remotePassword) }
            #expect(missing?.code == .noRepository)
            await server.stop()
            let gone = failure { _ = try openStorage(server.address()).loadConfiguration(limit: 4096) }
            #expect(gone?.code == .storage && gone?.message.en.contains("ECONNREFUSED") == true, "\(String(describing: gone))")
            let unknown = failure { _ = try openStorage("rest:http://no-such-host.invalid/").loadConfiguration(limit: 4096) }
            #expect(unknown?.code == .storage, "\(String(describing: unknown))")
        }
    }

    @Test func `several uploads at once, and a limit that holds for all of them together`() async throws {
        try await withTemporaryDirectory("rest-limit") { root in
            let server = try await RestServer(root / "srv")
            let backend = try openStorage(
                server.address(),
                quickAccess {
                    $0.uploadLimit = 2 << 20
                    $0.downloadLimit = 4 << 20
                })
            try backend.create()
            let objects = try (1...4).map { try object(400_000, seed: UInt64($0)) }
            var began = Monotonic.nanoseconds()
            let failures = Monitor(0)
            let threads = try objects.map { object in
                try WorkerThread(name: "upload") {
                    if (try? backend.save(.pack, object.id, object.bytes)) == nil { failures.change { $0 += 1 } }
                }
            }
            for thread in threads { thread.join() }
            let up = Double(Monotonic.nanoseconds() - began) / 1e9
            #expect(failures.read { $0 } == 0)
            #expect(up > 0.5, "1.6 MB at 2 MiB/s took \(up) s")
            began = Monotonic.nanoseconds()
            #expect(try backend.load(.pack, objects[0].id, limit: 1 << 20) == objects[0].bytes)
            #expect(Double(Monotonic.nanoseconds() - began) / 1e9 > 0.05)
            await server.stop()
        }
    }
}

/// Base64 of SHA-1 of "bi-mat".
private let shaOfSecret = "fOsjWxYOnx3VxQ/F89gyne/O8W8="
