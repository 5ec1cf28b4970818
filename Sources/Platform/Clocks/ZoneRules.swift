/// The offset of a time zone at each moment, and from it the way back from the clock on the wall to the moment.
package struct ZoneRules: Sendable {
    /// Seconds east of UTC at a moment.
    package let offsetSeconds: @Sendable (Timestamp) -> Int

    package init(offsetSeconds: @escaping @Sendable (Timestamp) -> Int) { self.offsetSeconds = offsetSeconds }

    /// The zone of this process, as ``CivilTime/setZone(_:)`` set it.
    package static let local = ZoneRules { CivilTime(local: $0).offsetSeconds }
    package static let utc = ZoneRules { _ in 0 }

    /// The civil time of `moment` in this zone.
    package func civilTime(_ moment: Timestamp) -> CivilTime {
        let offset = offsetSeconds(moment)
        var civil = CivilTime(utc: moment.adding(seconds: Int64(offset)))
        civil.offsetSeconds = offset
        return civil
    }

    /// The moment at which the clocks of this zone show the given time.
    ///
    /// A time that is shown twice (clocks put back) means the first; a time that is never shown (clocks put forward) means
    /// the moment that lies as long after the change as the time lies after the skipped hour's begin. These are the rules
    /// of java.time's `ZonedDateTime.of`.
    ///
    /// - Parameter day: May lie outside its month and counts on, as in ``daysSinceEpoch(year:month:day:)``.
    package func moment(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int = 0) -> Timestamp {
        let shown = Int64(daysSinceEpoch(year: year, month: month, day: day)) * 86400 + Int64(hour * 3600 + minute * 60 + second)
        // No zone changes twice within two days, so these two offsets are all that can be meant.
        let before = Int64(offsetSeconds(Timestamp(seconds: shown - 86400)))
        let after = Int64(offsetSeconds(Timestamp(seconds: shown + 86400)))
        // East of the other offset comes first in time: with clocks put back, `before` is the larger one.
        for offset in [max(before, after), min(before, after)] {
            let moment = Timestamp(seconds: shown - offset)
            if Int64(offsetSeconds(moment)) == offset { return moment }
        }
        return Timestamp(seconds: shown - before)
    }
}

/// Days in a month of the Gregorian calendar, 28...31.
package func daysInMonth(year: Int, month: Int) -> Int {
    daysSinceEpoch(year: month == 12 ? year + 1 : year, month: month == 12 ? 1 : month + 1, day: 1)
        - daysSinceEpoch(year: year, month: month, day: 1)
}
