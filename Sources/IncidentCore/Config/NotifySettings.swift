package import Platform

/// Who hears of what, and how.
package struct NotifySettings: Sendable, Hashable {
    package let channels: [NotifyChannel]
    package let routes: [NotifyRoute]

    package func channel(named name: String) -> NotifyChannel? { channels.first { $0.name == name } }
}

/// One way out of the machine.
package struct NotifyChannel: Sendable, Hashable {
    package enum Transport: Sendable, Hashable {
        /// Mail through the system's own mail program, called as `program -t` with the message on its input.
        case sendmail(program: FilePath, recipients: [String], sender: String?)
        /// HTTP POST of JSON.
        case webhook(url: String)
    }

    package let name: String
    package let transport: Transport

    package static let standardSendmail: FilePath = "/usr/sbin/sendmail"
}

/// Sends incidents of at least one severity to channels.
package struct NotifyRoute: Sendable, Hashable {
    package let minimumSeverity: Severity
    /// Names of channels, in order, without repetition.
    package let channels: [String]
    /// Says it again while the condition is active; nil: once.
    package let repeatSeconds: Int?
}
