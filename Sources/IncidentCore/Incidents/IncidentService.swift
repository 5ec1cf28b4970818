package import Ledger
package import Platform

/// Everything that can be done with incidents: detectors report, people act, anyone may look.
///
/// Each call is one ledger transaction. The answers are views of the state after it.
package final class IncidentService: Sendable {
    let ledger: Ledger
    let definitions: PlaybookDefinitions
    let batches: BatchStore
    private let currentPolicy: @Sendable () -> ResponsePolicy
    private let clock: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - definitions: Must have preserved the playbooks of every policy before it comes into force.
    ///   - policy: The configuration and playbooks in force; asked at each call.
    ///   - now: The wall clock.
    package init(
        ledger: Ledger, definitions: PlaybookDefinitions, batches: BatchStore,
        policy: @escaping @Sendable () -> ResponsePolicy, now: @escaping @Sendable () -> Timestamp = { .now() }
    ) {
        self.ledger = ledger
        self.definitions = definitions
        self.batches = batches
        currentPolicy = policy
        clock = now
    }

    var policy: ResponsePolicy { currentPolicy() }
    var now: Timestamp { clock() }

    /// The projections that this service needs, in the order in which the ledger applies them.
    package static let projections: [any Projection] = [
        IncidentProjection(), PlaybookRunProjection(), HoldProjection(), ApprovedBaselineProjection(), OutboxProjection(),
        JobProjection(), DrillProjection(), ReceiptProjection(),
    ]

    // MARK: Findings

    /// Records findings and does what the rules say, all in one transaction.
    ///
    /// - Returns: One outcome for each finding, in order. Reporting the same occurrence again changes nothing.
    @discardableResult
    package func report(_ findings: [Finding]) async throws -> [FindingOutcome] {
        if findings.isEmpty { return [] }
        let prepared = try await prepare(findings)
        let intake = intake
        return try await ledger.commit { transaction in
            try prepared.map { try intake.report($0, in: transaction) }
        }
    }

    var intake: FindingIntake { FindingIntake(policy: policy, now: now) }

    /// Writes what is large to batch files, before the transaction and off the shared pool: it waits for the disk.
    func prepare(_ findings: [Finding]) async throws -> [FindingIntake.Prepared] {
        if !findings.contains(where: FindingPreparation.needsBatch) { return findings.map { .init(finding: $0, batch: nil) } }
        let batches = batches
        return try await OwnThread.run(name: "batches") {
            try findings.map { try FindingPreparation.prepare($0, batches: batches) }
        }
    }

    // MARK: Looking

    package func list(_ filter: IncidentFilter = IncidentFilter()) async throws -> [IncidentSummary] {
        let builder = builder
        return try await ledger.read { database in
            try IncidentTable.list(filter, in: database).map { try builder.summary(of: $0, in: database) }
        }
    }

    /// - Parameter id: The number, also in a short form such as `2026-1`.
    /// - Throws: `IncidentError.notFound` with the nearest number.
    package func show(_ id: String) async throws -> IncidentDetail {
        let builder = builder
        return try await ledger.read { database in
            try builder.detail(of: IncidentTable.require(id, in: database), in: database)
        }
    }

    var builder: IncidentViewBuilder { IncidentViewBuilder(policy: policy, definitions: definitions, now: now) }

    // MARK: Reminders

    /// Queues the repetitions that routes ask for, while an incident is open and its condition has not cleared.
    ///
    /// - Returns: The number of messages queued. Call it now and then; what is not due is not repeated.
    @discardableResult
    package func queueReminders() async throws -> Int {
        let policy = policy
        let moment = now
        let routes = policy.configuration.notify.routes.filter { $0.repeatSeconds != nil }
        if routes.isEmpty { return 0 }
        let due = try await ledger.read { database in
            try IncidentTable.list(IncidentFilter(), in: database).filter { $0.status == .open && $0.condition != .cleared }
                .compactMap { row -> (String, [String])? in
                    let channels = try Self.dueChannels(for: row, routes: routes, now: moment, in: database)
                    return channels.isEmpty ? nil : (row.id, channels)
                }
        }
        if due.isEmpty { return 0 }
        return try await ledger.commit { transaction in
            for (id, channels) in due {
                try Notifications.queue(.reminder, incident: id, policy: policy, now: moment, in: transaction, channels: channels)
            }
            return due.reduce(0) { $0 + $1.1.count }
        }
    }

    private static func dueChannels(
        for row: IncidentRow, routes: [NotifyRoute], now: Timestamp, in database: Database
    ) throws -> [String] {
        var result: [String] = []
        for route in routes where route.minimumSeverity <= row.severity {
            for channel in route.channels where !result.contains(channel) {
                let last = try database.first(
                    "SELECT max(queued) FROM outbox WHERE incident=?1 AND channel=?2", SQLValue(row.id), SQLValue(channel)
                ) { row throws(DatabaseError) in row.optionalInteger(0) }
                let since = (last ?? nil).map(Timestamp.init(millisecondsSinceEpoch:)) ?? row.opened
                if now.seconds - since.seconds >= Int64(route.repeatSeconds ?? 0) { result.append(channel) }
            }
        }
        return result
    }
}
