import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// A disk that cannot read a place fails each single read of a restore and of a check: the files concerned are named, all others are right.
@Suite struct ReadFaultTests {
    @Test func `a read that fails is reported, and nothing wrong is restored`() async throws {
        var random = SeededRandom(for: "failing reads")
        let directory = try TemporaryDirectory("reads")
        let scene = try await FaultScene(directory.path, &random)
        let kept = try #require(scene.kept.last)
        var work: [(command: String, place: SystemCallTrace.Place)] = []
        var recorded = 0
        for command in ["restore", "check"] {
            let record = try await scene.copy(to: directory / "record-\(command)")
            let (output, trace) = try await SystemCallTrace.run(
                Self.arguments(command, kept, record.directory / "target"), environment: record.environment, below: record.repository,
                scratch: record.directory, calls: "write,read")
            try #require(output.status == 0, "\(output)")
            let reads = trace.calls.map(\.place).filter { ["openat", "read", "pread64", "getdents64", "newfstatat", "statx", "fstat"].contains($0.name) }
            recorded += reads.count
            let kinds = Dictionary(grouping: reads.filter { !$0.kind.hasPrefix("locks") }, by: \.action).sorted { $0.key < $1.key }
            // The first of each kind is reached in every run, however the threads share the work.
            let chosen = kinds.flatMap { isFullTest ? Array($0.value.prefix(8)) : [$0.value[0]] }
            work += (isFullTest ? chosen : Array(chosen.shuffled(using: &random).prefix(4))).map { (command, $0) }
        }
        let reached = Monitor(0)
        let complaints = try await concurrently(Array(work.enumerated())) { item in
            let (command, place) = item.element
            let copy = try await scene.copy(to: scene.directory / "run-\(item.offset)")
            defer { removeTree(copy.directory) }
            let target = copy.directory / "target"
            let (output, trace) = try await SystemCallTrace.run(
                Self.arguments(command, kept, target), environment: copy.environment, below: copy.repository, scratch: copy.directory,
                injecting: SystemCallTrace.Injection(place: place, action: "EIO"), calls: "write,read")
            if !trace.faults.isEmpty { reached.change { $0 += 1 } }
            var complaints: [String] = []
            if output.status != 0, output.status >= 128 || output.errorText.isEmpty { complaints.append("no clear error: \(output)") }
            if command == "restore" { complaints += copy.complaints(about: output, of: kept, in: target) }
            return complaints.map { "\(command), EIO at \(place): \($0)" }
        }
        printToStandardError("reads: \(recorded) recorded, \(work.count) faults expected, \(reached.read { $0 }) reached")
        #expect(reached.read { $0 } == work.count)
        #expect(complaints == [])
    }

    private static func arguments(_ command: String, _ kept: FaultScene.Kept, _ target: FilePath) -> [String] {
        command == "restore" ? ["restore", kept.snapshot.hex, "--target", "\(target)"] : ["check", "--read-data"]
    }
}
