import Glibc
import Platform
import TestSupport
import Testing

/// A running `sentineld --state DIR`, with the directory it lives in.
final class Daemon: Sendable {
    let state: FilePath
    let zone: String
    let process: SpawnedProcess

    /// Starts the daemon and waits until it answers.
    ///
    /// - Parameter faults: The value of `SENTINEL_FAULTS`; see docs/decisions/0006-fault-points.md.
    static func start(
        _ ward: Ward, zone: String = "UTC", faults: String? = nil, timeLimitSeconds: Double = 30
    ) async throws -> Daemon {
        let daemon = try Daemon(ward, zone: zone, faults: faults)
        try await daemon.waitUntilReady(timeLimitSeconds: timeLimitSeconds)
        return daemon
    }

    /// Starts the daemon without waiting, for starts that are expected to fail.
    init(_ ward: Ward, zone: String = "UTC", faults: String? = nil) throws {
        state = ward.state
        self.zone = zone
        process = try SpawnedProcess(
            [try Programs.path("sentineld"), "--config", ward.configuration.description, "--state", ward.state.description],
            environment: Programs.environment(zone: zone, ["SENTINEL_FAULTS": faults]))
    }

    func waitUntilReady(timeLimitSeconds: Double) async throws {
        let deadline = Monotonic.nanoseconds() + UInt64(timeLimitSeconds * 1e9)
        while Monotonic.nanoseconds() < deadline {
            if let end = process.poll() {
                Issue.record("sentineld ended while starting: \(end)\n\(log)")
                throw DaemonFailure()
            }
            if try FileStatus.exists(state / "control.sock"), try await ctl(["status", "--json"]).status != 6 { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("sentineld did not answer within \(timeLimitSeconds) s\n\(log)")
        throw DaemonFailure()
    }

    /// What it wrote to its log so far.
    var log: String { String(decoding: process.standardError, as: UTF8.self) }

    /// Runs `sentinelctl` against this daemon.
    func ctl(_ arguments: [String], timeLimitSeconds: Double = 90) async throws -> ProcessOutput {
        try await Programs.sentinelctl(
            arguments, zone: zone, environment: ["SENTINEL_STATE": state.description], timeLimitSeconds: timeLimitSeconds)
    }

    /// Asks `sentinelctl … --json` until `condition` holds.
    @discardableResult
    func eventually(
        _ arguments: [String], timeLimitSeconds: Double = 30, sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: (JSON) -> Bool
    ) async throws -> JSON {
        let deadline = Monotonic.nanoseconds() + UInt64(timeLimitSeconds * 1e9)
        var last: ProcessOutput?
        while Monotonic.nanoseconds() < deadline {
            let output = try await ctl(arguments + ["--json"])
            if let value = JSON(output.standardOutput), condition(value) { return value }
            last = output
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("not within \(timeLimitSeconds) s: \(last?.description ?? "")\n\(log)", sourceLocation: sourceLocation)
        throw DaemonFailure()
    }

    /// Stops it as the service manager would, and expects a clean end that leaves no process behind.
    func stop(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        process.send(SIGTERM)
        let end = await process.wait(seconds: 30)
        #expect(end == .exited(0), "\(log)", sourceLocation: sourceLocation)
        if end == nil { await process.killGroup() }
        try await expectNoProcesses(sourceLocation: sourceLocation)
    }

    /// Kills one process without warning: the parent when `role` is nil.
    func kill(role: String? = nil) async throws {
        guard let role else {
            process.send(SIGKILL)
            _ = await process.wait(seconds: 10)
            return
        }
        let found = try #require(roleProcess(role), "no process in the role '\(role)': \(processes)")
        Glibc.kill(found.pid, SIGKILL)
    }

    /// The process that carries a role, by its command line.
    func roleProcess(_ role: String) -> ProcessEntry? {
        processes.first { entry in entry.arguments.contains { $0.contains(role) } && entry.pid != process.pid }
    }

    /// All its processes: those of its group, and whatever else names the state directory.
    var processes: [ProcessEntry] {
        processTable().filter { entry in
            entry.group == process.pid || (entry.arguments + entry.environment).contains { $0.contains(state.description) }
        }.filter { $0.pid != getpid() }
    }

    /// Expects that nothing which belongs to the daemon runs any more.
    func expectNoProcesses(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let deadline = Monotonic.nanoseconds() + 5_000_000_000
        while !processes.isEmpty, Monotonic.nanoseconds() < deadline { try await Task.sleep(for: .milliseconds(20)) }
        #expect(processes.isEmpty, "orphans", sourceLocation: sourceLocation)
    }
}

/// The reason has been recorded as an issue already.
struct DaemonFailure: Error {}
