internal import Platform

/// Durations as people write them in the config: `45s`, `30m`, `6h`, `2d`, `1w`, or a sum such as `1h30m`.
package enum DurationText {
    /// Ten years of 365 days.
    package static let maximumSeconds = 10 * 365 * 86400

    static let hint = Phrase(
        vi: "ghi số kèm đơn vị s, m, h, d hoặc w, ví dụ 30s, 10m, 6h, 1h30m",
        en: "write a number with its unit s, m, h, d or w, such as 30s, 10m, 6h, 1h30m")

    private static let units: [(symbol: UInt8, seconds: Int)] = [
        (UInt8(ascii: "w"), 7 * 86400), (UInt8(ascii: "d"), 86400), (UInt8(ascii: "h"), 3600), (UInt8(ascii: "m"), 60),
        (UInt8(ascii: "s"), 1),
    ]

    /// Whole seconds; nil when `text` is no duration, is negative, or exceeds ``maximumSeconds``.
    ///
    /// In a sum the units come in falling order, each at most once: `30m1h` is a slip, not a duration.
    package static func seconds(_ text: String) -> Int? {
        var total = 0
        var number: Int?
        var rest = units[...]
        for byte in text.utf8 {
            if (0x30...0x39).contains(byte) {
                let value = (number ?? 0) * 10 + Int(byte - 0x30)
                if value > maximumSeconds { return nil }
                number = value
            } else {
                guard let count = number, let index = rest.firstIndex(where: { $0.symbol == byte }) else { return nil }
                total += count * rest[index].seconds
                if total > maximumSeconds { return nil }
                rest = rest[(index + 1)...]
                number = nil
            }
        }
        return number == nil && !text.isEmpty ? total : nil
    }

    /// The shortest text that ``seconds(_:)`` reads back as the same value.
    package static func text(_ seconds: Int) -> String {
        if seconds == 0 { return "0s" }
        var rest = seconds
        var result = ""
        for unit in units.dropFirst() where rest >= unit.seconds {
            result += "\(rest / unit.seconds)\(Character(Unicode.Scalar(unit.symbol)))"
            rest %= unit.seconds
        }
        return result
    }
}
