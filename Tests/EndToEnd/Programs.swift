import Platform
import TestSupport
import Testing

/// The two programs under test: self-contained release binaries, run as processes.
enum Programs {
    /// The directory that `SENTINEL_BIN` names; `make test` sets it.
    static let directory = environmentValue("SENTINEL_BIN").map { FilePath($0) }

    static var areBuilt: Bool {
        guard let directory else { return false }
        return ["sentineld", "sentinelctl"].allSatisfy { (try? FileStatus.of(directory / $0))?.kind == .file }
    }

    static let howToBuild: Comment = "SENTINEL_BIN names no directory with the programs; 'make test' builds them"

    static func path(_ program: String) throws -> String {
        try #require(directory.map { $0 / program }?.utf8, howToBuild)
    }

    /// Both zones that every test of time runs under.
    static let zones = ["Asia/Ho_Chi_Minh", "UTC"]

    /// An environment that owes nothing to the machine that runs the tests.
    static func environment(zone: String = "UTC", _ changes: [String: String?] = [:]) -> [String: String] {
        var environment = ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "TZ": zone]
        for (name, value) in changes { environment[name] = value }
        return environment
    }

    /// Runs `sentinelctl` without a daemon.
    static func sentinelctl(
        _ arguments: [String], zone: String = "UTC", environment changes: [String: String?] = [:], input: [UInt8] = [],
        directory: FilePath? = nil, timeLimitSeconds: Double = 60
    ) async throws -> ProcessOutput {
        try await runProcess(
            [try path("sentinelctl")] + arguments, environment: environment(zone: zone, changes), input: input, directory: directory,
            timeLimitSeconds: timeLimitSeconds)
    }
}

extension ProcessOutput {
    /// Records an issue with everything the program said unless it ended with `status`.
    @discardableResult
    func expect(_ status: Int32, sourceLocation: SourceLocation = #_sourceLocation) -> ProcessOutput {
        #expect(self.status == status, "\(self)", sourceLocation: sourceLocation)
        return self
    }

    /// Like ``expect(_:sourceLocation:)``, and ends the test: what follows would only repeat the failure.
    func require(_ status: Int32, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try #require(self.status == status, "\(self)", sourceLocation: sourceLocation)
    }

    /// Standard output as JSON.
    func json(sourceLocation: SourceLocation = #_sourceLocation) throws -> JSON {
        try #require(JSON(standardOutput), "no JSON: \(self)", sourceLocation: sourceLocation)
    }
}
