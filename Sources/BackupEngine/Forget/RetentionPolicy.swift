package import Platform

/// How many snapshots a counting rule of a ``RetentionPolicy`` keeps.
package enum RetentionCount: Sendable, Hashable {
    case none
    case limited(Int)
    /// `unlimited` in restic 0.16 and later.
    case unlimited

    /// - Throws: `.invalidArgument` for anything but `unlimited` and a number from 0 on.
    package init(_ text: String) throws(RepositoryError) {
        if text == "unlimited" {
            self = .unlimited
        } else if let value = Int(text), value >= 0 {
            self = value == 0 ? .none : .limited(value)
        } else {
            let shown = escapedForDisplay(text)
            throw RepositoryError(
                .invalidArgument, Phrase(vi: "số bản cần giữ không hợp lệ: '\(shown)'", en: "invalid number of snapshots to keep: '\(shown)'"),
                hint: Phrase(vi: "dùng một số từ 0, hoặc 'unlimited'", en: "use a number from 0 on, or 'unlimited'"))
        }
    }

    /// -1 for unlimited, as restic counts.
    fileprivate var counter: Int {
        switch self {
        case .none: 0
        case .limited(let count): count
        case .unlimited: -1
        }
    }
}

/// Which snapshots of a group are kept: restic's rules, word for word. A snapshot stays when any rule keeps it.
package struct RetentionPolicy: Sendable, Hashable {
    package var last = RetentionCount.none
    package var hourly = RetentionCount.none
    package var daily = RetentionCount.none
    package var weekly = RetentionCount.none
    package var monthly = RetentionCount.none
    package var yearly = RetentionCount.none
    /// Everything younger than this, seen from the newest snapshot that is not in the future.
    package var within = CalendarDuration()
    package var withinHourly = CalendarDuration()
    package var withinDaily = CalendarDuration()
    package var withinWeekly = CalendarDuration()
    package var withinMonthly = CalendarDuration()
    package var withinYearly = CalendarDuration()
    /// Snapshots that have all tags of one of these lists; `[""]` means those without tags.
    package var tagLists: [[String]] = []
    /// Keeps the oldest snapshot of a group for every rule that has not used up its count; restic does since 0.16.
    package var keepsOldest = true

    package init() {}

    /// True when no rule is set: applied, it would remove everything.
    package var isEmpty: Bool {
        tagLists.isEmpty && countingRules.allSatisfy { $0.count == 0 } && within.isZero && windowRules.allSatisfy(\.span.isZero)
    }

    /// A rule that keeps one snapshot per bucket while its count lasts.
    struct CountingRule {
        let bucket: RetentionBucket
        var count: Int
        let reason: String
        var lastKey = -1
    }

    /// A rule that keeps one snapshot per bucket inside a span.
    struct WindowRule {
        let bucket: RetentionBucket
        let span: CalendarDuration
        let reason: String
        var lastKey = -1
    }

    var countingRules: [CountingRule] {
        [
            CountingRule(bucket: .always, count: last.counter, reason: "last snapshot"),
            CountingRule(bucket: .hour, count: hourly.counter, reason: "hourly snapshot"),
            CountingRule(bucket: .day, count: daily.counter, reason: "daily snapshot"),
            CountingRule(bucket: .week, count: weekly.counter, reason: "weekly snapshot"),
            CountingRule(bucket: .month, count: monthly.counter, reason: "monthly snapshot"),
            CountingRule(bucket: .year, count: yearly.counter, reason: "yearly snapshot"),
        ]
    }

    var windowRules: [WindowRule] {
        [
            WindowRule(bucket: .hour, span: withinHourly, reason: "hourly within"),
            WindowRule(bucket: .day, span: withinDaily, reason: "daily within"),
            WindowRule(bucket: .week, span: withinWeekly, reason: "weekly within"),
            WindowRule(bucket: .month, span: withinMonthly, reason: "monthly within"),
            WindowRule(bucket: .year, span: withinYearly, reason: "yearly within"),
        ]
    }

    /// The policy in words: `keep 7 daily, 4 weekly snapshots and all snapshots within 2d of the newest`.
    package var description: Phrase {
        var vi: [String] = []
        var en: [String] = []
        let counts: [(Int, String, String)] = [
            (last.counter, "mới nhất", "latest"), (hourly.counter, "theo giờ", "hourly"), (daily.counter, "theo ngày", "daily"),
            (weekly.counter, "theo tuần", "weekly"), (monthly.counter, "theo tháng", "monthly"), (yearly.counter, "theo năm", "yearly"),
        ]
        for (count, viName, enName) in counts where count != 0 {
            vi.append("\(count < 0 ? "mọi" : "\(count)") bản \(viName)")
            en.append("\(count < 0 ? "all" : "\(count)") \(enName)")
        }
        var texts = (vi: vi.joined(separator: ", "), en: en.isEmpty ? "" : en.joined(separator: ", ") + " snapshots")
        func add(_ vi: String, _ en: String) {
            texts.vi += (texts.vi.isEmpty ? "" : "; ") + vi
            texts.en += (texts.en.isEmpty ? "" : "; ") + en
        }
        let windows: [(CalendarDuration, String, String)] = [
            (withinHourly, "theo giờ", "hourly"), (withinDaily, "theo ngày", "daily"), (withinWeekly, "theo tuần", "weekly"),
            (withinMonthly, "theo tháng", "monthly"), (withinYearly, "theo năm", "yearly"),
        ]
        for (span, viName, enName) in windows where !span.isZero {
            add("các bản \(viName) trong \(span.text)", "\(enName) snapshots within \(span.text)")
        }
        if !tagLists.isEmpty {
            let lists = tagLists.map { escapedForDisplay("[" + $0.joined(separator: ", ") + "]") }.joined(separator: " ")
            add("mọi bản có nhãn \(lists)", "all snapshots with tags \(lists)")
        }
        if !within.isZero { add("mọi bản trong \(within.text) trước bản mới nhất", "all snapshots within \(within.text) of the newest") }
        if texts.en.isEmpty { return Phrase(vi: "không giữ bản nào", en: "keep nothing") }
        return Phrase(vi: "giữ \(texts.vi)", en: "keep \(texts.en)")
    }
}

/// Periods of which a rule keeps one snapshot each.
enum RetentionBucket {
    case always, hour, day, week, month, year

    /// The number of the period that `civil` lies in, as restic computes it; for ``always`` the running number.
    func key(_ civil: CivilTime, number: Int) -> Int {
        switch self {
        case .always: number
        case .hour: civil.year * 1_000_000 + civil.month * 10_000 + civil.day * 100 + civil.hour
        case .day: civil.year * 10_000 + civil.month * 100 + civil.day
        case .week: Self.isoWeek(civil)
        case .month: civil.year * 100 + civil.month
        case .year: civil.year
        }
    }

    /// ISO 8601: the week belongs to the year of its Thursday.
    private static func isoWeek(_ civil: CivilTime) -> Int {
        let day = daysSinceEpoch(year: civil.year, month: civil.month, day: civil.day)
        // 1970-01-01 was a Thursday; weeks begin on Monday.
        let weekday = ((day + 3) % 7 + 7) % 7
        let thursday = day - weekday + 3
        let year = CivilTime(utc: Timestamp(seconds: Int64(thursday) * 86400)).year
        return year * 100 + (thursday - daysSinceEpoch(year: year, month: 1, day: 1)) / 7 + 1
    }
}
