package import BackupEngine
internal import Platform

/// How many snapshots of a job are to be kept: restic's `--keep-*`, counted by the time at which this daemon received them.
package struct Retention: Sendable, Hashable {
    package let last: Int?
    package let hourly: Int?
    package let daily: Int?
    package let weekly: Int?
    package let monthly: Int?
    package let yearly: Int?
    /// Everything younger than this, seen from the newest.
    package let within: CalendarDuration?
    /// True: a snapshot that lacks unreadable files takes the place of a whole one.
    package let countsIncomplete: Bool

    package init(
        last: Int? = nil, hourly: Int? = nil, daily: Int? = nil, weekly: Int? = nil, monthly: Int? = nil, yearly: Int? = nil,
        within: CalendarDuration? = nil, countsIncomplete: Bool = false
    ) {
        self.last = last
        self.hourly = hourly
        self.daily = daily
        self.weekly = weekly
        self.monthly = monthly
        self.yearly = yearly
        self.within = within
        self.countsIncomplete = countsIncomplete
    }

    /// The same for the engine.
    package var policy: RetentionPolicy {
        var policy = RetentionPolicy()
        func count(_ value: Int?) -> RetentionCount { value.map { .limited($0) } ?? .none }
        policy.last = count(last)
        policy.hourly = count(hourly)
        policy.daily = count(daily)
        policy.weekly = count(weekly)
        policy.monthly = count(monthly)
        policy.yearly = count(yearly)
        if let within { policy.within = within }
        return policy
    }

    /// `daily 14, weekly 8, within 30d`.
    package var text: String {
        let counts = [("last", last), ("hourly", hourly), ("daily", daily), ("weekly", weekly), ("monthly", monthly), ("yearly", yearly)]
        return (counts.compactMap { name, count in count.map { "\(name) \($0)" } } + (within.map { ["within \($0.text)"] } ?? []))
            .joined(separator: ", ")
    }
}

extension Retention {
    private static let countingRules = ["last", "hourly", "daily", "weekly", "monthly", "yearly"]

    static func read(_ value: DocumentValue) -> Retention? {
        guard var section = value.section() else { return nil }
        var counts: [String: Int] = [:]
        for rule in countingRules { counts[rule] = section.optional(rule)?.integer(1...100_000) }
        let within = section.optional("within").flatMap(span)
        let countsIncomplete = section.optional("countIncomplete")?.boolean() ?? false
        var isEmpty = !section.has("within")
        for rule in countingRules where section.has(rule) { isEmpty = false }
        section.finish()
        let retention = Retention(
            last: counts["last"], hourly: counts["hourly"], daily: counts["daily"], weekly: counts["weekly"], monthly: counts["monthly"],
            yearly: counts["yearly"], within: within, countsIncomplete: countsIncomplete)
        if isEmpty {
            value.report(
                .missingKey, Phrase(vi: "chưa nêu giữ lại bao nhiêu bản", en: "it does not say how many snapshots to keep"),
                hint: Phrase(vi: "ví dụ keep: {daily: 14, weekly: 8}", en: "for example keep: {daily: 14, weekly: 8}"))
            return nil
        }
        return retention
    }

    private static func span(_ value: DocumentValue) -> CalendarDuration? {
        guard let text = value.string(maximumCharacters: 40) else { return nil }
        do throws(RepositoryError) {
            let span = try CalendarDuration(text)
            if !span.isZero { return span }
        } catch {
            value.report(.wrongValue, error.message, hint: error.hint)
            return nil
        }
        value.report(.wrongValue, Phrase(vi: "khoảng thời gian bằng không", en: "the duration is zero"))
        return nil
    }
}
