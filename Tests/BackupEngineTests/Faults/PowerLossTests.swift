import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// The power goes after each single change that a command makes; what the disk may then hold is judged.
@Suite struct PowerLossTests {
    private struct Moment: Sendable {
        let step: Int
        let after: String
        let loss: DiskModel.Loss
        let isLast: Bool
        let copy: SceneCopy
        let judge: Peer
    }

    @Test(arguments: SystemCallFaultTests.operations)
    func `a power cut at any moment costs no snapshot, and none that was reported`(operation: SystemCallFaultTests.Operation) async throws {
        var random = SeededRandom(for: "power loss in \(operation.name)")
        let directory = try TemporaryDirectory("power")
        let scene = try await FaultScene(directory.path, &random)
        let record = try await scene.copy(to: directory / "record")
        let (output, trace) = try await SystemCallTrace.run(
            operation.arguments(scene), environment: record.environment, below: record.repository, scratch: record.directory,
            isRecording: true)
        try #require(output.status == 0, "\(output)")

        var steps = 0
        var counter = try DiskModel(scene.repository)
        try counter.replay(trace) { step, _, _ in steps = step }
        var chosen: Set<[Int]> = []
        for step in 0...steps { for loss in DiskModel.Loss.allCases.indices { chosen.insert([step, loss]) } }
        if !isFullTest {
            // The end is the promise of the report; the rest by chance.
            let last = DiskModel.Loss.allCases.indices.map { [steps, $0] }
            chosen = Set(chosen.sorted { $0.lexicographicallyPrecedes($1) }.shuffled(using: &random).prefix(9) + last)
        }
        var moments: [Moment] = []
        var model = try DiskModel(scene.repository)
        try model.replay(trace) { step, after, disk in
            for (index, loss) in DiskModel.Loss.allCases.enumerated() where chosen.contains([step, index]) {
                let place = directory / "moment-\(step)-\(loss)"
                try disk.write(to: place / "repo", loss, &random)
                moments.append(
                    Moment(
                        step: step, after: after, loss: loss, isLast: step == steps, copy: SceneCopy(scene: scene, directory: place),
                        judge: Peer.restics[random.number(0..<3)]))
            }
        }
        let complaints = try await concurrently(moments) { moment in
            defer { removeTree(moment.copy.directory) }
            let complaints = try await moment.copy.judge(
                moment.judge, keeping: Array(scene.kept.dropFirst(operation.forgets)),
                newSnapshots: moment.isLast ? operation.newSnapshots.upperBound...operation.newSnapshots.upperBound : operation.newSnapshots)
            return complaints.map { "after change \(moment.step), \(moment.after), losing \(moment.loss): \($0)" }
        }
        printToStandardError("\(operation.name): \(trace.calls.count) calls, \(steps) changes, \(moments.count) power cuts judged of \(3 * (steps + 1))")
        #expect(moments.count == chosen.count)
        #expect(complaints == [])
    }
}
