@testable internal import BackupEngine
internal import Platform
internal import TestSupport
internal import Testing

@Suite struct `Repository check` {
    private func kinds(_ report: CheckReport) -> Set<CheckReport.Finding.Kind> { Set(report.errors.map(\.kind)) }

    /// The pack that holds blobs of a type, in a repository with one pack of each.
    private func pack(of type: BlobType, in path: FilePath) throws -> FilePath {
        let repository = try Repository.open(at: path, password: storePassword)
        for file in onlyFiles(below: path / "data") {
            let id = try #require(Digest(hex: String(decoding: file.name, as: UTF8.self)))
            let stored = StoredFile(id: id, sizeBytes: try FileStatus.of(file).sizeBytes)
            if try repository.store.loadPackHeader(stored).first?.type == type { return file }
        }
        throw RepositoryError(.missing, Phrase(verbatim: "no pack of \(type.name)"))
    }

    private func withFilledStore(_ body: (FilePath, Repository) throws -> Void) throws {
        try withTemporaryDirectory("check") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            try fillStore(repository)
            try body(path, repository)
        }
    }

    @Test func `a sound repository has no findings and the right counts`() throws {
        try withFilledStore { _, repository in
            var stages: Set<String> = []
            let report = try repository.check(readData: true) { stages.insert("\($0.stage)") }
            #expect(report.isSound && report.hints == [])
            #expect([report.snapshots, report.indexes, report.packs, report.blobs, report.trees, report.packsRead] == [1, 1, 2, 4, 1, 2])
            #expect(stages == ["indexes", "packs", "trees", "data"])
            #expect(try repository.check(readData: false).packsRead == 0)
        }
    }

    @Test func `every single damaged byte of a data pack is found by reading the data`() throws {
        try withFilledStore { path, repository in
            let file = try pack(of: .data, in: path)
            let whole = try DurableFiles.read(file, limit: 1 << 24)
            let places = [0, 15, 16, 40, whole.count / 2, whole.count - 120, whole.count - 5, whole.count - 4, whole.count - 1]
            for place in places {
                try rewrite(file) { $0[place] ^= 4 }
                #expect(try repository.check(readData: false).isSound)
                let report = try repository.check(readData: true)
                #expect(kinds(report) == [.damagedPack], "byte \(place)")
                #expect(report.damagedPacks.map(\.hex) == [String(decoding: file.name, as: UTF8.self)])
                try rewrite(file) { $0 = whole }
            }
            #expect(try repository.check(readData: true).isSound)
        }
    }

    @Test func `a damaged tree is found without reading the data`() throws {
        try withFilledStore { path, repository in
            try rewrite(try pack(of: .tree, in: path)) { $0[30] ^= 1 }
            #expect(kinds(try repository.check(readData: false)) == [.damagedTree])
        }
    }

    @Test func `missing, cut and lengthened packs are found`() throws {
        for change in [-1, 0, 1] {
            try withFilledStore { path, repository in
                let file = try pack(of: .data, in: path)
                switch change {
                case -1: try rewrite(file) { $0.removeLast(10) }
                case 1: try rewrite(file) { $0.append(0) }
                default: try DurableFiles.remove(file)
                }
                #expect(kinds(try repository.check(readData: false)) == [change == 0 ? .missingPack : .wrongPackSize])
                #expect(kinds(try repository.check(readData: true)).contains(change == 0 ? .missingPack : .damagedPack))
            }
        }
    }

    @Test func `a lost index orphans the packs and their blobs are missing`() throws {
        try withFilledStore { path, repository in
            for file in onlyFiles(below: path / "index") { try DurableFiles.remove(file) }
            let report = try repository.check(readData: false)
            #expect(kinds(report) == [.missingBlob])
            #expect(report.hints.map(\.kind) == [.orphanedPack, .orphanedPack])
        }
    }

    @Test func `damaged indexes and snapshots are findings, not the end`() throws {
        try withFilledStore { path, repository in
            for directory in ["index", "snapshots"] {
                try rewrite(try #require(onlyFiles(below: path / directory).first)) { $0[40] ^= 1 }
            }
            #expect(kinds(try repository.check(readData: true)) == [.unreadableIndex, .unreadableSnapshot])
        }
    }

    @Test func `a tree that refers to a blob nobody stored is found`() throws {
        try withTemporaryDirectory("dangling") { root in
            let repository = try makeStore(root / "repo")
            let tree = try storeTree([("x", 5, [.zero])], in: repository)
            _ = try repository.saveSnapshot(snapshot(of: tree))
            _ = try repository.saveSnapshot(snapshot(of: .zero))
            let report = try repository.check(readData: false)
            #expect(report.errors.count == 2 && kinds(report) == [.missingBlob])
        }
    }

    @Test func `indexes that repeat each other are a hint, and findings are bounded`() throws {
        try withFilledStore { path, repository in
            let file = try #require(onlyFiles(below: path / "index").first)
            let id = try #require(Digest(hex: String(decoding: file.name, as: UTF8.self)))
            _ = try repository.store.saveDocument(.index, try repository.store.loadDocument(.index, id))
            let report = try repository.check(readData: true)
            #expect(report.isSound && report.hints.map(\.kind) == [.duplicateIndexEntry])
        }
        var report = CheckReport()
        for number in 0..<1500 { report.error(.missingBlob, "\(number)", "\(number)") }
        #expect(report.errors.count == 1000 && report.omittedErrors == 500)
    }
}
