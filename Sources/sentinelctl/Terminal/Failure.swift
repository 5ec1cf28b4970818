internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import IncidentCore
internal import Platform

/// A failure of the command itself, with the exit status it means.
struct CommandFailure: ExplainedError {
    let message: Phrase
    let hint: Phrase?
    let status: Int32

    init(vi: String, en: String, hint: Phrase? = nil, _ exit: ControlAPI.ExitCode = .failure) {
        message = Phrase(vi: vi, en: en)
        self.hint = hint
        status = exit.rawValue
    }

    init(_ failure: ControlFailure) {
        message = Phrase(vi: failure.message.vi, en: failure.message.en)
        hint = failure.hint.map { Phrase(vi: $0.vi, en: $0.en) }
        status = failure.exit
    }
}

/// The exit status that an error means: one table for all commands.
func exitStatus(of error: any Error) -> Int32 {
    switch error {
    case let error as CommandFailure: error.status
    case let error as RepositoryError: error.exitCode.rawValue
    case is ConfigError, is PlaybookError: ControlAPI.ExitCode.configuration.rawValue
    case is CancellationError: ControlAPI.ExitCode.interrupted.rawValue
    default: ControlAPI.ExitCode.failure.rawValue
    }
}

/// Prints `sentinelctl: error: …` and `hint: …`.
func report(_ error: any Error, _ interface: Interface) {
    interface.endProgress()
    let message = (error as? any ExplainedError).map { interface.text($0.message) } ?? escapedForDisplay("\(error)")
    interface.warn("sentinelctl: \(interface("lỗi", "error")): \(message)")
    if let hint = (error as? any ExplainedError)?.hint { interface.warn("\(interface("gợi ý", "hint")): \(interface.text(hint))") }
}
