import Platform
import Testing

@testable import IncidentCore

@Suite struct ConfigUnitTests {
    @Test(arguments: [
        ("45s", 45), ("30m", 1800), ("6h", 21600), ("2d", 172_800), ("1w", 604_800), ("1h30m", 5400), ("1d12h30m15s", 131_415), ("0s", 0),
        ("3650d", 315_360_000),
    ])
    func `a duration is read in seconds`(text: String, seconds: Int) {
        #expect(DurationText.seconds(text) == seconds)
    }

    @Test(arguments: ["", "6", "h", "6 h", "-6h", "6H", "30m1h", "1h1h", "6h30", "1.5h", "9999999999999999999999h", "3651d", "6ms"])
    func `what is no duration is refused`(text: String) {
        #expect(DurationText.seconds(text) == nil)
    }

    @Test func `a duration is written so that it reads back`() {
        for seconds in [0, 1, 59, 60, 61, 3599, 3600, 5400, 86399, 86400, 90061, 604_800, DurationText.maximumSeconds] {
            #expect(DurationText.seconds(DurationText.text(seconds)) == seconds)
        }
    }

    @Test(arguments: [("500B", 500), ("2KB", 2000), ("1MiB", 1_048_576), ("5GiB", 5_368_709_120), ("3TB", 3_000_000_000_000)])
    func `a size is read in bytes`(text: String, bytes: UInt64) {
        #expect(ByteSize.bytes(text) == bytes)
    }

    @Test(arguments: ["", "5", "GiB", "5 GiB", "-5GiB", "5gib", "1.5GiB", "99999999999TiB", "5G"])
    func `what is no size is refused`(text: String) {
        #expect(ByteSize.bytes(text) == nil)
    }

    @Test(arguments: ["2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "26-01-01", "2026-04-31", "2026/01/01", ""])
    func `a day that does not exist is refused`(text: String) {
        #expect(CalendarDate(text) == nil)
    }

    @Test func `days are ordered and counted`() throws {
        let day = try #require(CalendarDate("2028-02-29"))
        #expect(day.description == "2028-02-29")
        #expect(try day < #require(CalendarDate("2028-03-01")))
        #expect(try day.days(until: #require(Timestamp(rfc3339: "2028-03-02T12:00:00Z"))) == 2)
    }

    @Test(arguments: [
        ("intervall", "interval"), ("interavl", "interval"), ("personal_data", "personalData"), ("exclud", "exclude"), ("Watch", "watch"),
    ])
    func `the nearest known word is suggested`(word: String, expected: String) {
        #expect(Suggestion.nearest(to: word, among: ["interval", "timeout", "personalData", "exclude", "watch"]) == expected)
    }

    @Test func `nothing is suggested for a word far from all`() {
        #expect(Suggestion.nearest(to: "banana", among: ["interval", "timeout"]) == nil)
        #expect(Suggestion.nearest(to: "", among: ["a"]) == nil)
        #expect(Suggestion.nearest(to: String(repeating: "x", count: 1000), among: ["a"]) == nil)
    }
}
