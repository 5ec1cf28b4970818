@testable internal import BackupEngine
internal import Platform
internal import TestSupport
internal import Testing

/// Parsers of the repository meet damaged input: any answer is good but a crash, a hang, or memory without a bound.
@Suite struct `Mutated repository files` {
    @Test func `pack headers`() throws {
        let entries = (0..<20).map { (number: Int) -> PackEntry in
            let type: BlobType = number % 3 == 0 ? .tree : .data
            let plaintext: UInt32 = number % 2 == 0 ? 0 : 200
            return PackEntry(type: type, id: .zero, offset: UInt32(number * 100), length: 100, uncompressedLength: plaintext)
        }
        let header = PackHeader.encode(entries)
        #expect(try PackHeader.decode(header, blobBytes: 2000) == entries)
        try fuzz("pack header", corpus: [header, PackHeader.encode([])], iterations: 20_000) { input in
            guard let decoded = try? PackHeader.decode(input, blobBytes: 2000) else { return }
            #expect(decoded.reduce(0) { $0 + UInt64($1.length) } == 2000 && PackHeader.encode(decoded) == input)
        }
        try fuzz("pack length", corpus: [PackHeader.lengthField(sealedHeaderBytes: 100)], iterations: 2000) { input in
            for size in [0, 4, 73, 100, 5000, UInt64.max] {
                guard let length = try? PackHeader.sealedHeaderBytes(lengthField: input, packSize: size) else { continue }
                #expect(UInt64(length) + 4 < size)
            }
        }
    }

    @Test func `index files`() throws {
        let entries = [
            PackEntry(type: .data, id: .zero, offset: 0, length: 42, uncompressedLength: 1),
            PackEntry(type: .tree, id: .zero, offset: 42, length: 37, uncompressedLength: 0),
        ]
        try fuzz("index", corpus: [IndexFile.encode([(.zero, entries)]), IndexFile.encode([])], iterations: 20_000) { input in
            var table = BlobIndex()
            do throws(JSONError) {
                try IndexFile.decode(input) { pack, entries in table.insert(pack: pack, entries) }
            } catch {
                #expect(error.offset <= input.count)
            }
        }
    }

    @Test func `config, key, snapshot and lock files`() throws {
        let configuration = RepositoryConfiguration(version: 2, id: String(repeating: "a", count: 64), chunkerPolynomial: 7)
        let master = try MasterKey.random()
        let key = try KeyFile(
            master, password: [1], parameters: Scrypt.Parameters(n: 2, r: 1, p: 1), identity: .current())
        var snapshot = snapshot(of: .zero, tags: ["a\"b\\\u{1F600}"])
        snapshot.summary = SnapshotSummary(backupStart: snapshot.time, backupEnd: snapshot.time)
        let lock = LockFile(isExclusive: true, identity: .current())
        let corpus = [ConfigurationFile.encode(configuration), key.json, SnapshotFile.encode(snapshot), lock.json, master.json]
        try fuzz("documents", corpus: corpus, iterations: 20_000) { input in
            _ = try? ConfigurationFile.decode(input)
            if let key = try? KeyFile(json: input) {
                #expect(key.parameters.isAcceptable && key.salt.count == 64)
                if key.parameters.n < 64, key.parameters.r < 8, key.parameters.p < 8 { _ = try? key.open(password: [1]) }
            }
            if let snapshot = try? SnapshotFile.decode(input, id: .zero) { _ = SnapshotFile.encode(snapshot) }
            if let lock = try? LockFile(json: input) { _ = lock.isStale(seenBy: .current()) }
            _ = try? MasterKey(json: input)
        }
    }

    @Test func `whole repositories`() throws {
        try withTemporaryDirectory("fuzzed") { root in
            let path = root / "repo"
            try fillStore(try makeStore(path))
            let files = onlyFiles(below: path)
            let contents = try files.map { try DurableFiles.read($0, limit: 1 << 24) }
            var random = SeededRandom(for: "whole repositories")
            for _ in 0..<(isFullTest ? 500 : 60) {
                let victim = random.number(0..<files.count)
                try rewrite(files[victim]) { $0 = Mutations.mutated($0, using: &random) }
                let name = files[victim].description
                if let repository = try? Repository.open(at: path, password: storePassword) {
                    let isChanged = try DurableFiles.read(files[victim], limit: 1 << 24) != contents[victim]
                    let report = try repository.check(readData: true)
                    // A key that still opens is no longer the one of its name.
                    let isStored = files[victim] != path / "config"
                    #expect(report.isSound == !(isChanged && isStored), "\(name)")
                }
                try rewrite(files[victim]) { $0 = contents[victim] }
            }
        }
    }
}
