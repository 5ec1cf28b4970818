package import Platform

/// What only the running daemon knows and the ledger does not.
package struct StatusInputs: Sendable {
    package var version: String
    package var watch: WatchStatusView
    package var health: [HealthStatusView]
    /// Time of the newest checkpoint that lies outside this host; nil when there is none.
    package var newestOutsideCheckpoint: Timestamp?
    /// False while a part of the daemon is not running: its absence is a problem by itself.
    package var isWatching: Bool

    package init(
        version: String, watch: WatchStatusView, health: [HealthStatusView], newestOutsideCheckpoint: Timestamp?, isWatching: Bool
    ) {
        self.version = version
        self.watch = watch
        self.health = health
        self.newestOutsideCheckpoint = newestOutsideCheckpoint
        self.isWatching = isWatching
    }
}

/// Coverage of file watching, counted.
package struct WatchStatusView: Codable, Sendable, Equatable {
    package var areas: Int
    package var realtimeAreas: Int
    package var files: Int
    /// Blind intervals that no rescan has covered yet.
    package var openBlindIntervals: Int
    package var hasBaseline: Bool
    /// Changes against the approved state that nobody accepted.
    package var pendingChanges: Int?

    package init(
        areas: Int, realtimeAreas: Int, files: Int, openBlindIntervals: Int, hasBaseline: Bool, pendingChanges: Int? = nil
    ) {
        self.areas = areas
        self.realtimeAreas = realtimeAreas
        self.files = files
        self.openBlindIntervals = openBlindIntervals
        self.hasBaseline = hasBaseline
        self.pendingChanges = pendingChanges
    }
}

/// State of one health check.
package struct HealthStatusView: Codable, Sendable, Equatable {
    package var check: String
    /// `up`, `down`, `unreachable` or `unknown`.
    package var state: String
    /// RFC 3339.
    package var since: String?
    package var detail: Phrase?

    package init(check: String, state: String, since: String?, detail: Phrase?) {
        self.check = check
        self.state = state
        self.since = since
        self.detail = detail
    }
}

/// Age of the record's newest outside witness.
package struct CheckpointStatusView: Codable, Sendable, Equatable {
    package var events: Int64
    /// RFC 3339; nil when no checkpoint lies outside this host.
    package var newestOutside: String?
    package var ageSeconds: Int64?
    package var isFresh: Bool
}

/// One reason why the answer to "are we protected?" is no.
package struct StatusProblem: Codable, Sendable, Equatable {
    package enum Kind: String, Codable, Sendable {
        case incident, backup, drill, checkpoint, watch, health, notification
    }
    package var kind: Kind
    package var subject: String
    package var text: Phrase
}

/// One page: are we protected, what is open, when did we last prove that we can restore.
package struct StatusView: Codable, Sendable, Equatable {
    /// The record must have a witness outside this host that is younger than this.
    package static let checkpointAgeLimitSeconds: Int64 = 86400

    package var siteName: String
    package var siteCode: String
    package var version: String
    /// RFC 3339.
    package var moment: String
    /// True when ``problems`` is empty.
    package var isProtected: Bool
    package var problems: [StatusProblem]
    package var incidents: [IncidentSummary]
    package var jobs: [JobView]
    package var drills: [DrillView]
    package var repositories: [RepositoryView]
    package var checkpoint: CheckpointStatusView
    package var watch: WatchStatusView
    package var health: [HealthStatusView]
    package var holds: Int
    /// The incident that makes new snapshots suspect; nil when there is none.
    package var alarm: String?
    /// Messages that wait, and those given up within the last week.
    package var notificationsPending: Int
    package var notificationsFailed: Int
}
