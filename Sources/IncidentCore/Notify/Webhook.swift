internal import Ledger
internal import Platform

/// A message as a POST of JSON: `{"id", "incident", "severity", "site", "text", "time", "title", "topic"}`.
enum Webhook {
    static func request(_ message: OutboxMessage, url: String, timeoutSeconds: Double) -> WebhookRequest {
        let body: JSONValue = [
            "id": JSONValue(message.idempotencyKey), "topic": JSONValue(message.topic), "incident": JSONValue(message.incident),
            "severity": JSONValue(message.severity), "title": JSONValue(message.title), "text": JSONValue(message.body),
            "time": JSONValue(message.queued.rfc3339Local),
            "site": ["name": JSONValue(message.siteName), "code": JSONValue(message.siteCode)],
        ]
        return WebhookRequest(
            url: url,
            headers: [
                .init(name: "Content-Type", value: "application/json; charset=utf-8"),
                .init(name: "Idempotency-Key", value: message.idempotencyKey),
            ], body: body.canonicalBytes, timeoutSeconds: timeoutSeconds)
    }
}
