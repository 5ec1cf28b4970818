internal import BackupEngine
internal import ControlAPI
internal import HTTPTypes
internal import IncidentCore
internal import Platform

/// The exit status that an error means to whoever asked for the work; the same table for socket and jobs.
func exitCode(of error: any Error) -> ControlAPI.ExitCode {
    switch error {
    case let error as ControlRefusal: error.exit
    case let error as WireFailure: ControlAPI.ExitCode(rawValue: error.exit) ?? .failure
    case let error as RepositoryError: error.exitCode
    case let error as IncidentError: error.exitCode
    case is ConfigError, is PlaybookError: .configuration
    default: .failure
    }
}

/// The status of the answer on the control socket.
func httpStatus(of error: any Error) -> HTTPResponse.Status {
    if let refusal = error as? ControlRefusal { return refusal.status }
    switch exitCode(of: error) {
    case .notFound, .noRepository: return .notFound
    case .refused: return .forbidden
    case .usage, .configuration: return .badRequest
    case .locked: return .conflict
    default: return .internalServerError
    }
}
