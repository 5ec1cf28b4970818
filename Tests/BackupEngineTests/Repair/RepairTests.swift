import BackupEngine
import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct RepairTests {
    private func repairIndex(_ fixture: PruneFixture, all: Bool = false) throws -> IndexRepairReport {
        let lock = try fixture.repository.lock(exclusive: true)
        defer { lock.release() }
        let report = try fixture.repository.repairIndex(readsAllPacks: all, lock: lock)
        try fixture.repository.loadIndex()
        return report
    }

    private func packPath(_ fixture: PruneFixture, _ id: Digest) -> FilePath { fixture.path / "data" / String(id.hex.prefix(2)) / id.hex }

    private func dataPacks(_ fixture: PruneFixture) throws -> [Digest] {
        try fixture.packs().filter { try fixture.repository.store.loadPackHeader($0).first?.type == .data }.map(\.id)
    }

    @Test(arguments: [false, true]) func `an index that was lost is read back from the packs`(all: Bool) async throws {
        try await withTemporaryDirectory("noindex") { root in
            var random = SeededRandom(for: "repair index")
            let fixture = try PruneFixture(root / "repo")
            for day in 0..<3 { try fixture.addSnapshot(day: day, files: 2, &random) }
            let indexes = try fixture.repository.store.backend.list(.index)
            try fixture.repository.store.backend.remove(.index, indexes[0].id)
            // One that cannot be read any more.
            try rewrite(fixture.path / "index" / indexes[1].id.hex) { $0[40] ^= 1 }
            let report = try repairIndex(fixture, all: all)
            #expect(report.isChanged && report.unreadablePacks.isEmpty)
            #expect(all || report.unreadableIndexes == [indexes[1].id])
            try await fixture.requireSound()
            try fixture.requireReadable()
            if !all { #expect(try !repairIndex(fixture).isChanged) }
        }
    }

    @Test func `missing packs are forgotten, truncated ones too`() async throws {
        try await withTemporaryDirectory("missing") { root in
            var random = SeededRandom(for: "repair missing")
            let fixture = try PruneFixture(root / "repo")
            let first = try fixture.addSnapshot(day: 1, files: 2, &random)
            try fixture.addSnapshot(day: 2, files: 2, &random)
            let packs = try dataPacks(fixture)
            try fixture.repository.store.backend.remove(.pack, packs[0])
            try rewrite(packPath(fixture, packs[1])) { $0 = Array($0.dropLast(100)) }
            let report = try repairIndex(fixture)
            #expect(report.missingPacks == [packs[0]] && report.unreadablePacks.map(\.id) == [packs[1]])
            #expect(first.blobs.allSatisfy { fixture.repository.blobSize(.data, $0) == nil })
            // The snapshots still name what is lost; repaired they do not.
            var repairer = SnapshotRepairer(fixture.repository, forgetsOld: true, isDryRun: false)
            for snapshot in try fixture.repository.listSnapshots() {
                var findings: [SnapshotRepairer.Finding] = []
                guard case .changed(.some) = try repairer.repair(snapshot, found: { findings.append($0) }) else {
                    Issue.record("not changed")
                    continue
                }
                #expect(findings.count == 2, "\(findings)")
            }
            try fixture.prune()
            try await fixture.requireSound()
            try fixture.requireReadable()
        }
    }

    @Test func `the good blobs of a damaged pack are salvaged`() async throws {
        try await withTemporaryDirectory("salvage") { root in
            var random = SeededRandom(for: "repair packs")
            let fixture = try PruneFixture(root / "repo")
            let made = try fixture.addSnapshot(day: 1, files: 6, &random)
            let pack = try #require(try dataPacks(fixture).first)
            let file = try #require(try fixture.packs().first { $0.id == pack })
            let entries = try fixture.repository.store.loadPackHeader(file)
            try rewrite(packPath(fixture, pack)) { $0[Int(entries[2].offset) + 20] ^= 1 }
            try fixture.repository.loadIndex()
            #expect(try fixture.repository.findPacks([pack.short]) == [pack])
            #expect(try fixture.repository.savePackCopy(pack, to: root / "copy") == file.sizeBytes)
            #expect(code { _ = try fixture.repository.savePackCopy(pack, to: root / "copy") } == .storage)
            let lock = try fixture.repository.lock(exclusive: true)
            let report = try fixture.repository.repairPacks([pack], lock: lock)
            lock.release()
            #expect(report.salvagedBlobs == 5 && report.lostBlobs == [entries[2].handle])
            try fixture.repository.loadIndex()
            for blob in made.blobs where blob != entries[2].id { _ = try fixture.repository.loadBlob(.data, blob) }
            var repairer = SnapshotRepairer(fixture.repository, forgetsOld: false, isDryRun: false)
            let snapshot = try #require(try fixture.repository.listSnapshots().first)
            guard case .changed(let new?) = try repairer.repair(snapshot) else {
                Issue.record("not changed")
                return
            }
            let repaired = try fixture.repository.loadSnapshot(new)
            #expect(repaired.tags == ["repaired"] && repaired.original == snapshot.id)
            try fixture.remove([snapshot.id])
            try await fixture.requireSound()
            try fixture.requireReadable()
        }
    }

    @Test func `a truncated pack gives what lies before the cut`() throws {
        try withTemporaryDirectory("cutpack") { root in
            var random = SeededRandom(for: "repair cut pack")
            let fixture = try PruneFixture(root / "repo")
            try fixture.addSnapshot(day: 1, files: 6, &random)
            let pack = try #require(try dataPacks(fixture).first)
            let entries = try fixture.repository.store.loadPackHeader(try #require(try fixture.packs().first { $0.id == pack }))
            try rewrite(packPath(fixture, pack)) { $0 = Array($0.prefix(Int(entries[4].offset) + 10)) }
            try fixture.repository.loadIndex()
            let lock = try fixture.repository.lock(exclusive: true)
            let report = try fixture.repository.repairPacks([pack], lock: lock)
            lock.release()
            #expect(report.salvagedBlobs == 4 && report.lostBlobs.count == 2)
        }
    }

    @Test func `unreadable directories become empty ones, and a snapshot without a root goes`() async throws {
        try await withTemporaryDirectory("trees") { root in
            let path = root / "repo"
            let fixture = try PruneFixture(path)
            let repository = fixture.repository
            let blob = try storeData([1, 2, 3], in: repository)
            let inner = try storeTree([("x", 3, [blob])], in: repository)
            let lost = try SHA256.hash([9])
            var nodes: [Node] = []
            for (name, tree) in [("good", inner), ("lost", lost)] {
                var node = Node(name: Array(name.utf8), kind: .dir)
                node.mode = FileMode(rawValue: FileMode.directory | 0o755)
                node.subtree = tree
                nodes.append(node)
            }
            var wrong = Node(name: Array("size".utf8), kind: .file)
            wrong.size = 99
            wrong.content = [blob]
            let bytes = try #require(Tree(nodes: nodes + [wrong]).encoded())
            let top = try SHA256.hash(bytes)
            _ = try repository.storeBlob(.tree, top, bytes)
            let first = try repository.saveSnapshot(snapshot(of: top))
            let rootless = try repository.saveSnapshot(snapshot(of: lost, at: 1_790_100_000))
            try repository.loadIndex()
            var dry = SnapshotRepairer(repository, forgetsOld: true, isDryRun: true)
            #expect(try dry.repair(repository.loadSnapshot(first)) == .wouldChange)
            var repairer = SnapshotRepairer(repository, forgetsOld: true, isDryRun: false)
            var findings: [SnapshotRepairer.Finding] = []
            guard case .changed(let new?) = try repairer.repair(repository.loadSnapshot(first), found: { findings.append($0) }) else {
                Issue.record("not changed")
                return
            }
            #expect(findings == [.unreadableDirectory("/lost"), .wrongSize("/size")])
            #expect(try repairer.repair(repository.loadSnapshot(rootless)) == .changed(nil))
            #expect(try repository.listSnapshots().map(\.id) == [new])
            try await fixture.requireSound()
        }
    }

    @Test func `what a forget left behind is recovered`() async throws {
        try await withTemporaryDirectory("recover") { root in
            var random = SeededRandom(for: "recover")
            let fixture = try PruneFixture(root / "repo")
            let first = try fixture.addSnapshot(day: 1, files: 2, &random)
            let second = try fixture.addSnapshot(day: 2, files: 2, &random)
            let lost = try fixture.repository.loadSnapshot(first.id).tree
            try fixture.remove([first.id])
            let report = try fixture.repository.recover(hostname: "may")
            #expect(report.roots == [lost])
            let id = try #require(report.snapshot)
            let recovered = try fixture.repository.loadSnapshot(id)
            #expect(recovered.tags == ["recovered"] && recovered.paths == ["/recover"] && recovered.hostname == "may")
            try fixture.repository.loadIndex()
            #expect(try fixture.repository.loadTree(recovered.tree).nodes.map(\.subtree) == [lost])
            #expect(try fixture.repository.recover(hostname: "may").snapshot == nil)
            #expect(try fixture.repository.listSnapshots().count == 2 && second.id != id)
            try await fixture.requireSound()
        }
    }

    @Test(arguments: ["prune.index-written", "prune.index-removed", "repair.salvaged", "repair.pack-removed"])
    func `a repair that dies leaves what it found or better`(point: String) async throws {
        try await withTemporaryDirectory("died") { root in
            var random = SeededRandom(for: "repair deaths")
            let fixture = try PruneFixture(root / "repo")
            try fixture.addSnapshot(day: 1, files: 3, &random)
            let pack = try #require(try dataPacks(fixture).first)
            let text = try #require(fixture.path.utf8)
            await #expect(processExitsWith: .signal(SIGKILL)) { [text = text as String, point = point as String, pack = pack.hex as String] in
                unsafe setenv("SENTINEL_FAULTS", "\(point)=kill", 1)
                let repository = try Repository.open(at: FilePath(text), password: storePassword)
                let lock = try repository.lock(exclusive: true)
                try repository.loadIndex()
                _ = try repository.repairPacks(try repository.findPacks([pack]), lock: lock)
            }
            _ = try fixture.repository.unlock(removeAll: true)
            try await fixture.requireSound([.newestRestic], point)
            try fixture.requireReadable()
        }
    }

    @Test func `restic's repair and ours leave the same index`() async throws {
        try await withTemporaryDirectory("sameindex") { root in
            var random = SeededRandom(for: "repair same")
            let fixture = try PruneFixture(root / "repo")
            for day in 0..<3 { try fixture.addSnapshot(day: day, files: 2, &random) }
            for file in try fixture.repository.store.backend.list(.index) { try fixture.repository.store.backend.remove(.index, file.id) }
            _ = try repairIndex(fixture)
            let ours = Set(fixture.repository.index.packs().map(\.id))
            let theirs = try await fixture.run(.newestRestic, ["repair", "index", "--read-all-packs"])
            #expect(theirs.status == 0, "\(theirs)")
            try fixture.repository.loadIndex()
            #expect(Set(fixture.repository.index.packs().map(\.id)) == ours)
            try await fixture.requireSound([.debianRestic])
        }
    }
}
