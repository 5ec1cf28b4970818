import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Forms that the format allows and other writers choose: ours reads them as restic does.
@Suite struct ForeignFormTests {
    /// Restores the newest snapshot by every restic and by ours; what each brings back, by path.
    private func restoreByAll(_ path: FilePath, scratch: FilePath) async throws -> [String: [String: Digest]] {
        var results: [String: [String: Digest]] = [:]
        for version in Peer.restics {
            let restic = try StockRestic(path, scratch: scratch, version: version)
            let check = try await restic.run(["check", "--read-data"])
            #expect(check.status == 0, "\(version): \(check)")
            let target = scratch / "by-\(version)"
            let restore = try await restic.run(["restore", "latest", "--target", "\(target)"])
            #expect(restore.status == 0, "\(version): \(restore)")
            results["\(version)"] = try contents(of: target)
        }
        let repository = try Repository.open(at: path, password: storePassword)
        let snapshot = try repository.findSnapshot("latest")
        try repository.loadIndex()
        let report = try repository.check(readData: true)
        #expect(report.errors == [])
        let restored = try Restorer(repository: repository).restore(
            snapshot, into: scratch / "by-ours", options: RestoreOptions(verifies: true))
        #expect(restored.failures.isEmpty, "\(restored.failures)")
        results["ours"] = try contents(of: scratch / "by-ours")
        return results
    }

    private func contents(of target: FilePath) throws -> [String: Digest] {
        let files = onlyFiles(below: target)
        return Dictionary(
            uniqueKeysWithValues: try files.map {
                (String(decoding: $0.bytes.dropFirst(target.bytes.count + 1), as: UTF8.self), try SHA256.hash(DurableFiles.read($0, limit: 1 << 26)))
            })
    }

    @Test func `frames without size, plain blobs, mixed packs, raw JSON, a blob of 20 MiB and one hash in both types`() async throws {
        let directory = try TemporaryDirectory("forms")
        let made = try HandMadeRepository(directory / "repo")
        var random = SeededRandom(for: "foreign forms")
        let oversized = random.bytes(64).flatMap { [UInt8](repeating: $0, count: 20 << 14) }
        #expect(oversized.count == 20 << 20)
        let small = Array("nhỏ".utf8), plain = random.bytes(70_000), framed = random.bytes(300_000)
        let inner = HandMadeTree.tree([try HandMadeTree.file("một byte", [[7]])])
        let nodes = [
            try HandMadeTree.directory("a", inner), try HandMadeTree.file("b khung", [small, framed]), try HandMadeTree.file("c lớn", [oversized]),
            // The bytes of a tree as the content of a file: the same hash in both types.
            try HandMadeTree.file("d cây", [inner]), try HandMadeTree.file("e thường", [plain, small, plain]),
            try HandMadeTree.file("f rỗng", []),
        ]
        let root = HandMadeTree.tree(nodes)
        try made.addPack([.data(small, .frameWithoutSize), .tree(inner, .plain), .data(plain, .plain), .data([7], .frameWithoutSize)])
        try made.addIndex(.rawJSON)
        try made.addPack([.data(framed, .frameWithoutSize), .data(oversized)])
        try made.addPack([.data(inner, .plain), .tree(root, .frameWithoutSize)])
        try made.addIndex(.framesWithoutSize)
        try made.addSnapshot(try SHA256.hash(root), .rawJSON)
        try made.addSnapshot(try SHA256.hash(inner), paths: ["/khác"], .framesWithoutSize)

        let repository = try Repository.open(at: made.path, password: storePassword)
        #expect(try repository.listSnapshots().count == 2)
        let hints = try repository.check(readData: true).hints.map(\.kind)
        #expect(hints.count { $0 == .mixedPack } == 2)
        // Which of two snapshots of one moment is the latest, the ID decides.
        try DurableFiles.remove(made.path / "snapshots" / (try #require(try repository.listSnapshots().first { $0.paths == ["/khác"] })).id.hex)
        let results = try await restoreByAll(made.path, scratch: directory.path)
        let expected = [
            "a/một byte": [7], "b khung": small + framed, "c lớn": oversized, "d cây": inner, "e thường": plain + small + plain, "f rỗng": [],
        ]
        let hashes = try expected.mapValues { try SHA256.hash($0) }
        for (reader, result) in results { #expect(result == hashes, "\(reader)") }
    }

    @Test func `a repository of format 1 has no compression and no prefix`() async throws {
        let directory = try TemporaryDirectory("version-1")
        let made = try HandMadeRepository(directory / "repo", version: 1)
        let text = Array("định dạng 1".utf8)
        let root = HandMadeTree.tree([try HandMadeTree.file("tệp", [text])])
        try made.addPack([.tree(root, .plain), .data(text, .plain)])
        try made.addIndex(.rawJSON)
        try made.addSnapshot(try SHA256.hash(root), .rawJSON)
        let results = try await restoreByAll(made.path, scratch: directory.path)
        for (reader, result) in results { #expect(result == ["tệp": try SHA256.hash(text)], "\(reader)") }

        // And ours writes into it what restic of any version reads.
        let repository = try Repository.open(at: made.path, password: storePassword)
        try repository.loadIndex()
        try fillStore(repository)
        for version in Peer.restics {
            let check = try await StockRestic(made.path, scratch: directory.path, version: version).run(["check", "--read-data"])
            #expect(check.status == 0, "\(version): \(check)")
        }
    }

    @Test(arguments: [0, 1]) func `of two copies, the damaged one is named and the good one restored`(damaged: Int) async throws {
        let directory = try TemporaryDirectory("copies")
        let made = try HandMadeRepository(directory / "repo")
        var random = SeededRandom(for: "damaged copies")
        let content = random.bytes(100_000)
        let root = HandMadeTree.tree([try HandMadeTree.file("tệp", [content])])
        let packs = [try made.addPack([.data(content, .plain)]), try made.addPack([.data("khác"), .data(content)])]
        try made.addPack([.tree(root)])
        // Both copies in one index, in the order in which they are tried first by some reader.
        try made.addIndex()
        try made.addSnapshot(try SHA256.hash(root))
        try rewrite(packs[damaged]) { $0[$0.count / 2] ^= 4 }

        let repository = try Repository.open(at: made.path, password: storePassword)
        let snapshot = try repository.findSnapshot("latest")
        let report = try repository.check(readData: true)
        #expect(report.damagedPacks.map(\.hex) == [String(decoding: packs[damaged].name, as: UTF8.self)])
        let restored = try Restorer(repository: repository).restore(snapshot, into: directory / "back", options: RestoreOptions())
        #expect(restored.isComplete, "\(restored.failures)")
        #expect(try DurableFiles.read(directory / "back/tệp", limit: 1 << 20) == content)
    }

    @Test func `two keys open, each by its password; so does one behind files that are no keys`() async throws {
        let directory = try TemporaryDirectory("keys")
        let made = try HandMadeRepository(directory / "repo")
        let second = Array("mật khẩu thứ hai".utf8)
        let file = try made.addKey(password: second)
        try made.addSnapshot(try SHA256.hash(HandMadeTree.tree([])))
        try made.addPack([.tree(HandMadeTree.tree([]))])
        try made.addIndex()
        for password in [storePassword, second] {
            #expect(try Repository.open(at: made.path, password: password).listSnapshots().count == 1)
            let list = try await restic(made.path, ["snapshots"], password: password)
            #expect(list.status == 0, "\(list)")
        }
        // What restic's key commands make and take away.
        let added = try await restic(made.path, ["key", "list"])
        #expect(added.status == 0 && added.text.contains("nơi khác"), "\(added)")

        // Names that are no IDs are left alone by everybody.
        try DurableFiles.create(made.path / "keys/README", Array("xin chào".utf8))
        try DurableFiles.create(made.path / "keys" / (String(decoding: file.name, as: UTF8.self) + ".bak"), [1])
        #expect(try Repository.open(at: made.path, password: second).listSnapshots().count == 1)

        // A truncated key: the other still opens, and whoever held this one is told that a key is damaged, not that the password is wrong.
        try rewrite(file) { $0.removeLast($0.count / 2) }
        #expect(try Repository.open(at: made.path, password: storePassword).listSnapshots().count == 1)
        #expect(code { _ = try Repository.open(at: made.path, password: second) } == .corrupt)
        try rewrite(file) { $0.removeAll() }
        #expect(try Repository.open(at: made.path, password: storePassword).listSnapshots().count == 1)
    }

    @Test func `of more than twenty keys one that is tried opens, as in restic`() async throws {
        let directory = try TemporaryDirectory("many-keys")
        let made = try HandMadeRepository(directory / "repo")
        var passwords: [String: [UInt8]] = [:]
        for number in 0..<24 {
            let password = Array("khóa \(number)".utf8)
            passwords[String(decoding: try made.addKey(password: password).name, as: UTF8.self)] = password
        }
        try DurableFiles.remove(made.path / "keys" / (try #require(onlyKeyOf(storePassword, in: made, passwords))))
        let names = passwords.keys.sorted()
        // Keys are tried in the order of their names.
        for name in [names[0], names[19]] {
            _ = try Repository.open(at: made.path, password: try #require(passwords[name]))
        }
        #expect(code { _ = try Repository.open(at: made.path, password: Array("không phải".utf8)) } == .wrongPassword)
    }

    /// The name of the key file that is none of those listed.
    private func onlyKeyOf(_ password: [UInt8], in made: HandMadeRepository, _ others: [String: [UInt8]]) -> String? {
        directoryEntries(made.path / "keys").map { String(decoding: $0, as: UTF8.self) }.first { others[$0] == nil }
    }
}
