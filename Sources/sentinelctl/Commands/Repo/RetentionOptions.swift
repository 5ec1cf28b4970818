internal import ArgumentParser
internal import BackupEngine
internal import Platform

/// restic's `--keep-*` options.
struct RetentionOptions: ParsableArguments {
    @Option(name: [.customShort("l"), .long], help: ArgumentHelp(help("Giữ n bản mới nhất, hoặc 'unlimited'.", "Keep the last n snapshots, or 'unlimited'.")))
    var keepLast: String?
    @Option(name: [.customShort("H"), .long], help: ArgumentHelp(help("Giữ một bản mỗi giờ, n giờ.", "Keep the last n hourly snapshots."))) var keepHourly:
        String?
    @Option(name: [.customShort("d"), .long], help: ArgumentHelp(help("Giữ một bản mỗi ngày, n ngày.", "Keep the last n daily snapshots."))) var keepDaily:
        String?
    @Option(name: [.customShort("w"), .long], help: ArgumentHelp(help("Giữ một bản mỗi tuần, n tuần.", "Keep the last n weekly snapshots."))) var keepWeekly:
        String?
    @Option(name: [.customShort("m"), .long], help: ArgumentHelp(help("Giữ một bản mỗi tháng, n tháng.", "Keep the last n monthly snapshots.")))
    var keepMonthly: String?
    @Option(name: [.customShort("y"), .long], help: ArgumentHelp(help("Giữ một bản mỗi năm, n năm.", "Keep the last n yearly snapshots."))) var keepYearly:
        String?
    @Option(
        help: ArgumentHelp(
            help("Giữ mọi bản trong khoảng này trước bản mới nhất, ví dụ 1y5m7d2h.", "Keep snapshots within this span of the newest one, such as 1y5m7d2h.")))
    var keepWithin: String?
    @Option(help: ArgumentHelp(help("Giữ một bản mỗi giờ trong khoảng này.", "Keep hourly snapshots within this span."))) var keepWithinHourly: String?
    @Option(help: ArgumentHelp(help("Giữ một bản mỗi ngày trong khoảng này.", "Keep daily snapshots within this span."))) var keepWithinDaily: String?
    @Option(help: ArgumentHelp(help("Giữ một bản mỗi tuần trong khoảng này.", "Keep weekly snapshots within this span."))) var keepWithinWeekly: String?
    @Option(help: ArgumentHelp(help("Giữ một bản mỗi tháng trong khoảng này.", "Keep monthly snapshots within this span."))) var keepWithinMonthly: String?
    @Option(help: ArgumentHelp(help("Giữ một bản mỗi năm trong khoảng này.", "Keep yearly snapshots within this span."))) var keepWithinYearly: String?
    @Option(
        help: ArgumentHelp(
            help("Giữ các bản có mọi nhãn này (lặp lại được); '' là bản không nhãn.", "Keep snapshots with all these tags (repeatable); '' means none.")))
    var keepTag: [String] = []

    func policy() throws -> RetentionPolicy {
        var policy = RetentionPolicy()
        let counts: [(WritableKeyPath<RetentionPolicy, RetentionCount>, String?)] = [
            (\.last, keepLast), (\.hourly, keepHourly), (\.daily, keepDaily), (\.weekly, keepWeekly), (\.monthly, keepMonthly),
            (\.yearly, keepYearly),
        ]
        for (field, text) in counts {
            // Older scripts write -1 where newer ones write 'unlimited'.
            if let text { policy[keyPath: field] = text == "-1" ? .unlimited : try RetentionCount(text) }
        }
        let spans: [(WritableKeyPath<RetentionPolicy, CalendarDuration>, String?)] = [
            (\.within, keepWithin), (\.withinHourly, keepWithinHourly), (\.withinDaily, keepWithinDaily), (\.withinWeekly, keepWithinWeekly),
            (\.withinMonthly, keepWithinMonthly), (\.withinYearly, keepWithinYearly),
        ]
        for (field, text) in spans {
            if let text { policy[keyPath: field] = try CalendarDuration(text) }
        }
        policy.tagLists = keepTag.map(tagList)
        return policy
    }
}
