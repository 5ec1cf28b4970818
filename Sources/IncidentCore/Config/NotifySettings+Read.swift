internal import Platform

extension NotifySettings {
    static func read(_ value: DocumentValue) -> NotifySettings? {
        guard var section = value.section() else { return nil }
        let channels = (section.optional("channels")?.named() ?? []).compactMap { name, value in
            value.problems.declare(.channel, name)
            return NotifyChannel.read(name, value)
        }
        let routes = section.optional("routes")?.items(maximumCount: 100)?.compactMap(NotifyRoute.read) ?? []
        section.finish()
        return NotifySettings(channels: channels, routes: routes)
    }
}

extension NotifyChannel {
    static func read(_ name: String, _ value: DocumentValue) -> NotifyChannel? {
        guard var section = value.section() else { return nil }
        let recipients = section.optional("sendmail")
        let webhook = section.optional("webhook")
        if recipients == nil, webhook == nil, !section.has("sendmail"), !section.has("webhook") {
            value.report(
                .missingKey, Phrase(vi: "cần một trong hai khóa sendmail, webhook", en: "one of sendmail, webhook is needed"))
        } else if recipients != nil, webhook != nil {
            value.report(
                .contradiction, Phrase(vi: "chỉ được có một trong hai khóa sendmail, webhook", en: "only one of sendmail, webhook may be given"),
                hint: Phrase(vi: "tách thành hai kênh", en: "make two channels of it"))
        }
        var transport: Transport?
        if let recipients {
            let addresses = recipients.items(maximumCount: 50)?.compactMap { $0.mailAddress() }
            let program = section.optional("sendmailPath").map { $0.absolutePath() } ?? standardSendmail
            let sender = section.optional("from")?.mailAddress()
            if let addresses, let program { transport = .sendmail(program: program, recipients: addresses, sender: sender) }
        } else if let webhook {
            transport = webhook.webAddress().map { .webhook(url: $0) }
        }
        section.finish()
        return transport.map { NotifyChannel(name: name, transport: $0) }
    }
}

extension NotifyRoute {
    /// A shorter repeat would be a flood of mail.
    private static let minimumRepeatSeconds = 60

    static func read(_ value: DocumentValue) -> NotifyRoute? {
        guard var section = value.section() else { return nil }
        let severity = section.required("severity")?.choice(Severity.self)
        let channels = section.required("to")?.references(to: .channel)
        let repeatSeconds = section.optional("repeat")?.durationSeconds(minimum: minimumRepeatSeconds)
        section.finish()
        guard let severity, let channels else { return nil }
        return NotifyRoute(minimumSeverity: severity, channels: channels, repeatSeconds: repeatSeconds)
    }
}
