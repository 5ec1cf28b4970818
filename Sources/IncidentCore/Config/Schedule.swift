package import Platform

/// When something runs again and again, in the zone of the site.
///
/// | text | runs |
/// |---|---|
/// | `every 6h` | on a grid counted from midnight of the site: 00:00, 06:00, … |
/// | `hourly` | every full hour |
/// | `daily [HH:MM]` | once a day |
/// | `weekly [mon…sun] [HH:MM]` | once a week |
/// | `monthly [1…31 or last] [HH:MM]` | once a month |
/// | `quarterly [day] [HH:MM]` | in January, April, July and October |
/// | `half-yearly [day] [HH:MM]` | in January and July |
/// | `yearly [day] [HH:MM]` | in January |
///
/// What is left out is Monday, the first day, 02:00. A day that a month does not have means its last day. Where clocks are put
/// forward over the given time, it runs after the change; where they are put back, it runs once, at the first of the two.
package struct Schedule: Sendable, Hashable, CustomStringConvertible {
    package enum Rule: Sendable, Hashable {
        case every(seconds: Int)
        case daily(TimeOfDay)
        /// 0 = Sunday ... 6 = Saturday.
        case weekly(weekday: Int, TimeOfDay)
        /// In each month of `months` (1...12), on `day` (1...31), or on the last day of a shorter month.
        case monthly(months: Period, day: Int, TimeOfDay)
    }

    package struct TimeOfDay: Sendable, Hashable {
        package let hour: Int
        package let minute: Int

        package init(hour: Int, minute: Int) {
            self.hour = hour
            self.minute = minute
        }
    }

    /// How many months lie between two runs; the first is always January.
    package enum Period: Int, Sendable, Hashable {
        case month = 1
        case quarter = 3
        case halfYear = 6
        case year = 12
    }

    package let rule: Rule

    package init(_ rule: Rule) { self.rule = rule }

    static let hint = Phrase(
        vi: "ví dụ: every 6h, daily 02:00, weekly mon 02:00, monthly 1 02:00, monthly last, quarterly, half-yearly, yearly",
        en: "for example: every 6h, daily 02:00, weekly mon 02:00, monthly 1 02:00, monthly last, quarterly, half-yearly, yearly")

    private static let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    private static let defaultTime = TimeOfDay(hour: 2, minute: 0)

    /// - Returns: nil when `text` is none of the forms of the table.
    package init?(_ text: String) {
        var words = text.split(separator: " ").map(String.init)
        guard !words.isEmpty else { return nil }
        let keyword = words.removeFirst()
        if keyword == "every" {
            guard words.count == 1, let seconds = DurationText.seconds(words[0]), seconds >= 1 else { return nil }
            rule = .every(seconds: seconds)
            return
        }
        if keyword == "hourly" {
            guard words.isEmpty else { return nil }
            rule = .every(seconds: 3600)
            return
        }
        var time = Self.defaultTime
        if let last = words.last, last.contains(":") {
            guard let given = Self.timeOfDay(last) else { return nil }
            time = given
            words.removeLast()
        }
        switch keyword {
        case "daily": rule = .daily(time)
        case "weekly":
            guard let weekday = words.isEmpty ? 1 : Self.weekdays.firstIndex(of: words.removeFirst()) else { return nil }
            rule = .weekly(weekday: weekday, time)
        case "monthly", "quarterly", "half-yearly", "yearly":
            let period: Period =
                switch keyword {
                case "monthly": .month
                case "quarterly": .quarter
                case "half-yearly": .halfYear
                default: .year
                }
            var day = 1
            if let word = words.first {
                guard let given = word == "last" ? 31 : Self.number(word), (1...31).contains(given) else { return nil }
                day = given
                words.removeFirst()
            }
            rule = .monthly(months: period, day: day, time)
        default: return nil
        }
        if !words.isEmpty { return nil }
    }

    private static func timeOfDay(_ text: String) -> TimeOfDay? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 2, let hour = number(parts[0]),
            let minute = number(parts[1]), hour < 24, minute < 60
        else { return nil }
        return TimeOfDay(hour: hour, minute: minute)
    }

    /// Digits only: `Int` alone would take `+1`.
    private static func number(_ text: some StringProtocol) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    /// The text of the config, in full: reading it back gives the same schedule.
    package var description: String {
        func clock(_ time: TimeOfDay) -> String { "\(padded(time.hour, 2)):\(padded(time.minute, 2))" }
        switch rule {
        case .every(let seconds): return "every \(DurationText.text(seconds))"
        case .daily(let time): return "daily \(clock(time))"
        case .weekly(let weekday, let time): return "weekly \(Self.weekdays[weekday]) \(clock(time))"
        case .monthly(let months, let day, let time):
            let keyword =
                switch months {
                case .month: "monthly"
                case .quarter: "quarterly"
                case .halfYear: "half-yearly"
                case .year: "yearly"
                }
            return "\(keyword) \(day == 31 ? "last" : String(day)) \(clock(time))"
        }
    }
}

extension Schedule {
    /// The first run strictly after `moment`, on a full second.
    ///
    /// - Parameter zone: The zone of the site; only tests pass another one than that of the process.
    package func next(after moment: Timestamp, in zone: ZoneRules = .local) -> Timestamp {
        if case .every(let seconds) = rule {
            let offset = Int64(zone.offsetSeconds(moment))
            let step = Int64(seconds)
            let shown = moment.seconds + offset
            let remainder = shown % step
            return Timestamp(seconds: shown - (remainder < 0 ? remainder + step : remainder) + step - offset)
        }
        // Runs come in rising order. Each period is looked at whole, starting with the one before: a run of yesterday can,
        // by a change of the clocks, lie after a moment of today. Four periods always suffice.
        let civil = zone.civilTime(moment)
        var candidate = moment
        for period in -1...2 {
            candidate = run(inPeriod: period, from: civil, zone)
            if candidate > moment { break }
        }
        return candidate
    }

    /// The run of the day, week or months that lies `period` periods after the one that holds `civil`.
    private func run(inPeriod period: Int, from civil: CivilTime, _ zone: ZoneRules) -> Timestamp {
        switch rule {
        case .every: return Timestamp(seconds: 0)  // has no periods; ``next(after:in:)`` computes it
        case .daily(let time):
            return zone.moment(
                year: civil.year, month: civil.month, day: civil.day + period, hour: time.hour, minute: time.minute)
        case .weekly(let weekday, let time):
            return zone.moment(
                year: civil.year, month: civil.month, day: civil.day - civil.weekday + weekday + 7 * period, hour: time.hour,
                minute: time.minute)
        case .monthly(let months, let day, let time):
            // Months since year 0, cut to the first month of its quarter, half-year or year.
            let current = civil.year * 12 + civil.month - 1
            let target = current - current % months.rawValue + period * months.rawValue
            let (year, month) = (target / 12, target % 12 + 1)
            return zone.moment(
                year: year, month: month, day: min(day, daysInMonth(year: year, month: month)), hour: time.hour,
                minute: time.minute)
        }
    }
}
