internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(2))) struct CommandRunnerTests {
    private let runner = CommandRunner()

    private func shell(
        _ script: String, stdin: String = "", timeoutSeconds: Double = 20, graceSeconds: Double = 1,
        outputLimitBytes: Int = 64 * 1024
    ) -> CommandRequest {
        CommandRequest(
            argv: ["/bin/sh", "-c", script], stdin: Array(stdin.utf8), timeoutSeconds: timeoutSeconds,
            graceSeconds: graceSeconds, outputLimitBytes: outputLimitBytes)
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// True while a process runs; a zombie does not.
    private func isRunning(_ pid: Int32) -> Bool {
        guard let stat = try? DurableFiles.read(FilePath("/proc/\(pid)/stat"), limit: 4096) else { return false }
        return !text(stat).contains(") Z ")
    }

    private func waitUntilGone(_ pid: Int32) async -> Bool {
        for _ in 0..<200 where isRunning(pid) { try? await Task.sleep(for: .milliseconds(10)) }
        return !isRunning(pid)
    }

    @Test func `input, output, errors and a status that is not zero come back`() async throws {
        let result = try await runner.run(shell("cat; echo wrong >&2; exit 3", stdin: "hồ sơ\n"))
        #expect(result.status == .exited(3))
        #expect(text(result.stdout) == "hồ sơ\n")
        #expect(text(result.stderr) == "wrong\n")
        #expect(!result.isTimedOut && !result.isTruncated && !result.isSuccess)
    }

    @Test func `a command killed by a signal says so`() async throws {
        #expect(try await runner.run(shell("kill -9 $$")).status == .signalled(9))
    }

    @Test func `environment, working directory and argument bytes are exactly those given`() async throws {
        var request = CommandRequest(argv: ["/usr/bin/env"], environment: ["A": "1", "B": "x y"])
        #expect(Set(text(try await runner.run(request).stdout).split(separator: "\n")) == ["A=1", "B=x y"])
        request = CommandRequest(argv: ["/bin/pwd"], workingDirectory: "/usr")
        #expect(text(try await runner.run(request).stdout) == "/usr\n")
        let argument: [UInt8] = [0xFF, 0x20, 0x27, 0x24, 0x28]
        request = CommandRequest(argv: [Array("/usr/bin/printf".utf8), Array("%s".utf8), argument])
        #expect(try await runner.run(request).stdout == argument)
    }

    @Test func `a time-out kills grandchildren that ignore SIGTERM`() async throws {
        let script = "trap '' TERM; (trap '' TERM; sleep 300) & echo $!; sleep 300"
        let result = try await runner.run(shell(script, timeoutSeconds: 0.5, graceSeconds: 0.3))
        #expect(result.isTimedOut)
        #expect(result.status == .signalled(SIGKILL))
        #expect(result.durationSeconds < 60)
        let grandchild = try #require(Int32(text(result.stdout).split(separator: "\n").first ?? ""))
        #expect(await waitUntilGone(grandchild))
    }

    @Test func `a time-out reaches a job in a process group of its own`() async throws {
        let request = CommandRequest(
            argv: ["/bin/bash", "-c", "set -m; sleep 300 & echo $!; wait"], timeoutSeconds: 0.5, graceSeconds: 0.3)
        let result = try await runner.run(request)
        #expect(result.isTimedOut)
        let job = try #require(Int32(text(result.stdout).split(separator: "\n").first ?? ""))
        #expect(await waitUntilGone(job))
    }

    @Test func `a command that ends at SIGTERM is not killed`() async throws {
        let script = "trap 'echo bye; exit 7' TERM; while :; do sleep 0.05; done"
        let result = try await runner.run(shell(script, timeoutSeconds: 0.5, graceSeconds: 10))
        #expect(result.isTimedOut)
        #expect(result.status == .exited(7))
        #expect(text(result.stdout) == "bye\n")
    }

    @Test func `a background child that keeps the output open delays nothing and dies`() async throws {
        let result = try await runner.run(shell("sleep 300 & echo $!", timeoutSeconds: 20))
        #expect(result.isSuccess)
        #expect(result.durationSeconds < 60)
        let child = try #require(Int32(text(result.stdout).split(separator: "\n").first ?? ""))
        #expect(await waitUntilGone(child))
    }

    @Test func `output beyond the limit is dropped, and the command still runs to its end`() async throws {
        let result = try await runner.run(
            shell("head -c 3000000 /dev/zero; echo end >&2; exit 4", outputLimitBytes: 100_000))
        #expect(result.status == .exited(4))
        #expect(result.stdout.count == 100_000)
        #expect(result.isTruncated)
        #expect(text(result.stderr) == "end\n")
    }

    @Test func `all output of a quick command is there`() async throws {
        for _ in 0..<20 {
            let result = try await runner.run(shell("head -c 60000 /dev/zero"))
            #expect(result.stdout.count == 60000 && !result.isTruncated)
        }
    }

    @Test func `endless output ends with the time limit`() async throws {
        let result = try await runner.run(
            CommandRequest(argv: ["/usr/bin/yes"], timeoutSeconds: 0.5, outputLimitBytes: 1000))
        #expect(result.isTimedOut && result.isTruncated)
        #expect(result.stdout.count == 1000)
    }

    @Test func `a command that does not read its input is no error`() async throws {
        let request = CommandRequest(argv: ["/bin/true"], stdin: [UInt8](repeating: 65, count: 1 << 20))
        for _ in 0..<10 { #expect(try await runner.run(request).isSuccess) }
    }

    @Test func `cancelling the task ends the command`() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory / "pid"
            let runner = runner
            let request = shell("echo $$ > \(file.description); exec sleep 300", timeoutSeconds: 60)
            let task = Task { try await runner.run(request) }
            var pid: Int32?
            for _ in 0..<500 where pid == nil {
                try await Task.sleep(for: .milliseconds(10))
                let content = (try? DurableFiles.read(file, limit: 100)) ?? []
                if content.last == UInt8(ascii: "\n") { pid = Int32(text(content).split(separator: "\n").first ?? "") }
            }
            task.cancel()
            let outcome = await task.result
            #expect(throws: CommandError.self) { try outcome.get() }
            #expect(await waitUntilGone(try #require(pid)))
        }
    }

    @Test func `requests that the kernel would misread are refused`() async {
        let requests = [
            CommandRequest(argv: [String]()), CommandRequest(argv: ["sh"]), CommandRequest(argv: ["./sh"]),
            CommandRequest(argv: ["/bin/echo", "a\0b"]), CommandRequest(argv: ["/bin/echo"], environment: ["A=B": "c"]),
            CommandRequest(argv: ["/bin/echo"], environment: ["A": "c\0d"]),
            CommandRequest(argv: ["/bin/echo"], timeoutSeconds: .nan), CommandRequest(argv: ["/bin/echo"], timeoutSeconds: 0),
            CommandRequest(argv: ["/bin/echo"], workingDirectory: "tmp"),
        ]
        for request in requests {
            let error = await #expect(throws: CommandError.self) { try await runner.run(request) }
            #expect(error?.code == .invalidArgument, "\(request)")
        }
    }

    @Test func `a missing program and a missing directory are told apart from a failing command`() async {
        var error = await #expect(throws: CommandError.self) {
            try await runner.run(CommandRequest(argv: ["/nonexistent/check"]))
        }
        #expect(error?.code == .notFound)
        #expect(error?.message.vi.contains("/nonexistent/check") == true)
        error = await #expect(throws: CommandError.self) {
            try await runner.run(CommandRequest(argv: ["/bin/true"], workingDirectory: "/nonexistent"))
        }
        #expect(error?.code == .notStarted)
    }

    @Test(.enabled(if: isRoot)) func `a command runs as the user and groups given`() async throws {
        let nobody = try #require(try UserDatabase.account(named: "nobody"))
        let request = CommandRequest(argv: ["/bin/cat", "/proc/self/status"], uid: nobody.uid, gid: nobody.gid)
        let status = text(try await runner.run(request).stdout)
        let uid = nobody.uid, gid = nobody.gid
        #expect(status.contains("Uid:\t\(uid)\t\(uid)\t\(uid)\t\(uid)"))
        #expect(status.contains("Gid:\t\(gid)\t\(gid)\t\(gid)\t\(gid)"))
        #expect(status.contains("Groups:\t \n") || status.contains("Groups:\t\n"))
        #expect(status.contains("CapPrm:\t0000000000000000") && status.contains("CapAmb:\t0000000000000000"))
        var listed = CommandRequest(argv: ["/usr/bin/id", "-G"], uid: nobody.uid, gid: nobody.gid, groups: [7, 9])
        #expect(text(try await runner.run(listed).stdout) == "\(nobody.gid) 7 9\n")
        listed.argv = [Array("/nonexistent/id".utf8)]
        let error = await #expect(throws: CommandError.self) { try await runner.run(listed) }
        #expect(error?.code == .notFound)
    }

    @Test func `no descriptor of ours reaches a command`() async throws {
        let file = try FileDescriptor.open("/etc/passwd")
        let listing = text(try await runner.run(CommandRequest(argv: ["/bin/ls", "-l", "/proc/self/fd"])).stdout)
        #expect(!listing.contains("/etc/passwd"), "\(file.raw): \(listing)")
    }

    @Test func `many commands at once neither mix nor leak descriptors`() async {
        // In a process of its own: other tests open descriptors too.
        await #expect(processExitsWith: .success) {
            let runner = CommandRunner()
            func runMany() async -> Bool {
                await withTaskGroup(of: Bool.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            let request = CommandRequest(argv: ["/bin/echo", "\(number)"], timeoutSeconds: 60)
                            return (try? await runner.run(request))?.stdout == Array("\(number)\n".utf8)
                        }
                    }
                    return await group.reduce(true) { $0 && $1 }
                }
            }
            guard await runMany() else { exit(1) }
            let before = directoryEntries("/proc/self/fd").count
            guard await runMany() else { exit(2) }
            exit(directoryEntries("/proc/self/fd").count <= before ? 0 : 3)
        }
    }
}
