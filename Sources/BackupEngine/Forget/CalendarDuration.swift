internal import Platform

/// A span such as `1y5m7d2h`: years, months and days by the calendar, hours by the clock.
package struct CalendarDuration: Sendable, Hashable {
    package var years: Int
    package var months: Int
    package var days: Int
    package var hours: Int

    package init(years: Int = 0, months: Int = 0, days: Int = 0, hours: Int = 0) {
        self.years = years
        self.months = months
        self.days = days
        self.hours = hours
    }

    /// Keeps every sum of dates far from the limits of the numbers.
    private static let componentLimit = 1_000_000

    /// Reads restic's form: numbers with the units y, m, d, h; a unit given twice means the last one. Empty text is no span.
    ///
    /// - Throws: `.invalidArgument` for anything else, negative numbers included.
    package init(_ text: String) throws(RepositoryError) {
        self.init()
        var number: Int?
        for character in text.utf8.drop(while: Self.isSpace).reversed().drop(while: Self.isSpace).reversed() {
            if (48...57).contains(character) {
                number = (number ?? 0) * 10 + Int(character - 48)
                if number.map({ $0 > Self.componentLimit }) == true { throw Self.failure(text) }
                continue
            }
            guard let value = number else { throw Self.failure(text) }
            switch character {
            case UInt8(ascii: "y"): years = value
            case UInt8(ascii: "m"): months = value
            case UInt8(ascii: "d"): days = value
            case UInt8(ascii: "h"): hours = value
            default: throw Self.failure(text)
            }
            number = nil
        }
        if number != nil { throw Self.failure(text) }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

    private static func failure(_ text: String) -> RepositoryError {
        let shown = escapedForDisplay(text)
        return RepositoryError(
            .invalidArgument, Phrase(vi: "khoảng thời gian không hợp lệ: '\(shown)'", en: "invalid duration '\(shown)'"),
            hint: Phrase(
                vi: "số kèm y (năm), m (tháng), d (ngày), h (giờ), ví dụ 1y5m7d2h",
                en: "numbers with y (years), m (months), d (days), h (hours), such as 1y5m7d2h"))
    }

    package var isZero: Bool { years == 0 && months == 0 && days == 0 && hours == 0 }

    /// `1y5m7d2h`, empty parts left out: how restic writes it into its reasons.
    package var text: String {
        var text = ""
        if years != 0 { text += "\(years)y" }
        if months != 0 { text += "\(months)m" }
        if days != 0 { text += "\(days)d" }
        if hours != 0 { text += "\(hours)h" }
        return text
    }

    /// The moment this span before `moment`, as Go's `AddDate` and `Add` find it: month and year are counted back first, a
    /// day that the month lacks counts on into the next one (31 March minus a month is 2 or 3 March), hours come last.
    ///
    /// - Parameters:
    ///   - utcOffsetSeconds: Recorded with `moment`; the calendar is that of this offset.
    ///   - zone: Where it has the recorded offset at `moment`, Go takes the zone and its changes of offset instead.
    func before(_ moment: Timestamp, utcOffsetSeconds: Int, zone: ZoneRules) -> Timestamp {
        let civil = CivilTime(utc: moment.adding(seconds: Int64(utcOffsetSeconds)))
        let monthNumber = (civil.year - years) * 12 + (civil.month - 1 - months)
        let month = ((monthNumber % 12) + 12) % 12
        let date = daysSinceEpoch(year: (monthNumber - month) / 12, month: month + 1, day: civil.day - days)
        let shown = Int64(date) * 86400 + Int64(civil.hour * 3600 + civil.minute * 60 + civil.second)
        var offset = utcOffsetSeconds
        if zone.offsetSeconds(moment) == utcOffsetSeconds {
            // time.Date guesses the offset at the civil time taken as UTC, then corrects it once; a guess of 0 stays.
            offset = zone.offsetSeconds(Timestamp(seconds: shown))
            if offset != 0 { offset = zone.offsetSeconds(Timestamp(seconds: shown - Int64(offset))) }
        }
        return Timestamp(seconds: shown - Int64(offset) - Int64(hours) * 3600, nanoseconds: moment.nanoseconds)
    }
}
