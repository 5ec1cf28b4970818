internal import Glibc
package import Platform
private import Synchronization

/// How a process ended.
package enum ProcessEnd: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)
}

/// What a process wrote and how it ended.
package struct ProcessOutput: Sendable, CustomStringConvertible {
    package let arguments: [String]
    package let end: ProcessEnd
    /// True when it was killed because its time was over.
    package let isTimedOut: Bool
    package let standardOutput: [UInt8]
    package let standardError: [UInt8]

    package var text: String { String(decoding: standardOutput, as: UTF8.self) }
    package var errorText: String { String(decoding: standardError, as: UTF8.self) }
    /// The exit status; 128 + the number for a signal, as a shell reports it.
    package var status: Int32 {
        switch end {
        case .exited(let status): status
        case .signalled(let number): 128 + number
        }
    }

    package var description: String {
        """
        \(arguments.joined(separator: " ")): \(end)\(isTimedOut ? " (time limit)" : "")
        --- stdout
        \(text)
        --- stderr
        \(errorText)
        """
    }
}

/// A running child process in a process group of its own, its output going to files without a name.
///
/// Output files instead of pipes: nobody has to read along, and a grandchild that keeps them open blocks nothing.
package final class SpawnedProcess: Sendable {
    package let pid: Int32
    package let arguments: [String]
    private let output: FileDescriptor
    private let errors: FileDescriptor
    private let end = Mutex<ProcessEnd?>(nil)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - arguments: The absolute path of the program, then its arguments.
    ///   - environment: The whole environment; that of this process when nil.
    ///   - input: What the program can read from its standard input.
    ///   - directory: Its working directory; that of this process when nil.
    package init(
        _ arguments: [String], environment: [String: String]? = nil, input: [UInt8] = [], directory: FilePath? = nil
    ) throws {
        guard let program = arguments.first, program.hasPrefix("/") else {
            throw SystemError("posix_spawn", EINVAL, subject: arguments.first ?? "")
        }
        self.arguments = arguments
        // Swift's C library module lacks posix_spawn_file_actions_addchdir_np; env keeps the process id.
        let command = try directory.map { try ["/usr/bin/env", "-C", Self.utf8($0)] + arguments } ?? arguments
        let stdin = try Self.namelessFile(input)
        output = try Self.namelessFile([])
        errors = try Self.namelessFile([])

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, stdin.raw, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output.raw, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors.raw, 2)

        // The test runner's signal mask and ignored signals are not the child's business.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        let variables = environment.map { $0.map { "\($0.key)=\($0.value)" } } ?? Self.ownEnvironment()
        var child: pid_t = 0
        let status = unsafe withCStrings(command) { argv in
            unsafe withCStrings(variables) { envp in
                unsafe posix_spawn(&child, command[0], &actions, &attributes, argv, envp)
            }
        }
        if status != 0 { throw SystemError("posix_spawn", status, subject: program) }
        pid = child
    }

    deinit {
        if end.withLock({ $0 }) == nil {
            kill(-pid, SIGKILL)
            var status: Int32 = 0
            unsafe waitpid(pid, &status, 0)
        }
    }

    /// What it wrote to standard output so far.
    package var standardOutput: [UInt8] { Self.content(of: output) }
    /// What it wrote to standard error so far.
    package var standardError: [UInt8] { Self.content(of: errors) }

    /// How it ended, or nil while it runs. Never blocks.
    package func poll() -> ProcessEnd? {
        end.withLock { end in
            if end != nil { return end }
            var status: Int32 = 0
            guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return nil }
            let signal = status & 0x7F
            end = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
            return end
        }
    }

    /// Waits for the end at most `seconds`; nil when it still runs then.
    package func wait(seconds: Double) async -> ProcessEnd? {
        let deadline = Monotonic.nanoseconds() + UInt64(seconds * 1e9)
        var pauseMilliseconds = 1
        while true {
            if let end = poll() { return end }
            if Monotonic.nanoseconds() >= deadline || Task.isCancelled { return nil }
            try? await Task.sleep(for: .milliseconds(pauseMilliseconds))
            pauseMilliseconds = min(20, pauseMilliseconds * 2)
        }
    }

    /// Sends a signal to the process alone.
    package func send(_ signal: Int32) {
        if poll() == nil { kill(pid, signal) }
    }

    /// Kills the process and everything in its group, and reaps it.
    package func killGroup() async {
        kill(-pid, SIGKILL)
        _ = await wait(seconds: 30)
    }

    private static func namelessFile(_ content: [UInt8]) throws -> FileDescriptor {
        let base = environmentValue("SENTINEL_TEST_TMPDIR") ?? environmentValue("TMPDIR") ?? "/tmp"
        var generator = SystemRandomNumberGenerator()
        let path = FilePath(base) / "sentinel-output-\(String(generator.next() as UInt64, radix: 36))"
        let file = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND)
        _ = unsafe path.withCString { unsafe unlink($0) }
        try file.writeAll(content, path: path)
        lseek(file.raw, 0, SEEK_SET)
        return file
    }

    /// At most 64 MiB of the file: no test needs more, and a runaway child must not take the runner with it.
    private static func content(of file: borrowing FileDescriptor) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while result.count < 64 << 20 {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                (try? unsafe file.read(into: buffer, at: UInt64(result.count), path: "output")) ?? 0
            }
            if count == 0 { break }
            result += chunk[..<count]
        }
        return result
    }

    private static func utf8(_ path: FilePath) throws -> String {
        guard let text = path.utf8 else { throw SystemError("chdir", EINVAL, path: path) }
        return text
    }

    fileprivate static func ownEnvironment() -> [String] {
        var result: [String] = []
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            result.append(unsafe String(cString: text))
            unsafe entry += 1
        }
        return result
    }
}

/// Runs a program to its end, or kills its process group when `timeLimitSeconds` are over.
///
/// A status other than 0 is a result, not an error; see ``SpawnedProcess`` for the parameters.
package func runProcess(
    _ arguments: [String], environment: [String: String]? = nil, input: [UInt8] = [], directory: FilePath? = nil,
    timeLimitSeconds: Double = 60
) async throws -> ProcessOutput {
    let process = try SpawnedProcess(arguments, environment: environment, input: input, directory: directory)
    var end = await process.wait(seconds: timeLimitSeconds)
    let isTimedOut = end == nil
    if isTimedOut {
        await process.killGroup()
        end = process.poll()
    }
    return ProcessOutput(
        arguments: arguments, end: end ?? .signalled(SIGKILL), isTimedOut: isTimedOut,
        standardOutput: process.standardOutput, standardError: process.standardError)
}

/// The environment of this process, with `changes` on top; a nil value removes the variable.
package func inheritedEnvironment(_ changes: [String: String?] = [:]) -> [String: String] {
    var result: [String: String] = [:]
    for variable in SpawnedProcess.ownEnvironment() {
        let pair = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if pair.count == 2 { result[String(pair[0])] = String(pair[1]) }
    }
    for (name, value) in changes { result[name] = value }
    return result
}

/// The absolute path of a program on `PATH` or in an `sbin`, or nil when it is not installed.
package func availableCommand(_ name: String) -> String? {
    let directories: [Substring] = (environmentValue("PATH") ?? "/usr/bin:/bin").split(separator: ":") + ["/usr/sbin", "/sbin"]
    for directory in directories {
        let path = FilePath(bytes: directory.utf8) / name
        let isExecutable = unsafe path.withCString { unsafe access($0, X_OK) } == 0
        if isExecutable, (try? FileStatus.of(path))?.kind == .file { return path.utf8 }
    }
    return nil
}

/// True when the tests run as root, for whom permissions do not exist.
package var isRoot: Bool { geteuid() == 0 }

/// Calls `body` with a NULL-terminated array of C strings that lives as long as the call.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
        unsafe body(buffer.baseAddress!)
    }
}
