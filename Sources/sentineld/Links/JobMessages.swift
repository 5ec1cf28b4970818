internal import ControlAPI
internal import FoundationEssentials
internal import IncidentCore
internal import Platform

/// Core to job: the first message. Where secrets lie, never the secrets.
struct JobSetup: Codable, Sendable {
    struct Secret: Codable, Sendable {
        enum Purpose: String, Codable, Sendable { case password, credential }
        var repository: String
        var purpose: Purpose
        /// Path of a file, or name of a credential.
        var source: String
        var isFile: Bool

        init(_ reference: SecretReference, of repository: String, _ purpose: Purpose) {
            self.repository = repository
            self.purpose = purpose
            switch reference {
            case .credential(let name): (source, isFile) = (name, false)
            case .file(let path): (source, isFile) = (path.utf8 ?? "", true)
            }
        }
    }

    var order: JobOrder
    var secrets: [Secret]
    var keys: String
}

/// What a job is to do.
enum JobOrder: Codable, Sendable {
    case backup(BackupOrder)
    case drill(DrillOrder)
    case upkeep(UpkeepOrder)
}

/// Job to core. The last report is a result or a failure; without one the job has died. A question is answered with an
/// ``UpkeepAnswer``, before anything else is sent.
enum JobReport: Codable, Sendable {
    case progress(Double?, String)
    case question(UpkeepQuestion)
    case upkeep(UpkeepResult)
    case backup(BackupResult)
    case drill(DrillResult)
    case failed(WireFailure)
}

/// A failure with its explanation, between our own processes.
struct WireFailure: Codable, Sendable, ExplainedError {
    let vi: String
    let en: String
    let hintVi: String?
    let hintEn: String?
    let exit: Int32

    init(_ error: any Error) {
        let explained = error as? any ExplainedError
        let message = explained?.message ?? Phrase(verbatim: escapedForDisplay("\(error)"))
        (vi, en) = (message.vi, message.en)
        (hintVi, hintEn) = (explained?.hint?.vi, explained?.hint?.en)
        exit = exitCode(of: error).rawValue
    }

    var message: Phrase { Phrase(vi: vi, en: en) }
    var hint: Phrase? {
        guard let hintVi, let hintEn else { return nil }
        return Phrase(vi: hintVi, en: hintEn)
    }
}

/// Core to exec: one command. Texts are bytes in base64, because arguments and input need not be UTF-8.
struct ExecOrder: Codable, Sendable {
    var argvBase64: [String]
    var environment: [String: String]
    var stdinBase64: String
    var timeoutSeconds: Double
    var outputLimitBytes: Int

    init(_ request: CommandRequest) {
        argvBase64 = request.argv.map { Data($0).base64EncodedString() }
        environment = request.environment
        stdinBase64 = Data(request.stdin).base64EncodedString()
        timeoutSeconds = request.timeoutSeconds
        outputLimitBytes = request.outputLimitBytes
    }

    var request: CommandRequest {
        CommandRequest(
            argv: argvBase64.map { [UInt8](Data(base64Encoded: $0) ?? Data()) }, environment: environment,
            stdin: [UInt8](Data(base64Encoded: stdinBase64) ?? Data()), timeoutSeconds: timeoutSeconds,
            outputLimitBytes: outputLimitBytes)
    }
}

/// Exec to core: how the command ended, or why it did not run.
enum ExecReport: Codable, Sendable {
    case ended(status: ExitStatus, isTimedOut: Bool, stdoutBase64: String, stderrBase64: String, isTruncated: Bool)
    case failed(WireFailure)

    init(_ result: CommandResult) {
        self = .ended(
            status: result.status, isTimedOut: result.isTimedOut, stdoutBase64: Data(result.stdout).base64EncodedString(),
            stderrBase64: Data(result.stderr).base64EncodedString(), isTruncated: result.isTruncated)
    }

    /// - Throws: The failure of a command that did not run.
    func result() throws -> CommandResult {
        switch self {
        case .failed(let failure): throw failure
        case .ended(let status, let isTimedOut, let stdout, let stderr, let isTruncated):
            return CommandResult(
                status: status, isTimedOut: isTimedOut, stdout: [UInt8](Data(base64Encoded: stdout) ?? Data()),
                stderr: [UInt8](Data(base64Encoded: stderr) ?? Data()), isTruncated: isTruncated)
        }
    }
}
