import Platform
import Testing

@testable import IncidentCore

/// Central European time by its rule since 1996, so that no zone of the process is needed: summer from the last Sunday of March
/// to the last Sunday of October, 01:00 UTC each.
private let berlin = ZoneRules { moment in
    let year = CivilTime(utc: moment).year
    func lastSunday(_ month: Int) -> Int64 {
        let last = daysSinceEpoch(year: year, month: month + 1, day: 0)
        return Int64(last - (last + 4) % 7) * 86400 + 3600
    }
    return (lastSunday(3)..<lastSunday(10)).contains(moment.seconds) ? 7200 : 3600
}
private let hoChiMinh = ZoneRules { _ in 7 * 3600 }

private func moment(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

/// The first `count` runs after `start`, as the clock on the wall shows them.
private func runs(_ schedule: String, after start: String, count: Int, in zone: ZoneRules) throws -> [String] {
    let schedule = try #require(Schedule(schedule))
    var now = try moment(start)
    return (0..<count).map { _ in
        let next = schedule.next(after: now, in: zone)
        #expect(next > now)
        now = next
        return zone.civilTime(next).rfc3339
    }
}

@Suite struct ConfigScheduleTests {
    @Test(arguments: [
        ("every 6h", "2026-11-23T05:59:59+07:00", ["2026-11-23T06:00:00+07:00", "2026-11-23T12:00:00+07:00"]),
        ("every 6h", "2026-11-23T06:00:00+07:00", ["2026-11-23T12:00:00+07:00"]),
        ("every 45s", "2026-11-23T00:00:10+07:00", ["2026-11-23T00:00:45+07:00", "2026-11-23T00:01:30+07:00"]),
        ("every 24h", "2026-11-23T00:00:01+07:00", ["2026-11-24T00:00:00+07:00"]),
        ("hourly", "2026-11-23T23:30:00+07:00", ["2026-11-24T00:00:00+07:00"]),
        ("daily 02:00", "2026-11-23T01:59:59.5+07:00", ["2026-11-23T02:00:00+07:00", "2026-11-24T02:00:00+07:00"]),
        ("daily 02:00", "2026-11-23T02:00:00+07:00", ["2026-11-24T02:00:00+07:00"]),
        ("daily", "2026-12-31T02:00:00+07:00", ["2027-01-01T02:00:00+07:00"]),
        ("weekly mon 02:00", "2026-11-23T02:00:00+07:00", ["2026-11-30T02:00:00+07:00", "2026-12-07T02:00:00+07:00"]),
        ("weekly sun 23:30", "2026-11-23T00:00:00+07:00", ["2026-11-29T23:30:00+07:00"]),
        ("weekly", "2026-11-22T12:00:00+07:00", ["2026-11-23T02:00:00+07:00"]),
        ("monthly 31 02:00", "2026-01-31T02:00:00+07:00", ["2026-02-28T02:00:00+07:00", "2026-03-31T02:00:00+07:00", "2026-04-30T02:00:00+07:00"]),
        ("monthly last", "2028-02-01T00:00:00+07:00", ["2028-02-29T02:00:00+07:00", "2028-03-31T02:00:00+07:00"]),
        ("monthly 30 01:15", "2027-01-30T01:15:00+07:00", ["2027-02-28T01:15:00+07:00", "2027-03-30T01:15:00+07:00"]),
        ("monthly", "2026-12-01T02:00:00+07:00", ["2027-01-01T02:00:00+07:00"]),
        ("quarterly", "2026-11-23T00:00:00+07:00", ["2027-01-01T02:00:00+07:00", "2027-04-01T02:00:00+07:00", "2027-07-01T02:00:00+07:00"]),
        ("quarterly 15 03:00", "2026-10-01T00:00:00+07:00", ["2026-10-15T03:00:00+07:00", "2027-01-15T03:00:00+07:00"]),
        ("half-yearly", "2026-01-01T02:00:00+07:00", ["2026-07-01T02:00:00+07:00", "2027-01-01T02:00:00+07:00"]),
        ("yearly 20 08:00", "2026-11-23T00:00:00+07:00", ["2027-01-20T08:00:00+07:00", "2028-01-20T08:00:00+07:00"]),
    ])
    func `a schedule runs at its times`(schedule: String, after: String, expected: [String]) throws {
        #expect(try runs(schedule, after: after, count: expected.count, in: hoChiMinh) == expected)
    }

    @Test func `a time that is skipped runs after the change, and once`() throws {
        #expect(
            try runs("daily 02:30", after: "2026-03-28T12:00:00+01:00", count: 2, in: berlin)
                == ["2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"])
        #expect(
            try runs("daily 02:00", after: "2026-03-28T12:00:00+01:00", count: 2, in: berlin)
                == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"])
    }

    @Test func `a time that is shown twice runs at the first`() throws {
        #expect(
            try runs("daily 02:30", after: "2026-10-24T12:00:00+02:00", count: 2, in: berlin)
                == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"])
        // From between the two 02:30 the next run is that of the following day.
        #expect(try runs("daily 02:30", after: "2026-10-25T02:15:00+01:00", count: 1, in: berlin) == ["2026-10-26T02:30:00+01:00"])
    }

    @Test func `a grid goes on over a change of the clocks`() throws {
        #expect(
            try runs("every 6h", after: "2026-03-28T20:00:00+01:00", count: 3, in: berlin)
                == ["2026-03-29T00:00:00+01:00", "2026-03-29T07:00:00+02:00", "2026-03-29T12:00:00+02:00"])
    }

    @Test func `each day of ten years has exactly one daily run`() throws {
        for text in ["daily 00:00", "daily 01:59", "daily 02:30", "daily 03:00", "daily 23:59"] {
            let schedule = try #require(Schedule(text))
            var now = try moment("2020-01-01T12:00:00Z")
            now = schedule.next(after: now, in: berlin)
            var day = berlin.civilTime(now)
            for _ in 0..<3652 {
                now = schedule.next(after: now, in: berlin)
                let civil = berlin.civilTime(now)
                let distance =
                    daysSinceEpoch(year: civil.year, month: civil.month, day: civil.day)
                    - daysSinceEpoch(year: day.year, month: day.month, day: day.day)
                #expect(distance == 1, "\(text) at \(civil.rfc3339)")
                day = civil
            }
        }
    }

    @Test func `the moment of a civil time is the inverse of the civil time of a moment`() throws {
        for offset in stride(from: Int64(0), to: 366 * 86400, by: 1800) {
            let moment = Timestamp(seconds: 1_767_225_600 + offset)
            let civil = berlin.civilTime(moment)
            let back = berlin.moment(year: civil.year, month: civil.month, day: civil.day, hour: civil.hour, minute: civil.minute)
            // In the hour that is shown twice, the first is meant.
            #expect(back == moment || berlin.civilTime(back).rfc3339.prefix(19) == civil.rfc3339.prefix(19) && back < moment)
        }
    }

    @Test func `glibc's rules of a real zone agree`() async {
        await #expect(processExitsWith: .success) {
            // A process of its own: the zone belongs to the process.
            guard CivilTime.setZone("Europe/Berlin"), let start = Timestamp(rfc3339: "2026-03-28T12:00:00+01:00"),
                let schedule = Schedule("daily 02:30")
            else { fatalError("no zone") }
            let next = schedule.next(after: start)
            precondition(next.rfc3339Local == "2026-03-29T03:30:00+02:00", next.rfc3339Local)
            precondition(next == schedule.next(after: start, in: berlin))
        }
    }

    @Test(arguments: [
        "", "every", "every 0s", "every 5", "every 6h 02:00", "every -1h", "hourly 02:00", "daily 24:00", "daily 2", "daily 02:60", "daily 02:00 mon",
        "daily 2:0", "daily +2:00", "weekly 1", "weekly monday", "weekly 02:00 mon", "monthly 0", "monthly 32", "monthly -1", "monthly +1", "monthly first",
        "quarterly jan", "sometimes", "Daily 02:00", "daily :00", "daily 02:00 02:00",
    ])
    func `what is no schedule is refused`(text: String) {
        #expect(Schedule(text) == nil)
    }

    @Test(arguments: [
        ("every 90m", "every 1h30m"), ("hourly", "every 1h"), ("daily", "daily 02:00"), ("daily 7:05", "daily 07:05"), ("weekly", "weekly mon 02:00"),
        ("weekly fri 22:00", "weekly fri 22:00"), ("monthly", "monthly 1 02:00"), ("monthly 31", "monthly last 02:00"),
        ("quarterly last 03:00", "quarterly last 03:00"), ("half-yearly", "half-yearly 1 02:00"), ("yearly 15", "yearly 15 02:00"),
    ])
    func `a schedule is written out in full and reads back`(text: String, full: String) throws {
        let schedule = try #require(Schedule(text))
        #expect(schedule.description == full)
        #expect(Schedule(full) == schedule)
    }
}
