package import BackupEngine
package import ControlAPI

extension RepositoryError {
    /// What the failure means as an exit status; restic's numbers where it has one.
    package var exitCode: ExitCode {
        switch code {
        case .noRepository: .noRepository
        case .locked: .locked
        case .wrongPassword: .wrongPassword
        case .corrupt: .damaged
        case .interrupted: .interrupted
        case .missing, .exists, .storage, .unsupported, .invalidArgument, .emptySnapshot, .producer: .failure
        }
    }
}

extension IncidentError {
    /// What the refusal means as an exit status.
    package var exitCode: ExitCode {
        switch code {
        case .notFound: .notFound
        case .refused, .notPermitted: .refused
        case .invalidArgument: .usage
        case .damaged: .damaged
        }
    }
}
