import Ledger
import Platform
import Synchronization
import Testing

@testable import IncidentCore

/// Takes messages, or refuses them as long as it is told to.
private final class TestTransport: Sendable {
    struct State {
        var mails: [MailCommand] = []
        var posts: [WebhookRequest] = []
        var mailStatus: Int32? = 0
        var webhookStatus = 200
    }
    let state = Mutex(State())

    var transport: OutboxTransport {
        OutboxTransport(
            runMail: { command in
                self.state.withLock { state in
                    state.mails.append(command)
                    return MailCommandResult(exitStatus: state.mailStatus, errorOutput: "no route\n")
                }
            },
            post: { request in
                self.state.withLock { state in
                    state.posts.append(request)
                    return state.webhookStatus
                }
            })
    }
}

@Suite struct OutboxTests {
    private func sender(_ site: IncidentFixture, _ transport: TestTransport, attempts: Int = 4) -> OutboxSender {
        OutboxSender(
            ledger: site.ledger, configuration: site.policy.value.configuration, hostname: "may-chu",
            transport: transport.transport, plan: RetryPlan(firstDelaySeconds: 30, maximumDelaySeconds: 100, attempts: attempts),
            now: { site.clock.now })
    }

    @Test func `routes decide by severity`() async throws {
        try await withSite { site in
            let transport = TestTransport()
            try await site.service.report([site.service("web", isUp: false)])
            #expect(try await sender(site, transport).sendDue() == OutboxRound())
            try await site.service.report([try site.files(1)])
            #expect(try await sender(site, transport).sendDue().sent == 1)
            #expect(transport.state.withLock { ($0.mails.count, $0.posts.count) } == (1, 0))
            try await site.service.report([try site.files(40, tag: "m")])
            #expect(try await sender(site, transport).sendDue().sent == 2)
            #expect(transport.state.withLock { ($0.mails.count, $0.posts.count) } == (2, 1))
            #expect(try await sender(site, transport).sendDue() == OutboxRound())
        }
    }

    @Test func `a mail is RFC 5322 in ASCII and names what to do next`() async throws {
        try await withSite { site in
            let transport = TestTransport()
            try await site.service.report([try site.files(1)])
            _ = try await sender(site, transport).sendDue()
            let mail = try #require(transport.state.withLock { $0.mails.first })
            #expect(mail.arguments == ["/usr/sbin/sendmail", "-i", "-t", "-f", "sentinel@example.vn"])
            let text = String(decoding: mail.input, as: UTF8.self)
            #expect(mail.input.allSatisfy { $0 < 0x80 })
            #expect(text.split(separator: "\r\n", omittingEmptySubsequences: false).allSatisfy { $0.utf8.count <= 78 })
            #expect(text.contains("To: to@example.vn\r\n"))
            #expect(text.contains("Subject: =?utf-8?B?"))
            #expect(text.contains("X-Sentinel-Incident: SC-2026-0001\r\n"))
            let parts = text.split(separator: "\r\n\r\n", maxSplits: 1)
            let encoded = try #require(parts.last).split(separator: "\r\n").joined()
            let body = String(decoding: try #require(Base64.decode(encoded)), as: UTF8.self)
            #expect(body.contains("Việc tiếp theo: Bước a (Kỹ thuật)"))
            #expect(body.contains("sentinelctl incident show SC-2026-0001"))
            #expect(!body.contains("docx"))
        }
    }

    @Test func `encoded words never divide a character`() throws {
        let title = String(repeating: "Sự cố nghiêm trọng ", count: 9)
        let words = MailMessage.encodedWords(title).split(separator: "\r\n ")
        #expect(words.count > 3)
        let decoded = try words.map { word in
            #expect(word.utf8.count <= 75)
            let bytes = try #require(Base64.decode(word.dropFirst("=?utf-8?B?".count).dropLast(2)))
            return try #require(String(validating: bytes, as: UTF8.self))
        }.joined()
        #expect(decoded == title)
        #expect(MailMessage.encodedWords("plain") == "plain")
    }

    @Test func `a webhook carries the same key at every attempt`() async throws {
        try await withSite { site in
            let transport = TestTransport()
            transport.state.withLock { $0.webhookStatus = 503 }
            try await site.service.report([try site.files(30)])
            let sender = sender(site, transport)
            #expect(
                try await sender.sendDue()
                    == OutboxRound(
                        sent: 1, postponed: 1, failed: 0, nextDue: site.clock.now.adding(seconds: 30)))
            // Not due yet.
            #expect(try await sender.sendDue().sent == 0)
            site.clock.advance(seconds: 30)
            transport.state.withLock { $0.webhookStatus = 204 }
            #expect(try await sender.sendDue() == OutboxRound(sent: 1))
            let posts = transport.state.withLock { $0.posts }
            #expect(posts.count == 2)
            #expect(posts[0] == posts[1])
            let key = try #require(posts[0].headers.first { $0.name == "Idempotency-Key" }?.value)
            #expect(key.hasPrefix("sentinel-TH01-") && key.hasSuffix("-chat"))
            let json = try JSONValue(parsing: posts[0].body, limitBytes: 1 << 16)
            #expect(json["incident"]?.string == "SC-2026-0001")
            #expect(json["id"]?.string == key)
        }
    }

    @Test func `delays double up to the cap, and after the last attempt it is given up for good`() async throws {
        try await withSite { site in
            let transport = TestTransport()
            transport.state.withLock { $0.mailStatus = 75 }
            try await site.service.report([try site.files(1)])
            let sender = sender(site, transport)
            for delay in [30, 60, 100] as [Int64] {
                let round = try await sender.sendDue()
                #expect(round.postponed == 1)
                #expect(round.nextDue == site.clock.now.adding(seconds: delay))
                site.clock.advance(seconds: delay - 1)
                #expect(try await sender.sendDue().postponed == 0)
                site.clock.advance(seconds: 1)
            }
            #expect(try await sender.sendDue() == OutboxRound(failed: 1))
            #expect(transport.state.withLock { $0.mails.count } == 4)
            let event = try #require(try await site.ledger.events(kinds: [EventKind.notificationFailed]).first)
            #expect(event.facts["attempts"]?.integer == 4)
            #expect(event.facts["reason"]?.string == #"exit status 75: no route\n"#)
            site.clock.advance(seconds: 86400)
            #expect(try await sender.sendDue() == OutboxRound())
        }
    }

    @Test func `a rebuild neither sends again nor forgets what waits`() async throws {
        try await withSite { site in
            let transport = TestTransport()
            transport.state.withLock { $0.webhookStatus = 500 }
            try await site.service.report([try site.files(30)])
            let sender = sender(site, transport)
            _ = try await sender.sendDue()
            try await site.ledger.rebuild()
            #expect(try await sender.sendDue().sent == 0)
            #expect(transport.state.withLock { ($0.mails.count, $0.posts.count) } == (1, 1))
            site.clock.advance(seconds: 30)
            #expect(try await sender.sendDue().postponed == 1)
            #expect(transport.state.withLock { $0.posts.count } == 2)
        }
    }

    @Test func `a channel that left the configuration is given up`() async throws {
        try await withSite { site in
            let transport = TestTransport()
            try await site.service.report([try site.files(1)])
            let bare = try Configuration.parse(
                Array("site: {name: X, code: TH01, language: vi, timezone: Asia/Ho_Chi_Minh}".utf8), name: "t")
            let sender = OutboxSender(
                ledger: site.ledger, configuration: bare, hostname: "h", transport: transport.transport, now: { site.clock.now })
            #expect(try await sender.sendDue() == OutboxRound(failed: 1))
        }
    }

    @Test func `an open incident is mentioned again as its route says`() async throws {
        try await withSite { site in
            try await site.service.report([try site.files(30)])
            #expect(try await site.service.queueReminders() == 0)
            site.clock.advance(seconds: 4 * 3600 - 1)
            #expect(try await site.service.queueReminders() == 0)
            site.clock.advance(seconds: 1)
            #expect(try await site.service.queueReminders() == 2)
            #expect(try await site.service.queueReminders() == 0)
            _ = try await site.service.resolve("SC-2026-0001", note: nil, by: IncidentFixture.responder)
            site.clock.advance(seconds: 5 * 3600)
            #expect(try await site.service.queueReminders() == 0)
        }
    }
}
