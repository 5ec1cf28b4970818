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
    private static let rules = ["last", "hourly", "daily", "weekly", "monthly", "yearly", "within"]

    static func read(_ value: DocumentValue) -> Retention? {
        guard var section = value.section() else { return nil }
        func count(_ key: String) -> Int? { section.optional(key)?.integer(1...100_000) }
        let retention = Retention(
            last: count("last"), hourly: count("hourly"), daily: count("daily"), weekly: count("weekly"), monthly: count("monthly"),
            yearly: count("yearly"), within: section.optional("within").flatMap(span),
            countsIncomplete: section.optional("countIncomplete")?.boolean() ?? false)
        let isEmpty = !Self.rules.contains { section.has($0) }
        section.finish()
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
