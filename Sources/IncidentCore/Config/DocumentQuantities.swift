internal import Platform

extension DocumentValue {
    /// A duration such as `30s`, `10m`, `6h`, `1h30m`, `7d`: whole seconds.
    func durationSeconds(minimum: Int = 1, maximum: Int = DurationText.maximumSeconds) -> Int? {
        guard let text = string() else { return nil }
        guard let seconds = DurationText.seconds(text) else {
            report(
                .wrongValue, Phrase(vi: "'\(excerpt(text))' không phải khoảng thời gian", en: "'\(excerpt(text))' is no duration"),
                hint: DurationText.hint)
            return nil
        }
        guard (minimum...maximum).contains(seconds) else {
            let least = DurationText.text(minimum)
            let most = DurationText.text(maximum)
            report(
                .wrongValue,
                Phrase(
                    vi: "'\(excerpt(text))' phải trong khoảng từ \(least) đến \(most)",
                    en: "'\(excerpt(text))' must lie between \(least) and \(most)"))
            return nil
        }
        return seconds
    }

    func schedule() -> Schedule? {
        guard let text = string() else { return nil }
        if let schedule = Schedule(text) { return schedule }
        report(
            .wrongValue, Phrase(vi: "'\(excerpt(text))' không phải lịch chạy", en: "'\(excerpt(text))' is no schedule"),
            hint: Schedule.hint)
        return nil
    }

    /// A date such as `2026-11-01`.
    func date() -> CalendarDate? {
        guard let text = string() else { return nil }
        if let date = CalendarDate(text) { return date }
        report(
            .wrongValue, Phrase(vi: "'\(excerpt(text))' không phải ngày hợp lệ", en: "'\(excerpt(text))' is no valid date"),
            hint: Phrase(vi: "viết theo dạng năm-tháng-ngày: 2026-11-01", en: "write year-month-day: 2026-11-01"))
        return nil
    }
}
