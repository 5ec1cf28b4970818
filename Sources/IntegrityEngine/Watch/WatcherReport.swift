package import Platform

/// A change that the watcher saw.
package struct ObservedChange: Sendable {
    package let change: Change
    /// The rule that the path belongs to.
    package let rule: String
    /// When the new state was read.
    package let moment: Timestamp
}

/// A rescan that is over: its changes were delivered before.
package struct RescanReport: Sendable {
    package enum Reason: String, Sendable {
        /// The watcher started.
        case started
        /// Blind intervals had to be closed.
        case blind
        /// Somebody asked for it.
        case requested
    }
    package let reasons: [Reason]
    /// Nil: all rules.
    package let areas: [FilePath]?
    package let isFull: Bool
    package let scan: ScanReport
    /// The blind intervals that it closes.
    package let closed: [BlindInterval]
}

/// What the watcher tells. Returning acknowledges it; after an error it is told again.
package enum WatcherReport: Sendable {
    /// At most ``Watcher/Settings/batchLimit`` changes. A change can come twice, with the same fingerprint, when the process ended
    /// between the acknowledgement and the update of the observed state.
    case changes([ObservedChange])
    case blind(BlindInterval)
    case rescanned(RescanReport)
}

/// Which guarantee a rule has at the moment.
package struct RuleCoverage: Sendable {
    package enum Guarantee: String, Sendable {
        /// Every directory is watched.
        case realtime
        /// Some directories are only rescanned.
        case partial
        /// No directory is watched.
        case rescanOnly
        /// The root is not there.
        case missing
    }
    package struct Unwatched: Sendable, Hashable {
        package let area: FilePath
        package let reason: BlindInterval.Reason
        package let since: Timestamp
    }
    package let rule: WatchRule
    package let guarantee: Guarantee
    package let watchedDirectories: Int
    /// At most ``maximumUnwatched``.
    package let unwatched: [Unwatched]
    /// The newest first, at most ``maximumIntervals``.
    package let blindIntervals: [BlindInterval]
    package let lastRescan: Timestamp?

    package static let maximumUnwatched = 1000
    package static let maximumIntervals = 100
}
