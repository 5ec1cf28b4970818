import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Several processes work on one repository at once, ours and restic's, in an order that a seed decides.
@Suite struct ConcurrencyTests {
    /// What a worker does next.
    private enum Step: Sendable {
        case ours([String])
        case theirs(Peer, [String])
    }

    private struct Worker: Sendable {
        let name: String
        /// Changed before each backup.
        let source: FilePath
        let steps: [(pauseMilliseconds: Int, step: Step)]
        let seed: UInt64
    }

    @Test func `two processes back up while a third forgets and prunes, ours and restic's, and no snapshot loses a blob`() async throws {
        var random = SeededRandom(for: "concurrency")
        let directory = try TemporaryDirectory("concurrency")
        let scene = try await FaultScene(directory.path, &random)
        let rounds = isFullTest ? 25 : 3
        func backup(_ source: FilePath, _ restics: [Peer]) -> Step {
            let arguments = ["backup", "\(source)", "--host", "may"]
            return random.oneIn(2) && !restics.isEmpty ? .theirs(restics[random.number(0..<restics.count)], arguments) : .ours(arguments)
        }
        func prune() -> Step {
            let arguments = ["forget", "--keep-last", "\(random.number(1..<4))", "--prune", "--max-unused", "0"]
            return random.oneIn(2) ? .ours(arguments) : .theirs(Peer.restics[random.number(0..<3)], arguments)
        }
        func steps(_ make: () -> Step) -> [(pauseMilliseconds: Int, step: Step)] {
            (0..<rounds).map { _ in (random.number(0..<600), make()) }
        }
        let (first, second) = (directory / "first", directory / "second")
        let workers = [
            // The first is always ours: two of ours at once occur in every run.
            Worker(name: "first", source: first, steps: steps { backup(first, []) }, seed: random.next()),
            Worker(name: "second", source: second, steps: steps { backup(second, Peer.restics) }, seed: random.next()),
            Worker(name: "pruning", source: first, steps: steps { prune() }, seed: random.next()),
        ]
        // Every state that a source was backed up in.
        let contents = Monitor<[String: [TreeDescription]]>([:])
        let complaints = try await concurrently(workers, areTogether: true) { worker in
            var random = SeededRandom(seed: worker.seed)
            for (pause, step) in worker.steps {
                try await Task.sleep(for: .milliseconds(pause))
                if worker.name != "pruning" {
                    try Self.change(worker.source, &random)
                    let description = try TreeDescription(worker.source)
                    contents.change { $0["\(worker.source)", default: []].append(description) }
                }
                let output = try await Self.run(step, scene)
                if output.status != 0 { return ["\(worker.name): \(output)"] }
            }
            return []
        }
        #expect(complaints == [])

        let copy = SceneCopy(scene: scene, directory: directory.path)
        let check = try await copy.restic(.newestRestic, ["check", "--read-data"])
        #expect(check.status == 0, "\(check)")
        let repository = try Repository.open(at: scene.repository, password: storePassword)
        let snapshots = try repository.listSnapshots()
        try repository.loadIndex()
        #expect(try repository.check(readData: true).errors == [])
        printToStandardError("concurrency: \(3 * rounds) commands, \(snapshots.count) snapshots left")
        for source in [first, second] {
            let mine = snapshots.filter { $0.paths == ["\(source)"] }
            #expect(!mine.isEmpty)
            for snapshot in mine {
                let target = directory / "restored-\(snapshot.id.short)"
                let report = try Restorer(repository: repository).restore(snapshot, into: target, options: RestoreOptions())
                #expect(report.isComplete, "\(report.failures)")
                let restored = try TreeDescription(FilePath(bytes: target.bytes + source.bytes))
                #expect(contents.read { $0["\(source)"] ?? [] }.contains(restored), "snapshot \(snapshot.id.short) is no state of its source")
            }
        }
    }

    private static func change(_ source: FilePath, _ random: inout SeededRandom) throws {
        try DurableFiles.makeDirectories(source / "sub")
        for _ in 0..<4 {
            let name = "\(random.oneIn(2) ? "sub/" : "")\(random.number(0..<8))"
            // The same content turns up in both sources, and comes back after it was forgotten.
            var content = SeededRandom(seed: UInt64(random.number(0..<6)))
            try DurableFiles.replace(source / name, content.bytes(150_000), mode: 0o644)
        }
    }

    /// Runs a command until nobody's lock is in its way.
    private static func run(_ step: Step, _ scene: FaultScene) async throws -> ProcessOutput {
        let copy = SceneCopy(scene: scene, directory: scene.directory)
        var output: ProcessOutput
        var attempt = 0
        repeat {
            if attempt > 0 { try await Task.sleep(for: .milliseconds(50 + 37 * attempt)) }
            switch step {
            case .ours(let arguments): output = try await copy.run(arguments)
            case .theirs(let version, let arguments): output = try await copy.restic(version, arguments)
            }
            attempt += 1
        } while output.status != 0 && attempt < 60 && output.errorText.contains("locked")
        return output
    }
}
