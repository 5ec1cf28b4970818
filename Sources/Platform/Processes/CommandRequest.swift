/// One foreign command: what to run, with which rights and limits. There is never a shell in between.
package struct CommandRequest: Sendable, Hashable {
    /// The absolute path of the program, then its arguments, each exactly one argument to it.
    package var argv: [[UInt8]]
    /// The whole environment; nothing is inherited.
    package var environment: [String: String]
    /// What the program can read, then it sees the end.
    package var stdin: [UInt8]
    /// After this time the program and everything it started get SIGTERM, and SIGKILL ``graceSeconds`` later.
    package var timeoutSeconds: Double
    package var graceSeconds: Double
    /// How much of stdout, and as much of stderr, is kept; the rest is read and dropped.
    package var outputLimitBytes: Int
    package var workingDirectory: FilePath
    /// The user to run as, with its ``gid``; needs root. Nil: the user of this process.
    package var uid: UInt32?
    package var gid: UInt32?
    /// Supplementary groups with ``uid``; none by default.
    package var groups: [UInt32]

    package static let minimalEnvironment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]

    package init(
        argv: [[UInt8]], environment: [String: String] = CommandRequest.minimalEnvironment, stdin: [UInt8] = [],
        timeoutSeconds: Double = 30, graceSeconds: Double = 2, outputLimitBytes: Int = 64 * 1024,
        workingDirectory: FilePath = "/", uid: UInt32? = nil, gid: UInt32? = nil, groups: [UInt32] = []
    ) {
        self.argv = argv
        self.environment = environment
        self.stdin = stdin
        self.timeoutSeconds = timeoutSeconds
        self.graceSeconds = graceSeconds
        self.outputLimitBytes = outputLimitBytes
        self.workingDirectory = workingDirectory
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }

    package init(
        argv: [String], environment: [String: String] = CommandRequest.minimalEnvironment, stdin: [UInt8] = [],
        timeoutSeconds: Double = 30, graceSeconds: Double = 2, outputLimitBytes: Int = 64 * 1024,
        workingDirectory: FilePath = "/", uid: UInt32? = nil, gid: UInt32? = nil, groups: [UInt32] = []
    ) {
        self.init(
            argv: argv.map { Array($0.utf8) }, environment: environment, stdin: stdin, timeoutSeconds: timeoutSeconds,
            graceSeconds: graceSeconds, outputLimitBytes: outputLimitBytes, workingDirectory: workingDirectory, uid: uid,
            gid: gid, groups: groups)
    }

    /// The program, for messages.
    package var programName: String { escapedForDisplay(argv.first ?? []) }

    /// Refuses what the kernel would misread: a relative program, bytes after a NUL, limits without sense.
    func validate() throws(CommandError) {
        guard let program = argv.first, program.first == FilePath.slash else {
            throw CommandError(.invalidArgument, program: programName, detail: "argv[0]")
        }
        guard String(validating: program, as: UTF8.self) != nil, workingDirectory.isAbsolute, workingDirectory.utf8 != nil else {
            throw CommandError(.invalidArgument, program: programName, detail: workingDirectory.description)
        }
        if uid == nil && !groups.isEmpty || uid != nil && gid == nil {
            throw CommandError(.invalidArgument, program: programName, detail: "uid, gid, groups")
        }
        let isClean =
            argv.allSatisfy { !$0.contains(0) }
            && environment.allSatisfy { key, value in
                !key.isEmpty && !key.utf8.contains(0) && !key.utf8.contains(UInt8(ascii: "=")) && !value.utf8.contains(0)
            }
        if !isClean { throw CommandError(.invalidArgument, program: programName, detail: "NUL") }
        guard timeoutSeconds > 0, timeoutSeconds <= 30 * 86400, graceSeconds >= 0, graceSeconds <= 3600, outputLimitBytes >= 0 else {
            throw CommandError(.invalidArgument, program: programName, detail: "timeoutSeconds, outputLimitBytes")
        }
    }
}

/// What a command did.
package struct CommandResult: Sendable, Hashable {
    package let status: ExitStatus
    /// True when it was ended because its time was over.
    package let isTimedOut: Bool
    package let stdout: [UInt8]
    package let stderr: [UInt8]
    /// True when some output was dropped.
    package let isTruncated: Bool
    package let durationSeconds: Double

    package init(
        status: ExitStatus, isTimedOut: Bool = false, stdout: [UInt8] = [], stderr: [UInt8] = [], isTruncated: Bool = false,
        durationSeconds: Double = 0
    ) {
        self.status = status
        self.isTimedOut = isTimedOut
        self.stdout = stdout
        self.stderr = stderr
        self.isTruncated = isTruncated
        self.durationSeconds = durationSeconds
    }

    /// Exit status 0 within the time.
    package var isSuccess: Bool { status.isSuccess && !isTimedOut }
}

/// A command that did not run, as opposed to one that ran and failed.
package struct CommandError: ExplainedError, Equatable {
    package enum Code: String, Sendable {
        /// The request itself is wrong.
        case invalidArgument
        /// No such program, or it may not be executed.
        case notFound
        /// The kernel refused to start it: user, directory, limits.
        case notStarted
        /// It ran, but this process lost sight of it.
        case notObserved
        /// The calling task was cancelled; the command has been ended.
        case cancelled
    }

    package let code: Code
    package let program: String
    package let detail: String

    package init(_ code: Code, program: String, detail: String = "") {
        self.code = code
        self.program = program
        self.detail = detail
    }

    package var message: Phrase {
        let reason: Phrase =
            switch code {
            case .invalidArgument: Phrase(vi: "tham số không hợp lệ", en: "invalid argument")
            case .notFound: Phrase(vi: "không tìm thấy hoặc không được phép chạy", en: "not found, or not executable")
            case .notStarted: Phrase(vi: "không khởi động được", en: "could not be started")
            case .notObserved: Phrase(vi: "không theo dõi được", en: "could not be observed")
            case .cancelled: Phrase(vi: "đã bị hủy", en: "was cancelled")
            }
        let suffix = detail.isEmpty ? "" : " (\(detail))"
        return Phrase(vi: "lệnh '\(program)': \(reason.vi)\(suffix)", en: "command '\(program)': \(reason.en)\(suffix)")
    }

    package var hint: Phrase? {
        switch code {
        case .notFound:
            Phrase(vi: "cài đặt chương trình, hoặc sửa đường dẫn trong cấu hình", en: "install the program, or correct its path in the configuration")
        case .invalidArgument:
            Phrase(vi: "dùng đường dẫn tuyệt đối và giới hạn hợp lệ", en: "use an absolute path and sensible limits")
        default: nil
        }
    }
}
