import BackupEngine
import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct KeyTests {
    private static let cheap = KeyCost.fixed(n: 1024, r: 8, p: 1)

    private func open(_ path: FilePath, _ password: String, hint: String? = nil) throws -> Repository {
        try Repository.open(in: LocalDirectory(path), password: Array(password.utf8), keyHint: hint)
    }

    @Test func `a second password opens, is listed with its names, and goes again`() async throws {
        try await withTemporaryDirectory("keys") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            try fillStore(repository)
            let added = try repository.addKey(password: Array("hai".utf8), cost: Self.cheap, username: "binh", hostname: "máy 2")
            let keys = try repository.listKeys().keys
            #expect(keys.count == 2 && keys.filter(\.isCurrent).count == 1)
            let second = try #require(keys.first { $0.id == added })
            #expect(second.username == "binh" && second.hostname == "máy 2" && !second.isCurrent)
            let other = try open(path, "hai")
            #expect(try other.listKeys().keys.first { $0.isCurrent }?.id == added)
            for peer in Peer.restics {
                let list = try await runProcess(
                    [try peer.program(), "--no-cache", "key", "list", "--json"],
                    environment: inheritedEnvironment(["RESTIC_REPOSITORY": path.utf8, "RESTIC_PASSWORD": "hai"]), timeLimitSeconds: 60)
                #expect(list.status == 0 && list.text.contains("\"userName\":\"binh\""), "\(list)")
            }
            #expect(code { _ = try other.removeKey(added.short) } == .invalidArgument)
            #expect(try repository.removeKey(added.short) == added)
            #expect(code { _ = try open(path, "hai") } == .wrongPassword)
            #expect(code { _ = try repository.removeKey("ffffffffff") } == .missing)
        }
    }

    @Test func `a changed password opens, the old one does not, others stay`() throws {
        try withTemporaryDirectory("passwd") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            _ = try repository.addKey(password: Array("khác".utf8), cost: Self.cheap)
            let new = try repository.changePassword(Array("mới".utf8), cost: Self.cheap)
            #expect(code { _ = try Repository.open(at: path, password: storePassword) } == .wrongPassword)
            #expect(try open(path, "mới").listKeys().keys.first { $0.isCurrent }?.id == new)
            _ = try open(path, "khác")
        }
    }

    @Test func `keys of restic open here, also with a hint`() async throws {
        try await withTemporaryDirectory("theirkeys") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            try DurableFiles.create(root / "new", Array("của restic\n".utf8))
            let added = try await restic(path, ["key", "add", "--new-password-file", try #require((root / "new").utf8)])
            #expect(added.status == 0, "\(added)")
            let keys = try repository.listKeys().keys
            let theirs = try #require(keys.first { !$0.isCurrent })
            for hint in [nil, theirs.id.short, "ffff", ""] { _ = try open(path, "của restic", hint: hint) }
        }
    }

    @Test func `foreign, truncated and empty key files keep nobody out`() throws {
        try withTemporaryDirectory("foreign") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            let backend = LocalDirectory(path)
            let foreign = [
                Array("{\"kdf\":\"argon2\",\"data\":\"AAAA\"}".utf8), Array("{\"created\":\"2026-01-01T0".utf8), [], Array("x".utf8),
                Array(repeating: UInt8(ascii: "{"), count: 70_000),
            ]
            for bytes in foreign { try backend.save(.key, try SHA256.hash(bytes), bytes) }
            try DurableFiles.create(path / "keys" / "readme.txt", [1])
            _ = try Repository.open(at: path, password: storePassword)
            let (keys, unreadable) = try repository.listKeys()
            #expect(keys.count == 1 && unreadable.count == foreign.count)
            // What is no key can be removed by its name.
            for file in unreadable { #expect(try repository.removeKey(file.id.hex) == file.id) }
            #expect(try repository.listKeys().unreadable.isEmpty)
            #expect(code { _ = try Repository.open(at: path, password: [1]) } == .wrongPassword)
        }
    }

    @Test func `the twenty-first key is refused, and with more of them a hint finds the right one`() throws {
        try withTemporaryDirectory("many") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            for number in 1..<20 { _ = try repository.addKey(password: Array("p\(number)".utf8), cost: Self.cheap) }
            #expect(code { _ = try repository.addKey(password: [1], cost: Self.cheap) } == .invalidArgument)
            // Another program may add them all the same: the limit is that of attempts.
            let ring = KeyRing(backend: LocalDirectory(path))
            var added: [Digest] = []
            for number in 0..<5 {
                added.append(try ring.add(repository.master, password: Array("q\(number)".utf8), cost: Self.cheap, identity: .current()))
            }
            let order = try LocalDirectory(path).list(.key).map(\.id)
            let last = try #require(added.max { (order.firstIndex(of: $0) ?? 0) < (order.firstIndex(of: $1) ?? 0) })
            let password = "q\(try #require(added.firstIndex(of: last)))"
            if (order.firstIndex(of: last) ?? 0) >= 20 {
                let refused = failure { _ = try open(path, password) }
                #expect(refused?.code == .wrongPassword && refused?.hint?.en.contains("--key-hint") == true)
            }
            #expect(try open(path, password, hint: last.short).listKeys().keys.first { $0.isCurrent }?.id == last)
        }
    }

    @Test func `the empty password needs the word of whoever sets it`() throws {
        try withTemporaryDirectory("empty") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            #expect(code { _ = try repository.addKey(password: [], cost: Self.cheap) } == .invalidArgument)
            _ = try repository.addKey(password: [], cost: Self.cheap, allowsEmpty: true)
            _ = try Repository.open(at: path, password: [])
        }
    }
}
