internal import Ledger
internal import Platform

/// Makes the one page.
package struct StatusService: Sendable {
    private static let failedNotificationSeconds: Int64 = 7 * 86400

    private let incidents: IncidentService
    private let history: SpaceHistory?

    package init(incidents: IncidentService, history: SpaceHistory? = nil) {
        self.incidents = incidents
        self.history = history
    }

    /// The state now, from the ledger and what the daemon knows, read as one unchanging state.
    package func status(_ inputs: StatusInputs) async throws -> StatusView {
        let policy = incidents.policy
        let builder = incidents.builder
        let now = incidents.now
        let history = history
        return try await incidents.ledger.read { database in
            let configuration = policy.configuration
            let open = try IncidentTable.list(IncidentFilter(), in: database).map { try builder.summary(of: $0, in: database) }
            let notifications = try Self.notifications(now: now, in: database)
            var view = StatusView(
                siteName: configuration.site.name, siteCode: configuration.site.code, version: inputs.version,
                moment: viewTime(now), isProtected: false, problems: [], incidents: open,
                jobs: try JobService.views(configuration, now: now, in: database),
                drills: try DrillService.views(configuration, now: now, in: database),
                repositories: try RepositoryService.views(configuration, history: history, now: now, in: database),
                checkpoint: try Self.checkpoint(inputs.newestOutsideCheckpoint, now: now, in: database), watch: inputs.watch,
                health: inputs.health, holds: try Holds.list(includingReleased: false, in: database).count,
                alarm: try Alarm.current(in: database),
                notificationsPending: notifications.pending, notificationsFailed: notifications.failed)
            view.problems = StatusProblems.of(view, isWatching: inputs.isWatching)
            view.isProtected = view.problems.isEmpty
            return view
        }
    }

    private static func checkpoint(_ newest: Timestamp?, now: Timestamp, in database: Database) throws -> CheckpointStatusView {
        let age = newest.map { max(0, now.seconds - $0.seconds) }
        return CheckpointStatusView(
            events: try EventTable.count(in: database), newestOutside: newest.map { viewTime($0) }, ageSeconds: age,
            isFresh: age.map { $0 < StatusView.checkpointAgeLimitSeconds } ?? false)
    }

    private static func notifications(now: Timestamp, in database: Database) throws -> (pending: Int, failed: Int) {
        let since = now.adding(seconds: -failedNotificationSeconds).millisecondsSinceEpoch
        let counts = try database.first(
            """
            SELECT coalesce(sum(state='pending'), 0), coalesce(sum(state='failed' AND settled >= ?1), 0) FROM outbox
            WHERE state IN ('pending', 'failed')
            """, SQLValue(since)
        ) { row throws(DatabaseError) in (Int(row.integer(0)), Int(row.integer(1))) }
        return counts ?? (0, 0)
    }
}
