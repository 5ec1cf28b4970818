internal import Platform

/// Times in HTTP headers.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`; nil for anything else: the two older forms of RFC 9110 are sent by nobody.
    static func timestamp(_ text: String) -> Timestamp? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: String(words[2])), words[1].count == 2 else { return nil }
        return Timestamp(rfc3339: "\(words[3])-\(padded(month + 1, 2))-\(words[1])T\(words[4])Z")
    }
}
