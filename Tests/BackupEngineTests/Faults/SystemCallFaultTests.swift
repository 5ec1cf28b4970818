import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Every system call that changes the repository fails or kills the process, one at a time.
///
/// A first run counts the calls; each later run is checked to have come to the very call that was to fail.
@Suite struct SystemCallFaultTests {
    /// A command whose calls fail, and what may be left after it.
    struct Operation: Sendable, CustomTestStringConvertible {
        let arguments: @Sendable (FaultScene) -> [String]
        let name: String
        /// New snapshots after a failure: none, or the one that was just finished.
        var newSnapshots = 0...1
        /// How many of the oldest snapshots it may take away.
        var forgets = 0
        var testDescription: String { name }
    }

    static let operations: [Operation] = [
        Operation(arguments: { ["backup", "\($0.source)", "--host", "may"] }, name: "backup")
    ]

    /// Failing these need not fail the command: the content is safe before, or only a lock is concerned.
    private static func isTolerated(_ call: SystemCallTrace.Place) -> Bool { call.name == "close" || call.kind.hasPrefix("locks") }

    @Test(arguments: operations)
    func `a call that fails, or a death at it, costs no snapshot`(operation: Operation) async throws {
        var random = SeededRandom(for: "system calls of \(operation.name)")
        let directory = try TemporaryDirectory("calls")
        let scene = try await FaultScene(directory.path, &random)
        let arguments = operation.arguments(scene)
        let record = try await scene.copy(to: directory / "record")
        let (output, recorded) = try await SystemCallTrace.run(
            arguments, environment: record.environment, below: record.repository, scratch: record.directory)
        try #require(output.status == 0, "\(output)")
        let places = recorded.calls.map(\.place)
        try #require(places.count > 20 && Set(places.map(\.name)).isSuperset(of: ["write", "fsync", "rename", "fchmod", "close"]))

        var injections = places.flatMap { place in
            (["KILL", "EIO", "ENOSPC+"]).map { SystemCallTrace.Injection(place: place, action: $0) }
        }
        if !isFullTest { injections = Array(injections.shuffled(using: &random).prefix(12)) }
        let judges = injections.map { _ in Peer.restics[random.number(0..<3)] }
        let work = Array(zip(injections, judges).enumerated())
        let reached = Monitor(0)
        let complaints = try await concurrently(work) { item in
            let (number, (injection, judge)) = (item.offset, item.element)
            let copy = try await scene.copy(to: scene.directory / "run-\(number)")
            defer { removeTree(copy.directory) }
            let (output, trace) = try await SystemCallTrace.run(
                arguments, environment: copy.environment, below: copy.repository, scratch: copy.directory, injecting: injection)
            var complaints: [String] = []
            if trace.faults.isEmpty {
                complaints.append("the call was not reached: \(output)")
            } else {
                reached.change { $0 += 1 }
            }
            switch injection.action {
            case "KILL": if output.status != 137 { complaints.append("not killed: \(output)") }
            default:
                if output.status == 0, !Self.isTolerated(injection.place) { complaints.append("went on as if nothing had happened: \(output)") }
                if output.status != 0, output.status >= 128 || output.errorText.isEmpty { complaints.append("no clear error: \(output)") }
            }
            let isDone = output.status == 0 ? 1 : 0
            complaints += try await copy.judge(
                judge, keeping: Array(scene.kept.dropFirst(operation.forgets)),
                newSnapshots: max(isDone, operation.newSnapshots.lowerBound)...operation.newSnapshots.upperBound)
            return complaints.map { "\(injection.action) at \(injection.place): \($0)" }
        }
        printToStandardError(
            "\(operation.name): \(places.count) calls recorded, \(injections.count) faults expected, \(reached.read { $0 }) reached")
        #expect(reached.read { $0 } == injections.count)
        #expect(complaints == [])
    }
}
