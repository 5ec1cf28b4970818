import BackupEngine
import Platform
import RemoteStorage
import TestSupport
import Testing

/// A server that answers short, wrong, late or not at all: what is believed is true, and what fails says so.
@Suite struct `Lying server` {
    /// One fault, how it shows, and whether trying again mends it.
    struct Fault: Sendable, CustomTestStringConvertible {
        let rule: String
        var testDescription: String { rule }
        init(_ rule: String) { self.rule = rule }
    }

    @Test(arguments: [
        Fault("POST data 2 500"), Fault("POST data 1 503"), Fault("POST data 1 400"), Fault("POST data 1 forget"), Fault("POST data 1 halve"),
        Fault("POST data 1 cutearly"), Fault("POST data 1 lost"), Fault("HEAD data 1 smaller"), Fault("HEAD data 1 500"), Fault("HEAD data 1 drop"),
    ])
    func `an upload with a fault on its way is stored in the end, whole`(_ fault: Fault) async throws {
        try await withTemporaryDirectory("lie-up") { root in
            let server = try await LyingServer(root)
            let backend = try openStorage(server.address)
            try backend.create()
            try server.obey(fault.rule)
            let (id, bytes) = try object(1_000_000)
            try backend.save(.pack, id, bytes)
            #expect(server.unused.isEmpty)
            #expect(try backend.load(.pack, id, limit: 1 << 20) == bytes)
            await server.stop()
        }
    }

    @Test(arguments: [
        Fault("GET data 1 cut"), Fault("GET data 3 cut"), Fault("GET data 1 500"), Fault("GET data 1 short"), Fault("GET data 1 long"),
        Fault("GET data 1 drop"),
    ])
    func `a part with a fault on its way is read in the end, right`(_ fault: Fault) async throws {
        try await withTemporaryDirectory("lie-down") { root in
            let server = try await LyingServer(root)
            let backend = try openStorage(server.address)
            try backend.create()
            let (id, bytes) = try object(400_000)
            try backend.save(.pack, id, bytes)
            try server.obey(fault.rule)
            #expect(try read(backend, .pack, id, offset: 1000, count: 300_000) == Array(bytes[1000..<301_000]))
            #expect(server.unused.isEmpty)
            await server.stop()
        }
    }

    @Test(arguments: [
        (Fault("POST data 99 forget"), "did not store"), (Fault("POST data 99 halve"), "did not keep"), (Fault("POST data 99 500"), "HTTP 500"),
        (Fault("POST data 99 cutearly"), "connection"), (Fault("POST data 1 507"), "no space left"), (Fault("POST data 1 401"), "refused"),
        (Fault("POST data 1 413"), "size"), (Fault("POST data 99 403"), "not allow"),
    ])
    func `an upload that the server does not keep is an error that says why`(_ fault: Fault, _ text: String) async throws {
        try await withTemporaryDirectory("lie-lost") { root in
            let server = try await LyingServer(root)
            let backend = try openStorage(server.address, quickAccess { $0.retry.totalSeconds = 0.4 })
            try backend.create()
            try server.obey(fault.rule)
            let (id, bytes) = try object(50_000)
            let error = failure { try backend.save(.pack, id, bytes) }
            #expect(error?.code == .storage)
            #expect(error?.message.en.contains(text) == true, "\(String(describing: error))")
            #expect(error?.message.en.contains("127.0.0.1") == true)
            await server.stop()
        }
    }

    @Test func `a damaged file under the right name gives way to the right one`() async throws {
        try await withTemporaryDirectory("lie-damaged") { root in
            let server = try await LyingServer(root)
            let backend = try openStorage(server.address)
            try backend.create()
            let (id, bytes) = try object(50_000)
            try server.obey("POST data 1 halve", "HEAD data 9 401")
            #expect(failure { try backend.save(.pack, id, bytes) } != nil)
            try server.obey("")
            try backend.save(.pack, id, bytes)
            #expect(try backend.load(.pack, id, limit: 1 << 20) == bytes)
            await server.stop()
        }
    }

    @Test(arguments: ["GET data 99 wrong", "GET data 99 short", "GET data 99 norange", "GET data 99 elsewhere", "GET data 99 416"])
    func `a server that reads badly is never believed`(_ rule: String) async throws {
        try await withTemporaryDirectory("lie-read") { root in
            let server = try await LyingServer(root)
            let backend = try openStorage(server.address, quickAccess { $0.retry.totalSeconds = 0.4 })
            let repository = try makeRepository(backend)
            try makeSource(root / "src", sizeBytes: 200_000)
            let id = try backUp(root / "src", into: repository)
            try server.obey(rule)
            let reader = try Repository.open(in: backend, password: remotePassword)
            let snapshot = try reader.loadSnapshot(id)
            try reader.loadIndex()
            let error = failure { _ = try reader.loadBlob(.tree, snapshot.tree) }
            #expect(error?.code == .corrupt || error?.code == .storage, "\(String(describing: error))")
            await server.stop()
        }
    }

    @Test(arguments: ["GET snapshots 1 wrong", "GET snapshots 1 short", "GET index 1 cut", "GET keys 1 500", "GET snapshots 99 v1", "GET config 1 drop"])
    func `documents that come wrong once are asked for again`(_ rule: String) async throws {
        try await withTemporaryDirectory("lie-doc") { root in
            let server = try await LyingServer(root)
            let backend = try openStorage(server.address)
            try makeSource(root / "src", sizeBytes: 1000)
            try backUp(root / "src", into: try makeRepository(backend))
            // The list of snapshots comes first; the fault is for the file unless it is one of lists.
            try server.obey(rule)
            let reader = try Repository.open(in: backend, password: remotePassword)
            let before = rule.hasSuffix("v1") ? 1 : 0
            if before == 0 { try server.obey(rule) }
            let snapshot = try #require(try backend.list(.snapshot).first)
            _ = try reader.loadSnapshot(snapshot.id)
            try reader.loadIndex()
            #expect(reader.contains(.tree, try reader.loadSnapshot(snapshot.id).tree))
            await server.stop()
        }
    }

    @Test func `a list that is cut short is an error, not a shorter list`() async throws {
        try await withTemporaryDirectory("lie-list") { root in
            let server = try await LyingServer(root)
            let backend = try openStorage(server.address)
            try backend.create()
            let (id, bytes) = try object(100)
            try backend.save(.snapshot, id, bytes)
            try server.obey("GET snapshots 1 garbage")
            #expect(failure { _ = try backend.list(.snapshot) }?.code == .storage)
            #expect(try backend.list(.snapshot).count == 1)
            try server.obey("GET snapshots 1 redirect")
            #expect(failure { _ = try backend.list(.snapshot) }?.message.en.contains("redirects") == true)
            await server.stop()
        }
    }

    @Test func `a silent server and one that drips do not hold us for ever`() async throws {
        try await withTemporaryDirectory("lie-late") { root in
            let server = try await LyingServer(root)
            let access = quickAccess {
                $0.timing.idleSeconds = 0.3
                $0.timing.slowestRate = 1_000_000
                $0.retry.totalSeconds = 0.5
            }
            let backend = try openStorage(server.address, access)
            try backend.create()
            let (id, bytes) = try object(20_000)
            try backend.save(.pack, id, bytes)
            for rule in ["GET data 99 mute", "GET data 99 drip"] {
                try server.obey(rule)
                let began = Monotonic.nanoseconds()
                let error = failure { _ = try read(backend, .pack, id, offset: 0, count: 10_000) }
                #expect(error?.message.en.contains("in time") == true, "\(rule): \(String(describing: error))")
                #expect(Double(Monotonic.nanoseconds() - began) / 1e9 < 8)
            }
            await server.stop()
        }
    }

    @Test func `a backup that failed half-way goes on next time, and earlier snapshots are intact`() async throws {
        try await withTemporaryDirectory("lie-resume") { root in
            let server = try await LyingServer(root)
            let access = quickAccess { $0.retry.totalSeconds = 0.3 }
            try makeSource(root / "src", sizeBytes: 1 << 20)
            let first = try backUp(root / "src", into: try makeRepository(try openStorage(server.address, access)))
            try makeSource(root / "src", seed: 99, sizeBytes: 2 << 20)
            for rule in ["POST data 99 507", "POST index 99 forget", "POST snapshots 99 500", "POST locks 99 403"] {
                try server.obey(rule)
                let repository = try Repository.open(in: try openStorage(server.address, access), password: remotePassword)
                #expect(failure { try backUp(root / "src", into: repository) } != nil, "\(rule)")
                try server.obey("")
                let judged = try await restic(try #require(server.data.utf8), ["check", "--read-data"])
                #expect(judged.status == 0, "\(rule): \(judged)")
            }
            let repository = try Repository.open(in: try openStorage(server.address, access), password: remotePassword)
            try backUp(root / "src", into: repository)
            #expect(try repository.listSnapshots().count == 2)
            #expect(try repository.loadSnapshot(first).id == first)
            let judged = try await restic(try #require(server.data.utf8), ["check", "--read-data"])
            #expect(judged.status == 0, "\(judged)")
            await server.stop()
        }
    }

    @Test func `waiting between attempts ends when the run is stopped`() async throws {
        try await withTemporaryDirectory("lie-stop") { root in
            let server = try await LyingServer(root)
            let flag = CancellationFlag()
            let notes = Monitor(0)
            let access = quickAccess {
                $0.retry.firstPauseSeconds = 30
                $0.retry.longestPauseSeconds = 60
                $0.retry.totalSeconds = 900
                $0.retry.firstContactSeconds = 900
                $0.cancellation = flag
                $0.onRetry = { _ in
                    notes.change { $0 += 1 }
                    flag.cancel()
                }
            }
            try server.obey("GET config 1 500")
            let error = failure { _ = try openStorage(server.address, access).loadConfiguration(limit: 4096) }
            #expect(error?.code == .interrupted)
            #expect(notes.read { $0 } == 1)
            await server.stop()
        }
    }
}
