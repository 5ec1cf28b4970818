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
        Operation(arguments: { ["backup", "\($0.source)", "--host", "may"] }, name: "backup"),
        Operation(
            arguments: { _ in ["forget", "--keep-last", "1", "--prune", "--max-unused", "0"] }, name: "forget and prune",
            newSnapshots: 0...0, forgets: 1),
        Operation(arguments: { _ in ["tag", "--add", "giữ"] }, name: "tag", newSnapshots: 0...0),
    ]

    /// Failing these need not fail the command: the content is safe before, or only a lock or a rest nobody reads is concerned.
    private static func isTolerated(_ call: SystemCallTrace.Place) -> Bool {
        call.name == "close" || call.kind.hasPrefix("locks") || call.name.hasPrefix("unlink") && call.kind.hasPrefix("data/upload-tmp")
    }

    /// Answers of the kernel that are no failure: the call is made again, for the rest.
    private static func harmless(_ place: SystemCallTrace.Place) -> [String] {
        switch place.name {
        case "write": ["SHORT", "EINTR"]
        case "openat", "fsync": ["EINTR"]
        default: []
        }
    }

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

        // A repository has 256 directories of packs: to list them is one thing done often, of which a few are enough.
        let isOfMany = Set(Dictionary(grouping: places, by: \.action).filter { $0.value.count > 64 }.keys)
        let chosen = places.filter { !isOfMany.contains($0.action) || $0.occurrence % 32 == 1 }
        var injections = chosen.flatMap { place in
            (["KILL", "EIO", "ENOSPC+"] + Self.harmless(place)).map { SystemCallTrace.Injection(place: place, action: $0) }
        }
        if !isFullTest {
            // Every thing done to every kind of file is as likely, however often it is done.
            let kinds = Dictionary(grouping: injections.shuffled(using: &random), by: { $0.place.action }).sorted { $0.key < $1.key }
            injections = Array(kinds.shuffled(using: &random).prefix(12).map { $0.value[0] })
        }
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
            case "SHORT", "EINTR": if output.status != 0 { complaints.append("did not go on: \(output)") }
            case "KILL": if output.status != 137 { complaints.append("not killed: \(output)") }
            default:
                // A pack that prune cannot remove is a warning, as in restic: it is in no index any more.
                if output.status == 0, output.errorText.isEmpty, !Self.isTolerated(injection.place) {
                    complaints.append("went on as if nothing had happened: \(output)")
                }
                if output.status != 0, output.status >= 128 || output.errorText.isEmpty { complaints.append("no clear error: \(output)") }
            }
            let allowed = operation.newSnapshots
            complaints += try await copy.judge(
                judge, keeping: Array(scene.kept.dropFirst(operation.forgets)),
                newSnapshots: output.status == 0 ? allowed.upperBound...allowed.upperBound : allowed)
            return complaints.map { "\(injection.action) at \(injection.place): \($0)" }
        }
        printToStandardError(
            "\(operation.name): \(places.count) calls recorded, \(places.count - chosen.count) of them left out as repetitions, \(injections.count) faults expected, \(reached.read { $0 }) reached"
        )
        #expect(reached.read { $0 } == injections.count)
        #expect(complaints == [])
    }

    @Test func `an init that fails anywhere leaves no half repository that looks whole`() async throws {
        var random = SeededRandom(for: "system calls of init")
        let directory = try TemporaryDirectory("init")
        let base = directory.path
        @Sendable func environment(_ place: FilePath) -> [String: String] { FaultScene.environment(place / "repo") }
        @Sendable func run(_ place: FilePath, _ arguments: [String]) async throws -> ProcessOutput {
            try await runProcess(try SentinelProgram.command(arguments), environment: environment(place), timeLimitSeconds: 60)
        }
        let record = directory / "record"
        try DurableFiles.makeDirectories(record)
        // The directory itself is made by init too, so its parent is what is watched.
        let (output, recorded) = try await SystemCallTrace.run(["init"], environment: environment(record), below: record, scratch: directory.path)
        try #require(output.status == 0, "\(output)")
        try DurableFiles.create(directory / "file", [1])
        let kinds = Dictionary(grouping: recorded.calls.map(\.place), by: \.action).sorted { $0.key < $1.key }
        // Of 256 directories some.
        let places = kinds.flatMap { $0.value.count > 64 ? Array($0.value.shuffled(using: &random).prefix(4)) : $0.value }
        var injections = places.flatMap { place in ["KILL", "EIO"].map { SystemCallTrace.Injection(place: place, action: $0) } }
        // Each run pays for the derivation of a real key, several times.
        if !isFullTest { injections = Array(injections.shuffled(using: &random).prefix(3)) }
        let reached = Monitor(0)
        let complaints = try await concurrently(Array(injections.enumerated())) { item in
            let place = base / "run-\(item.offset)"
            try DurableFiles.makeDirectories(place)
            let (first, trace) = try await SystemCallTrace.run(
                ["init"], environment: environment(place), below: place, scratch: base, injecting: item.element)
            if !trace.faults.isEmpty { reached.change { $0 += 1 } }
            var complaints: [String] = []
            if item.element.action != "KILL", first.status >= 128 { complaints.append("\(first)") }
            var snapshots = try await run(place, ["snapshots"])
            if snapshots.status == 10 {
                // Not there: making it again works, or is refused because of the key that was left, with a way out.
                let again = try await run(place, ["init"])
                if again.status != 0 {
                    if again.status != 1 || !again.errorText.contains("hint: ") { complaints.append("\(again)") }
                    return complaints.map { "\(item.element.action) at \(item.element.place): \($0)" }
                }
                snapshots = try await run(place, ["snapshots"])
            }
            let backup = try await run(place, ["backup", "\(base / "file")"])
            let restic = try StockRestic(place / "repo", scratch: place, version: .newestRestic)
            var words = restic.environment
            words["RESTIC_PASSWORD"] = String(decoding: storePassword, as: UTF8.self)
            let check = try await runProcess([restic.program, "check", "--read-data"], environment: words, timeLimitSeconds: 60)
            for output in [snapshots, backup, check] where output.status != 0 { complaints.append("\(output)") }
            return complaints.map { "\(item.element.action) at \(item.element.place): \($0)" }
        }
        printToStandardError("init: \(recorded.calls.count) calls recorded, \(injections.count) faults expected, \(reached.read { $0 }) reached")
        #expect(reached.read { $0 } == injections.count)
        #expect(complaints == [])
    }
}
