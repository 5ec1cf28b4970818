internal import Platform

/// A command that carries a mail away.
package struct MailCommand: Sendable, Equatable {
    /// Absolute program first; never a shell.
    package var arguments: [String]
    /// The message, headers included.
    package var input: [UInt8]
    package var timeoutSeconds: Double
}

/// How the command ended.
package struct MailCommandResult: Sendable, Equatable {
    /// nil when a signal or the time limit ended it.
    package var exitStatus: Int32?
    /// The beginning of its error output.
    package var errorOutput: String

    package init(exitStatus: Int32?, errorOutput: String) {
        self.exitStatus = exitStatus
        self.errorOutput = errorOutput
    }
}

/// One POST.
package struct WebhookRequest: Sendable, Equatable {
    package var url: String
    /// In order; names as written.
    package var headers: [HeaderField]
    package var body: [UInt8]
    package var timeoutSeconds: Double

    package struct HeaderField: Sendable, Equatable {
        package var name: String
        package var value: String
    }
}

/// The ways out of this process, as closures: the daemon gives real ones, tests count.
package struct OutboxTransport: Sendable {
    /// Runs a command. Throws when it could not be started.
    package var runMail: @Sendable (MailCommand) async throws -> MailCommandResult
    /// Sends a request and returns the status code of the answer. Throws when there was none.
    package var post: @Sendable (WebhookRequest) async throws -> Int

    package init(
        runMail: @escaping @Sendable (MailCommand) async throws -> MailCommandResult,
        post: @escaping @Sendable (WebhookRequest) async throws -> Int
    ) {
        self.runMail = runMail
        self.post = post
    }
}

/// A message with everything that a transport needs.
struct OutboxMessage: Sendable {
    /// The same for every attempt of one message to one channel, on this installation only.
    let idempotencyKey: String
    let title: String
    let body: String
    let topic: String
    let incident: String
    let severity: String
    let queued: Timestamp
    let siteName: String
    let siteCode: String
}
