/// What one process of the daemon is there for. The raw value is the argument after `--role`.
package enum ProcessRole: String, Sendable, Hashable, Codable, CaseIterable {
    /// Ledger, control socket, health checks, notification, schedules.
    case core
    /// Watches and hashes files.
    case watch
    /// One backup, scan or check: reads everything, writes only the repository.
    case backupJob = "job-backup"
    /// One restore or drill.
    case restoreJob = "job-restore"
    /// One foreign command.
    case exec

    /// The capabilities the role keeps in system mode; everything else is given up before its first thread starts.
    package var capabilities: CapabilitySet {
        switch self {
        case .core, .exec: []
        case .watch: [.systemAdministration, .readSearch, .trace]
        case .backupJob: [.readSearch]
        case .restoreJob: [.readSearch, .changeOwner, .actAsOwner, .overridePermissions, .keepSetID]
        }
    }

    /// Watching needs no network, so a hostile file must not find one.
    package var hasNetwork: Bool { self != .watch }
}

/// A set of Linux capabilities, one bit each; numbers as in linux/capability.h.
package struct CapabilitySet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// CAP_CHOWN
    package static let changeOwner = CapabilitySet(rawValue: 1 << 0)
    /// CAP_DAC_OVERRIDE
    package static let overridePermissions = CapabilitySet(rawValue: 1 << 1)
    /// CAP_DAC_READ_SEARCH: reading any file, and open_by_handle_at
    package static let readSearch = CapabilitySet(rawValue: 1 << 2)
    /// CAP_FOWNER: times, modes and attributes of files of others
    package static let actAsOwner = CapabilitySet(rawValue: 1 << 3)
    /// CAP_FSETID: a restored file keeps its set-group-ID bit
    package static let keepSetID = CapabilitySet(rawValue: 1 << 4)
    /// CAP_SYS_PTRACE: which program a process of another user runs
    package static let trace = CapabilitySet(rawValue: 1 << 19)
    /// CAP_SYS_ADMIN: fanotify marks on whole file systems
    package static let systemAdministration = CapabilitySet(rawValue: 1 << 21)
}
