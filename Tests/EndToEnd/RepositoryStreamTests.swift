import Platform
import TestSupport
import Testing

/// `sentinelctl repo backup --stdin…`, beside restic of the same options.
@Suite(.enabled(if: Programs.areBuilt, Programs.howToBuild)) struct RepositoryStreamTests {
    private func withRepository(
        _ body: (_ ours: ([String], [UInt8]) async throws -> ProcessOutput, _ restic: ([String]) async throws -> ProcessOutput) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory("e2e-stdin") { directory in
            let environment: [String: String?] = [
                "RESTIC_REPOSITORY": "\(directory / "repo")", "RESTIC_PASSWORD": "pw", "HOME": "\(directory)", "SENTINEL_LANG": "en",
                "RESTIC_CACHE_DIR": "\(directory / "cache")",
            ]
            try await Programs.sentinelctl(["repo", "init"], environment: environment).require(0)
            let peer = try Peer.restic018.program()
            try await body(
                { arguments, input in
                    try await Programs.sentinelctl(["repo", "backup"] + arguments, environment: environment, input: input)
                }, { try await runProcess([peer] + $0, environment: Programs.environment(environment)) })
        }
    }

    @Test func `standard input becomes a file, as restic has it`() async throws {
        try await withRepository { ours, restic in
            let summary = JSON.lines(try await ours(["--stdin", "--json"], Array("xin chào\n".utf8)).expect(0).text).last ?? .null
            #expect(summary["files_new"].integer == 1 && summary["total_bytes_processed"].integer == 10)
            #expect(try await restic(["dump", "latest", "/stdin"]).expect(0).text == "xin chào\n")
            try await ours(["--stdin", "--stdin-filename", "a/b.sql"], Array("x".utf8)).expect(0)
            #expect(try await restic(["ls", "-q", "latest"]).expect(0).text.contains("/a/b.sql"))
            try await restic(["backup", "-q", "--stdin"]).expect(3)
            try await restic(["check", "--read-data"]).expect(0)
        }
    }

    @Test func `a command that fails saves nothing, and what is not meant is refused`() async throws {
        try await withRepository { ours, restic in
            try await ours(["--stdin-from-command", "--", "sh", "-c", "printf %s \"$1\"", "sh", "$HOME *"], []).expect(0)
            #expect(try await restic(["dump", "latest", "/stdin"]).expect(0).text == "$HOME *")
            let failed = try await ours(["--stdin-from-command", "--", "sh", "-c", "echo half; echo oops >&2; exit 3"], []).expect(1)
            #expect(failed.errorText.contains("exited with status 3: oops"))
            try await ours(["--stdin"], []).expect(1)
            try await ours(["--stdin-from-command"], []).expect(1)
            try await ours(["--stdin", "/etc/hostname"], [1]).expect(1)
            try await ours(["--stdin", "--stdin-from-command", "--", "true"], [1]).expect(1)
            try await ours(["--stdin", "--stdin-filename", ".."], [1]).expect(1)
            try await ours(["--stdin-from-command", "--", "no-such-program"], []).expect(1)
            #expect(try await restic(["list", "snapshots", "-q"]).expect(0).text.split(separator: "\n").count == 1)
        }
    }
}
