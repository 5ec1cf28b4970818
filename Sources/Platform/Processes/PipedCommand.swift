internal import CLinux
internal import Glibc

/// A foreign command whose standard output is read while it runs. Used by one thread.
///
/// It runs in a session of its own with /dev/null as input; whatever it leaves behind in its process group dies with it, and its
/// whole session when it had to be ended. It also dies with the thread that started it, where setpriv(1) is there.
package final class PipedCommand {
    /// How it ended, as far as that is known.
    package enum End: Sendable, Hashable {
        case exited(ExitStatus)
        case timedOut
        case cancelled
    }

    /// Where the command finds the secret it was given: a file in memory, without a name and readable for its user alone.
    package static let secretPath = "/proc/self/fd/3"

    private let request: CommandRequest
    private let pid: Int32
    private let output: FileDescriptor
    private let errors: FileDescriptor
    private let deadline: Deadline
    private let isCancelled: () -> Bool
    private var errorText: [UInt8] = []
    private var hasErrorText = true
    private var isOutputAtEnd = false
    private var end: End?

    /// How long one wait may keep a cancellation unnoticed.
    private static let watchSeconds = 0.2
    private static let pipeBytes = 1 << 20

    /// The last bytes of standard error, at most ``CommandRequest/outputLimitBytes``.
    package var standardError: [UInt8] { Array(errorText.suffix(request.outputLimitBytes)) }

    /// Starts a command.
    ///
    /// - Parameters:
    ///   - request: Its `stdin` is not used.
    ///   - secret: What the command, and nobody else, is to find at ``secretPath``.
    ///   - isCancelled: Asked several times a second; true ends the command.
    /// - Throws: `CommandError` when it could not be started.
    package init(
        _ request: CommandRequest, secret: [UInt8]? = nil, isCancelled: @escaping () -> Bool = { false }
    ) throws(CommandError) {
        try request.validate()
        ignoreBrokenPipes()
        let started = try Self.start(request, secret)
        pid = started.pid
        self.request = request
        self.isCancelled = isCancelled
        deadline = Deadline(afterSeconds: request.timeoutSeconds)
        output = FileDescriptor(owning: started.output)
        errors = FileDescriptor(owning: started.errors)
    }

    deinit { if end == nil { kill(because: .cancelled) } }

    /// Reads at most `buffer.count` bytes of standard output, waiting for at least one; 0 when there will be none.
    ///
    /// Nothing more comes after the time limit or a cancellation; ``finish()`` says so.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        while end == nil && !isOutputAtEnd {
            if isCancelled() {
                kill(because: .cancelled)
            } else if deadline.isPast {
                kill(because: .timedOut)
            } else if try waitForOutput() {
                let count = try unsafe output.read(into: buffer, path: "")
                if count > 0 { return count }
                isOutputAtEnd = true
            }
        }
        return 0
    }

    /// Waits for the end of the command, within its time limit. Output that was not read is lost.
    package func finish() throws(SystemError) -> End {
        while true {
            if let end { return end }
            if isCancelled() {
                kill(because: .cancelled)
            } else if deadline.isPast {
                kill(because: .timedOut)
            } else if try hasExited() {
                readErrors()
                // Whatever it started and left behind goes, too; its own number is taken until it is reaped below.
                Glibc.kill(-pid, SIGKILL)
                end = .exited(try reap())
            } else {
                // Standard error stays open until the command ends, so this wakes at the right moment.
                _ = try wait(for: hasErrorText ? [errors.raw] : [], seconds: hasErrorText ? Self.watchSeconds : 0.005)
                readErrors()
            }
        }
    }

    // MARK: Waiting

    /// - Returns: True when standard output can be read, or is at its end.
    private func waitForOutput() throws(SystemError) -> Bool {
        let ready = try wait(for: hasErrorText ? [output.raw, errors.raw] : [output.raw], seconds: Self.watchSeconds)
        if ready.contains(errors.raw) { readErrors() }
        return ready.contains(output.raw)
    }

    private func wait(for descriptors: [Int32], seconds: Double) throws(SystemError) -> [Int32] {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let milliseconds = Int32(max(1, min(seconds, deadline.remainingSeconds) * 1000))
        try systemCall("poll") { unsafe poll(&entries, nfds_t(entries.count), milliseconds) }
        return entries.filter { $0.revents != 0 }.map(\.fd)
    }

    /// Takes what there is of standard error and keeps the end of it.
    private func readErrors() {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while hasErrorText {
            let count = unsafe Glibc.read(errors.raw, &chunk, chunk.count)
            if count > 0 {
                errorText.append(contentsOf: chunk[..<count])
                if errorText.count > 2 * request.outputLimitBytes { errorText.removeFirst(errorText.count - request.outputLimitBytes) }
            } else if count < 0 && sentinel_errno() == EINTR {
                continue
            } else {
                if count == 0 || sentinel_errno() != EAGAIN { hasErrorText = false }
                return
            }
        }
    }

    private func hasExited() throws(SystemError) -> Bool {
        var information = unsafe siginfo_t()
        try systemCall("waitid") { unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) }
        return unsafe information.si_signo == SIGCHLD
    }

    private func reap() throws(SystemError) -> ExitStatus {
        var raw: Int32 = 0
        try systemCall("waitpid") { unsafe waitpid(pid, &raw, 0) }
        return ExitStatus(waitStatus: raw)
    }

    /// SIGTERM to the group and the session, SIGKILL to what is left after the grace time.
    private func kill(because reason: End) {
        end = reason
        let grace = Deadline(afterSeconds: request.graceSeconds)
        Glibc.kill(-pid, SIGTERM)
        ProcessTable.signalSession(pid, SIGTERM)
        while !grace.isPast, (try? hasExited()) == false {
            readErrors()
            usleep(2000)
        }
        readErrors()
        Glibc.kill(-pid, SIGKILL)
        ProcessTable.signalSession(pid, SIGKILL)
        // A process stuck in the kernel survives even that; it is left to init rather than waited for without end.
        let last = Deadline(afterSeconds: 10)
        while !last.isPast {
            if (try? hasExited()) != false {
                _ = try? reap()
                return
            }
            usleep(2000)
        }
    }

    // MARK: Starting

    private static func start(
        _ request: CommandRequest, _ secret: [UInt8]?
    ) throws(CommandError) -> (pid: Int32, output: Int32, errors: Int32) {
        let argv = try request.argvForStart(diesWithThread: true)
        do throws(SystemError) {
            let (output, childOutput) = try pipe()
            defer { close(childOutput) }
            let (errors, childErrors) = try pipe()
            defer { close(childErrors) }
            // More than the usual 64 KiB spares switches between the two processes; the kernel may refuse.
            _ = sentinel_fcntl(output, 1031 /* F_SETPIPE_SZ */, pipeBytes)
            _ = sentinel_fcntl(errors, F_SETFL, Int(O_NONBLOCK))
            do throws(SystemError) {
                guard let secret else {
                    return (try spawn(argv, request, output: childOutput, errors: childErrors, secret: nil), output, errors)
                }
                let file = try memoryFile(secret)
                return (try spawn(argv, request, output: childOutput, errors: childErrors, secret: file.raw), output, errors)
            } catch {
                close(output)
                close(errors)
                throw error
            }
        } catch {
            let code: CommandError.Code = error.number == ENOENT || error.number == EACCES ? .notFound : .notStarted
            throw CommandError(code, program: request.programName, detail: error.message.en)
        }
    }

    private static func memoryFile(_ content: [UInt8]) throws(SystemError) -> FileDescriptor {
        let file = FileDescriptor(
            owning: try systemCall("memfd_create") { unsafe "secret".withCString { unsafe sentinel_memory_file($0) } })
        // Clients of databases refuse a password file that others may read.
        try file.setPermissions(0o600)
        try file.writeAll(content, path: "secret")
        return file
    }

    private static func pipe() throws(SystemError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        try systemCall("pipe2") { unsafe sentinel_pipe(&ends) }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ argv: [[UInt8]], _ request: CommandRequest, output: Int32, errors: Int32, secret: Int32?
    ) throws(SystemError) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        try check("posix_spawn_file_actions_init", unsafe posix_spawn_file_actions_init(&actions))
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        try check("posix_spawn_file_actions_addopen", unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0))
        try check("posix_spawn_file_actions_adddup2", unsafe posix_spawn_file_actions_adddup2(&actions, output, 1))
        try check("posix_spawn_file_actions_adddup2", unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2))
        if let secret {
            try check("posix_spawn_file_actions_adddup2", unsafe posix_spawn_file_actions_adddup2(&actions, secret, 3))
        }
        try check("posix_spawn_file_actions_addclosefrom_np", unsafe sentinel_close_from(&actions, secret == nil ? 3 : 4))
        let directory = unsafe request.workingDirectory.withCString { unsafe sentinel_change_directory(&actions, $0) }
        try check("posix_spawn_file_actions_addchdir_np", directory)

        var attributes = posix_spawnattr_t()
        try check("posix_spawnattr_init", unsafe posix_spawnattr_init(&attributes))
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        try check("posix_spawnattr_setsigmask", unsafe posix_spawnattr_setsigmask(&attributes, &signals))
        unsafe sigfillset(&signals)
        try check("posix_spawnattr_setsigdefault", unsafe posix_spawnattr_setsigdefault(&attributes, &signals))
        let flags = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80 /* POSIX_SPAWN_SETSID */)
        try check("posix_spawnattr_setflags", unsafe posix_spawnattr_setflags(&attributes, flags))

        var child: pid_t = 0
        let variables = request.environment.map { Array("\($0.key)=\($0.value)".utf8) }
        let program = FilePath(bytes: argv.first ?? [])
        let status = unsafe program.withCString { path in
            unsafe withCStrings(argv) { argv in
                unsafe withCStrings(variables) { environment in
                    unsafe posix_spawn(&child, path, &actions, &attributes, argv, environment)
                }
            }
        }
        try check("posix_spawn", status)
        return child
    }

    private static func check(_ call: String, _ status: Int32) throws(SystemError) {
        if status != 0 { throw SystemError(call, status) }
    }
}

/// Calls `body` with a NULL-terminated array of C strings that lives as long as the call.
private func withCStrings<Result>(
    _ strings: [[UInt8]], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() {
        // The request was validated: no string holds a NUL.
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count + 1)
        for (offset, byte) in string.enumerated() { unsafe (copy + offset).initialize(to: CChar(bitPattern: byte)) }
        unsafe (copy + string.count).initialize(to: 0)
        unsafe (pointers + index).initialize(to: copy)
    }
    unsafe (pointers + strings.count).initialize(to: nil)
    defer {
        for index in strings.indices { unsafe pointers[index]?.deallocate() }
        unsafe pointers.deallocate()
    }
    return unsafe body(pointers)
}

extension CommandRequest {
    private static let setpriv: FilePath = "/usr/bin/setpriv"

    /// The words to start: setpriv(1) of util-linux, essential on Debian, in front of a command that runs as another user, or that is
    /// to die with the thread that starts it.
    ///
    /// - Parameter diesWithThread: Left out where there is no setpriv, as on some rescue disks.
    func argvForStart(diesWithThread: Bool = false) throws(CommandError) -> [[UInt8]] {
        // Looked up here, as setpriv would only report a status of its own.
        let program = FilePath(bytes: argv.first ?? [])
        guard let status = try? FileStatus.of(program), status.kind == .file, status.mode & 0o111 != 0 else {
            throw CommandError(.notFound, program: programName)
        }
        let isOther = uid != nil || gid != nil
        if !isOther && !diesWithThread { return argv }
        if !isOther, (try? FileStatus.exists(Self.setpriv)) != true { return argv }
        var words = [Self.setpriv.description]
        if diesWithThread { words += ["--pdeathsig", "KILL"] }
        if let uid { words += ["--reuid", "\(uid)"] }
        if let gid { words += ["--regid", "\(gid)"] }
        if isOther {
            let list = groups.map { "\($0)" }.joined(separator: ",")
            words.append(list.isEmpty ? "--clear-groups" : "--groups=\(list)")
        }
        words += ["--inh-caps=-all", "--"]
        return words.map { Array($0.utf8) } + argv
    }
}
