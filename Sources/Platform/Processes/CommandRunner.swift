internal import Glibc
internal import Subprocess
internal import Synchronization

/// Runs foreign commands: absolute argv, explicit environment, a session of their own, a time and an output limit.
///
/// Whatever a command leaves behind in its process group dies with it; after a time-out or a cancellation so does its whole session.
/// A process that made a session of its own escapes both.
package struct CommandRunner: Sendable {
    package init() {}

    /// Runs a command to its end.
    ///
    /// Cancelling the task ends the command as a time-out does.
    ///
    /// - Returns: Also for a status other than 0, a fatal signal or a time-out: those are results.
    /// - Throws: `CommandError` when the command did not run.
    package func run(_ request: CommandRequest) async throws(CommandError) -> CommandResult {
        try request.validate()
        ignoreBrokenPipes()
        let started = Monotonic.nanoseconds()
        do {
            let outcome = try await Subprocess.run(
                try configuration(for: request), input: .inputWriter, output: .sequence, error: .sequence
            ) { execution in
                try await supervise(execution, request)
            }
            let seen = outcome.closureResult
            if Task.isCancelled { throw CommandError(.cancelled, program: request.programName) }
            let status: ExitStatus =
                switch outcome.terminationStatus {
                case .exited(let code): .exited(code)
                case .signaled(let signal): .signalled(signal)
                }
            return CommandResult(
                status: status, isTimedOut: seen.isTimedOut, stdout: seen.stdout.bytes, stderr: seen.stderr.bytes,
                isTruncated: seen.stdout.isTruncated || seen.stderr.isTruncated,
                durationSeconds: Double(Monotonic.nanoseconds() - started) / 1e9)
        } catch let error as CommandError {
            throw error
        } catch let error as SubprocessError {
            throw CommandError(Self.code(for: error), program: request.programName, detail: escapedForDisplay(error.description))
        } catch {
            throw CommandError(.notObserved, program: request.programName, detail: escapedForDisplay("\(error)"))
        }
    }

    private static func code(for error: SubprocessError) -> CommandError.Code {
        switch error.code {
        case .executableNotFound: .notFound
        case .spawnFailed, .failedToChangeWorkingDirectory: .notStarted
        default: .notObserved
        }
    }

    private func configuration(for request: CommandRequest) throws(CommandError) -> Configuration {
        // Not the package's own options: version 1.0.2 calls setgroups between a bare clone3 and exec, where glibc waits for ever
        // for any thread that was just being created, and every later command waits behind it.
        let argv = try request.argvForStart()
        guard let program = String(validating: argv[0], as: UTF8.self), let directory = request.workingDirectory.utf8 else {
            throw CommandError(.invalidArgument, program: request.programName)
        }
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(request.graceSeconds))
        ]
        let variables: [[UInt8]] = request.environment.map { Array("\($0.key)=\($0.value)".utf8) + [0] }
        return Configuration(
            executable: .path(literal(program)),
            // The package takes bytes as C strings: without the NUL it would read on.
            arguments: Arguments(
                executablePathOverride: argv[0] + [0], remainingValues: argv.dropFirst().map { $0 + [0] }),
            environment: .custom(variables), workingDirectory: literal(directory), platformOptions: options)
    }

    // MARK: While it runs

    private struct Output: Sendable {
        var bytes: [UInt8] = []
        var isTruncated = false
    }

    private struct Observation: Sendable {
        var stdout = Output()
        var stderr = Output()
        var isTimedOut = false
    }

    private typealias Running = Execution<CustomWriteInput, SequenceOutput, SequenceOutput>

    /// Feeds and reads the command until it has ended. Its process is not reaped before this returns, so its number stays its own.
    private func supervise(_ execution: Running, _ request: CommandRequest) async throws -> Observation {
        let leader = execution.processIdentifier.value
        let isTimedOut = Flag()
        let limiter = Task {
            await enforceLimit(request, on: leader, isTimedOut)
        }
        let writer = Task {
            // A command that does not read its input is its own business; how it ends tells.
            _ = try? await execution.standardInputWriter.write(request.stdin)
            try? await execution.standardInputWriter.finish()
        }
        let reading = await Result { try await read(execution, request.outputLimitBytes) }
        await waitForExit(of: leader)
        limiter.cancel()
        await limiter.value
        kill(-leader, SIGKILL)
        if isTimedOut.isSet || Task.isCancelled { ProcessTable.signalSession(leader, SIGKILL) }
        writer.cancel()
        await writer.value
        var observation = try reading.get()
        observation.isTimedOut = isTimedOut.isSet
        return observation
    }

    private func read(_ execution: Running, _ limit: Int) async throws -> Observation {
        async let stdout = collect(execution.standardOutput, limit)
        async let stderr = collect(execution.standardError, limit)
        return try await Observation(stdout: stdout, stderr: stderr)
    }

    private func collect(_ sequence: SubprocessOutputSequence, _ limit: Int) async throws -> Output {
        var output = Output()
        for try await buffer in sequence {
            let room = limit - output.bytes.count
            if buffer.count > room { output.isTruncated = true }
            if room > 0 { unsafe buffer.withUnsafeBytes { unsafe output.bytes.append(contentsOf: $0.prefix(room)) } }
        }
        return output
    }

    private func enforceLimit(_ request: CommandRequest, on leader: Int32, _ isTimedOut: Flag) async {
        // Cancelled when the command has ended in time.
        guard (try? await Task.sleep(for: .seconds(request.timeoutSeconds))) != nil else { return }
        isTimedOut.set()
        kill(-leader, SIGTERM)
        ProcessTable.signalSession(leader, SIGTERM)
        guard (try? await Task.sleep(for: .seconds(request.graceSeconds))) != nil else { return }
        kill(-leader, SIGKILL)
        ProcessTable.signalSession(leader, SIGKILL)
    }

    /// Returns when the process is a zombie. A command closes its output when it ends, so there is rarely anything to wait for.
    private func waitForExit(of pid: Int32) async {
        var pauseMicroseconds = 200
        while true {
            var information = unsafe siginfo_t()
            let status = unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT)
            if status != 0 && errno != EINTR { return }
            if status == 0, unsafe information.si_signo == SIGCHLD { return }
            // In a task of its own: a cancelled task would not sleep at all, and the command is being ended meanwhile.
            let pause = pauseMicroseconds
            await Task { try? await Task.sleep(for: .microseconds(pause)) }.value
            pauseMicroseconds = min(50_000, pauseMicroseconds * 2)
        }
    }
}

/// Set once, read anywhere.
private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    func set() { value.store(true, ordering: .releasing) }
    var isSet: Bool { value.load(ordering: .acquiring) }
}

extension Result where Failure == any Error, Success: Sendable {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}

/// A value of a type that has string literals but whose module is not ours to import: swift-subprocess takes swift-system's paths.
private func literal<Value: ExpressibleByStringLiteral>(_ text: String) -> Value where Value.StringLiteralType == String {
    Value(stringLiteral: text)
}
