package import Ledger
package import Platform

/// How often and how long a message is tried.
package struct RetryPlan: Sendable, Equatable {
    package var firstDelaySeconds: Int64
    package var maximumDelaySeconds: Int64
    package var attempts: Int

    /// 30 s, doubled up to an hour, twenty times: a mail server may be away for half a day.
    package static let standard = RetryPlan(firstDelaySeconds: 30, maximumDelaySeconds: 3600, attempts: 20)

    package init(firstDelaySeconds: Int64, maximumDelaySeconds: Int64, attempts: Int) {
        self.firstDelaySeconds = firstDelaySeconds
        self.maximumDelaySeconds = maximumDelaySeconds
        self.attempts = attempts
    }

    /// Seconds to wait after `count` failed attempts.
    func delay(after count: Int) -> Int64 {
        var delay = firstDelaySeconds
        for _ in 1..<max(count, 1) {
            delay *= 2
            if delay >= maximumDelaySeconds { return maximumDelaySeconds }
        }
        return min(delay, maximumDelaySeconds)
    }
}

/// What one round of sending did.
package struct OutboxRound: Sendable, Equatable {
    package var sent = 0
    package var postponed = 0
    package var failed = 0
    /// When the next message is due; nil when none waits.
    package var nextDue: Timestamp?
}

/// Carries queued messages out, at least once each: a crash between sending and recording sends again, under the same
/// idempotency key (`Idempotency-Key` of a webhook, `Message-ID` of a mail).
///
/// The final word is an event: `notification.sent` or `notification.failed`. Attempts in between live in the table
/// `outbox_attempt`, which is no projection: they are no history worth keeping, and a rebuild must not repeat or forget them.
package struct OutboxSender: Sendable {
    /// Messages of one round, at most.
    private static let roundLimit = 50
    private static let timeoutSeconds: Double = 30

    private let ledger: Ledger
    private let configuration: Configuration
    private let hostname: String
    private let transport: OutboxTransport
    private let plan: RetryPlan
    private let now: @Sendable () -> Timestamp

    package init(
        ledger: Ledger, configuration: Configuration, hostname: String, transport: OutboxTransport, plan: RetryPlan = .standard,
        now: @escaping @Sendable () -> Timestamp = { .now() }
    ) {
        self.ledger = ledger
        self.configuration = configuration
        self.hostname = hostname
        self.transport = transport
        self.plan = plan
        self.now = now
    }

    /// Sends what is due, one message after the other. Run by one task at a time.
    ///
    /// - Throws: Only what the ledger throws. A message that does not go out is counted, and tried again later.
    package func sendDue() async throws -> OutboxRound {
        var round = OutboxRound()
        for item in try await claim() {
            guard let message = try await message(of: item) else {
                try await settle(item, EventKind.notificationFailed, reason: "text erased before it was sent")
                round.failed += 1
                continue
            }
            switch await deliver(message, to: item.channel) {
            case .delivered:
                try FaultPoint.reach("outbox.delivered")
                try await settle(item, EventKind.notificationSent, reason: nil)
                round.sent += 1
            case .refused(let reason) where item.attempts + 1 >= plan.attempts:
                try await settle(item, EventKind.notificationFailed, reason: reason)
                round.failed += 1
            case .impossible(let reason):
                try await settle(item, EventKind.notificationFailed, reason: reason)
                round.failed += 1
            case .refused(let reason):
                try await postpone(item, reason: reason)
                round.postponed += 1
            }
        }
        round.nextDue = try await nextDue()
        return round
    }

    // MARK: Rows

    private struct Item: Sendable {
        let sequence: Int64
        let channel: String
        let incident: String
        let attempts: Int
    }

    private static let attemptSchema = """
        CREATE TABLE IF NOT EXISTS outbox_attempt(
          sequence INTEGER NOT NULL, channel TEXT NOT NULL, attempts INTEGER NOT NULL, next INTEGER NOT NULL, reason TEXT NOT NULL,
          PRIMARY KEY (sequence, channel)) STRICT, WITHOUT ROWID
        """

    /// The due messages, the oldest first. Each counts as attempted from now on, so that a message that kills the process is
    /// not tried for ever at every start.
    private func claim() async throws -> [Item] {
        let moment = now()
        let plan = plan
        // The table is looked for first: a commit with nothing to do would cost a write each time.
        let isEmpty = try await ledger.read { database in
            try database.first("SELECT 1 FROM outbox WHERE state='pending' LIMIT 1") { row throws(DatabaseError) in row.integer(0) } == nil
        }
        if isEmpty { return [] }
        return try await ledger.commit { transaction in
            let database = transaction.database
            try database.execute(Self.attemptSchema)
            let items = try database.all(
                """
                SELECT o.sequence, o.channel, o.incident, coalesce(a.attempts, 0) FROM outbox o
                LEFT JOIN outbox_attempt a ON a.sequence=o.sequence AND a.channel=o.channel
                WHERE o.state='pending' AND coalesce(a.next, 0) <= ?1 ORDER BY o.sequence, o.channel LIMIT ?2
                """, SQLValue(moment.millisecondsSinceEpoch), SQLValue(Self.roundLimit)
            ) { row throws(DatabaseError) in
                Item(sequence: row.integer(0), channel: row.text(1), incident: row.text(2), attempts: Int(row.integer(3)))
            }
            for item in items {
                let next = moment.adding(seconds: plan.delay(after: item.attempts + 1))
                try database.run(
                    """
                    INSERT INTO outbox_attempt(sequence, channel, attempts, next, reason) VALUES(?1,?2,?3,?4,'')
                    ON CONFLICT(sequence, channel) DO UPDATE SET attempts=excluded.attempts, next=excluded.next
                    """, SQLValue(item.sequence), SQLValue(item.channel), SQLValue(item.attempts + 1),
                    SQLValue(next.millisecondsSinceEpoch))
            }
            return items
        }
    }

    private func message(of item: Item) async throws -> OutboxMessage? {
        guard let event = try await ledger.events(after: item.sequence - 1, limit: 1).first, event.sequence == item.sequence,
            let title = event.text("title"), let body = event.text("body")
        else { return nil }
        let site = configuration.site
        return OutboxMessage(
            idempotencyKey: "sentinel-\(site.code)-\(item.sequence)-\(item.channel)", title: title, body: body,
            topic: event.string("topic") ?? "", incident: event.subject, severity: event.string("severity") ?? "",
            queued: event.moment, siteName: site.name, siteCode: site.code)
    }

    private func settle(_ item: Item, _ kind: String, reason: String?) async throws {
        let moment = now()
        _ = try await ledger.commit { transaction in
            let state = try transaction.database.first(
                "SELECT state FROM outbox WHERE sequence=?1 AND channel=?2", SQLValue(item.sequence), SQLValue(item.channel)
            ) { row throws(DatabaseError) in row.text(0) }
            if state != "pending" { return }
            var facts: [String: JSONValue] = [
                "notification": JSONValue(item.sequence), "channel": JSONValue(item.channel),
                "attempts": JSONValue(item.attempts + 1),
            ]
            if let reason { facts["reason"] = JSONValue(bounded(reason, 300)) }
            try transaction.append(
                EventDraft(kind: kind, subject: item.incident, actor: .system("notify"), moment: moment, facts: facts))
            try transaction.database.run(
                "DELETE FROM outbox_attempt WHERE sequence=?1 AND channel=?2", SQLValue(item.sequence), SQLValue(item.channel))
        }
    }

    private func postpone(_ item: Item, reason: String) async throws {
        let next = now().adding(seconds: plan.delay(after: item.attempts + 1))
        try await ledger.commit { transaction in
            try transaction.database.run(
                "UPDATE outbox_attempt SET next=?3, reason=?4 WHERE sequence=?1 AND channel=?2", SQLValue(item.sequence),
                SQLValue(item.channel), SQLValue(next.millisecondsSinceEpoch), SQLValue(bounded(reason, 300)))
        }
    }

    private func nextDue() async throws -> Timestamp? {
        try await ledger.read { database in
            let hasAttempts =
                try database.first("SELECT 1 FROM sqlite_schema WHERE name='outbox_attempt'") { row throws(DatabaseError) in row.integer(0) }
                != nil
            let sql =
                hasAttempts
                ? """
                SELECT min(coalesce(a.next, o.queued)) FROM outbox o
                LEFT JOIN outbox_attempt a ON a.sequence=o.sequence AND a.channel=o.channel WHERE o.state='pending'
                """
                : "SELECT min(queued) FROM outbox WHERE state='pending'"
            let value = try database.first(sql) { row throws(DatabaseError) in row.optionalInteger(0) }
            return (value ?? nil).map(Timestamp.init(millisecondsSinceEpoch:))
        }
    }

    // MARK: Channels

    private enum Delivery {
        case delivered
        /// May go better later.
        case refused(String)
        /// Will never go.
        case impossible(String)
    }

    private func deliver(_ message: OutboxMessage, to name: String) async -> Delivery {
        guard let channel = configuration.notify.channel(named: name) else {
            return .impossible("channel is no longer in the configuration")
        }
        do {
            switch channel.transport {
            case .sendmail(let program, let recipients, let sender):
                return try await mail(message, program: program, recipients: recipients, sender: sender)
            case .webhook(let url):
                let status = try await transport.post(Webhook.request(message, url: url, timeoutSeconds: Self.timeoutSeconds))
                return (200..<300).contains(status) ? .delivered : .refused("HTTP \(status)")
            }
        } catch let error as any ExplainedError {
            return .refused(error.message.en)
        } catch {
            return .refused("\(error)")
        }
    }

    private func mail(
        _ message: OutboxMessage, program: FilePath, recipients: [String], sender: String?
    ) async throws -> Delivery {
        guard let path = program.utf8 else { return .impossible("the mail program's name is no UTF-8") }
        // -i: a line with a single dot is no end; -t: recipients come from the message, none from the command line.
        var arguments = [path, "-i", "-t"]
        if let sender { arguments += ["-f", sender] }
        let content = MailMessage.render(message, from: sender, to: recipients, hostname: hostname)
        let result = try await transport.runMail(
            MailCommand(arguments: arguments, input: content, timeoutSeconds: Self.timeoutSeconds))
        guard let status = result.exitStatus else { return .refused("the mail program was ended by a signal or its time limit") }
        return status == 0
            ? .delivered : .refused("exit status \(status): \(escapedForDisplay(bounded(result.errorOutput, 200)))")
    }
}
