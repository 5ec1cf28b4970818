import BackupEngine
import Glibc
import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct PruneTests {
    @Test func `what no snapshot uses goes, what one uses stays, and restic finds nothing more to do`() async throws {
        try await withTemporaryDirectory("prune") { root in
            var random = SeededRandom(for: "prune")
            let fixture = try PruneFixture(root / "repo")
            let first = try fixture.addSnapshot(day: 1, files: 12, &random)
            try fixture.addSnapshot(day: 2, files: 8, sharing: Array(first.blobs.prefix(4)), &random)
            let third = try fixture.addSnapshot(day: 3, files: 8, &random)
            try fixture.remove([first.id, third.id])
            let sums = try fixture.prune()
            #expect(sums.packs.partlyUsed == 1 && sums.packs.unused == 3 && sums.packs.repack == 1, "\(sums)")
            #expect(sums.blobs.remaining == 8 + 4 + 1 && sums.bytes.remainingUnused == 0, "\(sums)")
            try await fixture.requireSound()
            try fixture.requireReadable()
            for peer in Peer.restics {
                let again = try await fixture.run(peer, ["prune", "--dry-run"])
                #expect(again.text.contains("total prune:           0 blobs"), "\(again)")
            }
            let nothing = try fixture.prune()
            #expect(nothing.blobs.removeTotal == 0 && nothing.packs.repack == 0, "\(nothing)")
        }
    }

    @Test(arguments: [
        [], ["--max-unused", "0"], ["--max-unused", "unlimited"], ["--max-unused", "40%"], ["--max-repack-size", "100K"],
        ["--repack-cacheable-only"], ["--repack-uncompressed"], ["duplicates"],
    ])
    func `the plan has restic's numbers`(flags: [String]) async throws {
        try await withTemporaryDirectory("plan") { root in
            var random = SeededRandom(for: "prune plan")
            let fixture = try PruneFixture(root / "repo")
            var removed: [Digest] = []
            var shared: [Digest] = []
            for day in 0..<6 {
                let made = try fixture.addSnapshot(day: day, files: random.number(1..<12), sharing: shared, &random)
                shared = Array((shared + made.blobs).shuffled(using: &random).prefix(5))
                if day % 2 == 0 { removed.append(made.id) }
            }
            // A mixed pack, a plain tree, a duplicate, and a pack in no index.
            let bytes = random.bytes(3000)
            let tree = Array(
                "{\"nodes\":[{\"name\":\"x\",\"type\":\"file\",\"mtime\":\"2026-01-01T00:00:00Z\",\"atime\":\"2026-01-01T00:00:00Z\",\"ctime\":\"2026-01-01T00:00:00Z\",\"uid\":0,\"gid\":0,\"size\":3000,\"content\":[\"\(try SHA256.hash(bytes).hex)\"]}]}\n"
                    .utf8)
            try fixture.writePack([(.data, bytes, false), (.tree, tree, false)])
            let hasDuplicates = flags == ["duplicates"]
            let copies = try shared.map { (type: BlobType.data, bytes: try fixture.repository.loadBlob(.data, $0), isCompressed: true) }
            if hasDuplicates { try fixture.writePack(copies) }
            try fixture.writePack([(.data, random.bytes(5000), false)], indexed: false)
            _ = try fixture.repository.saveSnapshot(snapshot(of: try SHA256.hash(tree), at: 1_795_000_000))
            try fixture.remove(removed)

            var options = PruneOptions()
            if flags.first == "--max-unused" { options.unusedLimit = try PruneOptions.UnusedLimit(flags[1]) }
            if flags.first == "--max-repack-size" { options.repackLimitBytes = try PruneOptions.size(flags[1]) }
            options.repacksCacheableOnly = flags == ["--repack-cacheable-only"]
            options.repacksUncompressed = flags == ["--repack-uncompressed"]
            let ours = try fixture.repository.planPrune(options).statistics
            let output = try await fixture.run(.newestRestic, ["prune", "--dry-run", "-v"] + (hasDuplicates ? [] : flags))
            #expect(output.status == 0, "\(output)")
            func number(_ label: String, _ field: Int = 0) -> Int? {
                let line = output.text.split(separator: "\n").first { $0.hasPrefix(label) }
                let words = line?.dropFirst(label.count).split(separator: " ") ?? []
                return words.count > field ? Int(words[field]) : nil
            }
            #expect(number("used:") == ours.blobs.used && number("unused:") == ours.blobs.unused, "\(output) \(ours)")
            #expect((number("duplicates:") ?? 0) == ours.blobs.duplicate && number("total:") == ours.blobs.total, "\(output) \(ours)")
            // Which of several copies stays depends on the order of restic's hash table.
            if !hasDuplicates {
                #expect(number("to repack:") == ours.blobs.repack && number("this removes:") == ours.blobs.repackRemove, "\(output) \(ours)")
                #expect(number("to delete:") == ours.blobs.remove && number("total prune:") == ours.blobs.removeTotal, "\(output) \(ours)")
                #expect(number("remaining:") == ours.blobs.remaining, "\(output) \(ours)")
                #expect(number("totally used packs:") == ours.packs.used && number("partly used packs:") == ours.packs.partlyUsed, "\(output) \(ours)")
                #expect(number("unused packs:") == ours.packs.unused, "\(output) \(ours)")
            }
            _ = try fixture.prune { $0 = options }
            try await fixture.requireSound([.debianRestic, .newestRestic], "\(flags)")
            try fixture.requireReadable()
        }
    }

    @Test(arguments: [
        "prune.unreferenced-removed", "pack.written", "pack.published", "index.published", "prune.repacked", "prune.index-written",
        "prune.index-removed", "prune.index-removed@2", "prune.pack-removed", "prune.pack-removed@2",
    ])
    func `death at any moment leaves a sound repository that the next prune completes`(point: String) async throws {
        try await withTemporaryDirectory("pruned") { root in
            var random = SeededRandom(for: "prune deaths")
            let fixture = try PruneFixture(root / "repo")
            let first = try fixture.addSnapshot(day: 1, files: 6, &random)
            let second = try fixture.addSnapshot(day: 2, files: 6, sharing: Array(first.blobs.prefix(3)), &random)
            try fixture.addSnapshot(day: 3, files: 6, sharing: Array(second.blobs.prefix(2)), &random)
            try fixture.writePack([(.data, random.bytes(1000), false)], indexed: false)
            try fixture.remove([first.id])
            let text = try #require(fixture.path.utf8)
            let parts = point.split(separator: "@")
            let rule = "\(parts[0])=kill" + (parts.count > 1 ? "@\(parts[1])" : "")
            await #expect(processExitsWith: .signal(SIGKILL)) { [text = text as String, rule = rule as String] in
                unsafe setenv("SENTINEL_FAULTS", rule, 1)
                let repository = try Repository.open(at: FilePath(text), password: storePassword)
                let lock = try repository.lock(exclusive: true)
                var options = PruneOptions()
                options.unusedLimit = .bytes(0)
                _ = try repository.prune(try repository.planPrune(options), lock: lock)
            }
            _ = try fixture.repository.unlock(removeAll: true)
            try await fixture.requireSound([.newestRestic], point)
            try fixture.requireReadable()
            try fixture.prune { $0.unusedLimit = .bytes(0) }
            try await fixture.requireSound([.debianRestic], point)
            try fixture.requireReadable()
            let end = try fixture.prune { $0.unusedLimit = .bytes(0) }
            #expect(end.blobs.removeTotal == 0 && end.blobs.duplicate == 0 && end.bytes.unreferenced == 0, "\(end)")
        }
    }

    @Test func `a blob in use that is in no index stops it before anything is removed`() throws {
        try withTemporaryDirectory("incomplete") { root in
            var random = SeededRandom(for: "prune incomplete")
            let fixture = try PruneFixture(root / "repo")
            let first = try fixture.addSnapshot(day: 1, files: 3, &random)
            try fixture.addSnapshot(day: 2, files: 3, &random)
            try fixture.remove([first.id])
            let tree = try storeTree([("gone", 4, [try SHA256.hash([1, 2, 3, 4])])], in: fixture.repository)
            _ = try fixture.repository.saveSnapshot(snapshot(of: tree))
            let before = try fixture.packs()
            #expect(code { try fixture.prune() } == .corrupt)
            #expect(try fixture.packs() == before)
        }
    }

    @Test func `a missing pack in use stops it, a missing pack that nobody needs is forgotten`() async throws {
        try await withTemporaryDirectory("lost") { root in
            var random = SeededRandom(for: "prune lost")
            let fixture = try PruneFixture(root / "repo")
            let first = try fixture.addSnapshot(day: 1, files: 3, &random)
            let old = Set(try fixture.packs().map(\.id))
            try fixture.addSnapshot(day: 2, files: 3, &random)
            try fixture.remove([first.id])
            for pack in old { try fixture.repository.store.backend.remove(.pack, pack) }
            try fixture.prune()
            try await fixture.requireSound([.newestRestic])
            try fixture.requireReadable()
            let needed = try #require(try fixture.packs().first?.id)
            try fixture.repository.store.backend.remove(.pack, needed)
            #expect(code { try fixture.prune() } == .corrupt)
        }
    }

    @Test func `of a blob with a damaged copy the whole one is kept`() async throws {
        try await withTemporaryDirectory("damaged") { root in
            var random = SeededRandom(for: "prune damaged")
            let fixture = try PruneFixture(root / "repo")
            let first = try fixture.addSnapshot(day: 1, files: 4, &random)
            let old = try fixture.packs().map(\.id)
            try fixture.addSnapshot(day: 2, files: 1, sharing: [first.blobs[0]], &random)
            let bytes = try fixture.repository.loadBlob(.data, first.blobs[0])
            try fixture.writePack([(.data, bytes, true), (.data, random.bytes(50_000), true)])
            try fixture.remove([first.id])
            // The copy in the old pack is damaged; whichever is chosen, the content must survive.
            for pack in old {
                let path = fixture.path / "data" / String(pack.hex.prefix(2)) / pack.hex
                if try fixture.repository.store.loadPackHeader(StoredFile(id: pack, sizeBytes: FileStatus.of(path).sizeBytes)).first?.type == .data {
                    try rewrite(path) { $0[100] ^= 1 }
                }
            }
            try fixture.prune { $0.unusedLimit = .bytes(0) }
            try await fixture.requireSound([.newestRestic])
            try fixture.requireReadable()
        }
    }

    @Test func `many small packs become few`() async throws {
        try await withTemporaryDirectory("small") { root in
            var random = SeededRandom(for: "prune small")
            let fixture = try PruneFixture(root / "repo")
            for day in 0..<12 { try fixture.addSnapshot(day: day, files: 1, &random) }
            #expect(try fixture.packs().count == 24)
            try fixture.prune()
            #expect(try fixture.packs().count <= 4)
            #expect(try fixture.repository.store.backend.list(.index).count <= 2)
            try await fixture.requireSound([.newestRestic])
            try fixture.requireReadable()
        }
    }

    @Test func `a full storage is freed by removing first, and the index comes back`() async throws {
        try await withTemporaryDirectory("full") { root in
            var random = SeededRandom(for: "prune full")
            let fixture = try PruneFixture(root / "repo")
            let first = try fixture.addSnapshot(day: 1, files: 3, &random)
            try fixture.addSnapshot(day: 2, files: 3, sharing: [first.blobs[0]], &random)
            let third = try fixture.addSnapshot(day: 3, files: 3, &random)
            try fixture.remove([first.id, third.id])
            let sums = try fixture.prune { $0.recoversFullStorage = true }
            #expect(sums.packs.repack == 0 && sums.packs.remove > 0)
            try await fixture.requireSound([.newestRestic])
            try fixture.requireReadable()
        }
    }

    @Test(arguments: ["101%", "100%", "-1%", "x%", "10X", "", "-5"]) func `malformed limits are refused`(text: String) {
        #expect(code { _ = try PruneOptions.UnusedLimit(text) } == .invalidArgument)
    }
}
