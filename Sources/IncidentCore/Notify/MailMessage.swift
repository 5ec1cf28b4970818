internal import Platform
internal import FoundationEssentials

/// A mail as RFC 5322 text: UTF-8 in base64, header texts as encoded words (RFC 2047).
enum MailMessage {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    /// Bytes of text in one encoded word: 39 become 52 of base64, 64 with its frame, 73 behind `Subject: `; a line has 76.
    private static let wordByteCount = 39

    static func render(_ message: OutboxMessage, from sender: String?, to recipients: [String], hostname: String) -> [UInt8] {
        var lines: [String] = []
        if let sender { lines.append("From: \(headerSafe(sender))") }
        lines.append("To: \(recipients.map(headerSafe).joined(separator: ",\r\n "))")
        lines.append("Subject: \(encodedWords(message.title))")
        lines.append("Date: \(date(message.queued))")
        // The same for every attempt: a mail that arrives twice is recognised.
        lines.append("Message-ID: <\(message.idempotencyKey)@\(headerSafe(hostname))>")
        lines.append("Auto-Submitted: auto-generated")
        lines.append("X-Sentinel-Incident: \(headerSafe(message.incident))")
        lines.append("MIME-Version: 1.0")
        lines.append("Content-Type: text/plain; charset=utf-8")
        lines.append("Content-Transfer-Encoding: base64")
        lines.append("")
        let encoded = Array(base64(Array(message.body.utf8)).utf8)
        for start in stride(from: 0, to: encoded.count, by: 76) {
            lines.append(String(decoding: encoded[start..<min(start + 76, encoded.count)], as: UTF8.self))
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
    }

    /// Header text without anything that could begin another header.
    private static func headerSafe(_ text: String) -> String {
        String(decoding: text.utf8.filter { $0 >= 0x20 && $0 != 0x7F }, as: UTF8.self)
    }

    /// Text as encoded words, folded; plain when it is short printable ASCII.
    static func encodedWords(_ text: String) -> String {
        if text.utf8.count <= 60, text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }), !text.contains("=?") { return text }
        var words: [String] = []
        var current: [UInt8] = []
        // A character is never divided between two words (RFC 2047, section 5).
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if current.count + bytes.count > wordByteCount {
                words.append("=?utf-8?B?\(base64(current))?=")
                current = []
            }
            current.append(contentsOf: bytes)
        }
        words.append("=?utf-8?B?\(base64(current))?=")
        return words.joined(separator: "\r\n ")
    }

    /// `Mon, 23 Nov 2026 14:05:09 +0700`
    static func date(_ moment: Timestamp) -> String {
        let time = CivilTime(local: moment)
        let offset = abs(time.offsetSeconds) / 60
        return "\(weekdays[time.weekday]), \(padded(time.day, 2)) \(months[time.month - 1]) \(padded(time.year, 4)) "
            + "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2)) "
            + "\(time.offsetSeconds < 0 ? "-" : "+")\(padded(offset / 60, 2))\(padded(offset % 60, 2))"
    }

    private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
