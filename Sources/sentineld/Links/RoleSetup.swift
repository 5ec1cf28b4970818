internal import IncidentCore
internal import Platform

/// What the parent tells a new process first.
struct RoleSetup: Codable, Sendable {
    var configurationPath: String
    /// The state directory of `--state`; nil for the installed service.
    var stateDirectory: String?
    /// In order of rising precedence.
    var playbookDirectories: [String]
    /// How often this role has been restarted since the parent started.
    var restarts: Int

    var layout: StateLayout {
        stateDirectory.map { .directory(FilePath($0)) } ?? .system
    }
}

/// Parent to core.
enum ParentMessage: Codable, Sendable {
    case setup(RoleSetup)
    /// A job or exec process runs; its end of the link comes with this frame.
    case started(id: String, processID: Int32)
    /// A process could not be started.
    case startFailed(id: String, reason: String)
    /// A process ended: its status as a shell reports it, 128 + n for signal n.
    case exited(id: String, status: Int32)
    /// A new watch process; its end of the link comes with this frame.
    case watch
    /// The configuration was read again and is valid.
    case reload
    case stop
}

/// Core to parent.
enum CoreMessage: Codable, Sendable {
    /// The control socket answers.
    case ready
    /// Sent at least every second watchdog interval.
    case alive
    case start(id: String, role: String)
    case end(id: String)
    /// A one-line status for the service manager.
    case status(String)
    /// The core cannot work and must not be restarted blindly: what to do is in the text.
    case fatal(vi: String, en: String, hintVi: String, hintEn: String)
    case reloaded
}
