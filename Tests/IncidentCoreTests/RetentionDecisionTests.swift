import BackupEngine
import Platform
import TestSupport
import Testing

@testable import IncidentCore

@Suite struct RetentionDecisionTests {
    private static let day: Int64 = 86400
    private static let now = Timestamp(seconds: 1_795_417_200)

    private func receipt(
        _ number: Int, daysAgo: Int64, takenDaysAgo: Int64? = nil, origin: ReceiptOrigin = .made, standing: SnapshotStanding = .trusted,
        isIncomplete: Bool = false
    ) -> Receipt {
        let name = hexText([UInt8(number)])
        return Receipt(
            repository: "main", snapshot: String(repeating: name, count: 32), original: String(repeating: name, count: 32),
            tree: String(repeating: name, count: 32), job: "hoso", taken: Self.now.adding(seconds: -(takenDaysAgo ?? daysAgo) * Self.day),
            received: Self.now.adding(seconds: -daysAgo * Self.day), origin: origin, standing: standing, isIncomplete: isIncomplete)
    }

    /// Numbers of the snapshots that would go.
    private func removed(_ receipts: [Receipt], _ keep: Retention, alarm: String? = nil) -> [Int] {
        RetentionDecision.verdicts(receipts, keep: keep, alarm: alarm, now: Self.now, zone: .utc).filter { !$0.isKept }.compactMap {
            Int($0.snapshot.prefix(2), radix: 16)
        }.sorted()
    }

    @Test func `the policy counts receipts and keeps what it says`() {
        let receipts = (1...6).map { receipt($0, daysAgo: Int64($0)) }
        #expect(removed(receipts, Retention(last: 2)) == [3, 4, 5, 6])
        #expect(removed(receipts, Retention(daily: 6)) == [])
        #expect(removed(receipts, Retention(within: CalendarDuration(days: 3))) == [4, 5, 6])
    }

    @Test func `forged times change nothing`() {
        // All of them say that they are from tomorrow, or from last year.
        let honest = (1...6).map { receipt($0, daysAgo: Int64($0)) }
        let forged = (1...6).map { receipt($0, daysAgo: Int64($0), takenDaysAgo: $0 % 2 == 0 ? -1 : 400) }
        let policy = Retention(last: 1, daily: 3)
        #expect(removed(forged, policy) == removed(honest, policy))
    }

    @Test func `snapshots without a receipt are counted apart and displace none of ours`() {
        let ours = (1...3).map { receipt($0, daysAgo: Int64($0)) }
        let flood = (10...30).map { receipt($0, daysAgo: 0, origin: .seen) }
        let gone = removed(ours + flood, Retention(last: 3))
        #expect(gone.allSatisfy { $0 >= 10 })
        #expect(gone.count == 18)
    }

    @Test func `what was adopted is counted with ours, by its own time`() {
        let adopted = (1...4).map { receipt($0, daysAgo: Int64($0) * 7, origin: .adopted) }
        #expect(removed(adopted + [receipt(9, daysAgo: 0)], Retention(last: 3)) == [3, 4])
    }

    @Test func `suspect and implausible snapshots stay and displace nothing`() {
        let doubtful = [receipt(1, daysAgo: 0, standing: .suspect), receipt(2, daysAgo: 1, standing: .implausible)]
        let good = (3...6).map { receipt($0, daysAgo: Int64($0)) }
        #expect(removed(doubtful + good, Retention(last: 2)) == [5, 6])
    }

    @Test func `an approved snapshot takes its place, a rejected one may go`() {
        let approved = [receipt(1, daysAgo: 0), receipt(2, daysAgo: 1)] + (3...4).map { receipt($0, daysAgo: Int64($0)) }
        #expect(removed(approved, Retention(last: 2)) == [3, 4])
        let rejected = [receipt(1, daysAgo: 0, standing: .rejected)] + (3...4).map { receipt($0, daysAgo: Int64($0)) }
        #expect(removed(rejected, Retention(last: 2)) == [1])
    }

    @Test func `while an alarm is open nothing goes`() {
        let receipts = (1...6).map { receipt($0, daysAgo: Int64($0)) } + [receipt(7, daysAgo: 9, standing: .rejected)]
        #expect(removed(receipts, Retention(last: 1), alarm: "SC-2026-0001") == [])
    }

    @Test func `an incomplete snapshot displaces no whole one unless the policy says so`() {
        let receipts = [receipt(1, daysAgo: 0, isIncomplete: true), receipt(2, daysAgo: 1, isIncomplete: true), receipt(3, daysAgo: 2)]
        #expect(removed(receipts, Retention(last: 1)) == [])
        #expect(removed(receipts, Retention(last: 1, countsIncomplete: true)) == [2, 3])
        // A whole one that came later makes it superfluous.
        #expect(removed(receipts + [receipt(4, daysAgo: -1)], Retention(last: 5)) == [1, 2])
    }

    @Test func `a policy without a rule removes nothing`() {
        #expect(removed((1...3).map { receipt($0, daysAgo: Int64($0)) }, Retention()) == [])
        #expect(removed([], Retention(last: 1)) == [])
    }
}

@Suite struct PlausibilityTests {
    private typealias Sizes = Plausibility.Sizes
    private static let before = Sizes(files: 1000, bytes: 1 << 30, added: 1 << 30, stored: 400 << 20)
    private static let usual: (added: Int64, stored: Int64) = (added: 1 << 30, stored: 400 << 20)

    private func doubts(_ new: Sizes, reference: Sizes? = before, usual: (added: Int64, stored: Int64) = usual) -> [Doubt] {
        Plausibility.doubts(about: new, reference: reference, usual: usual)
    }

    @Test func `an ordinary day raises no doubt`() {
        #expect(doubts(Sizes(files: 1010, bytes: (1 << 30) + 5000, added: 3 << 20, stored: 1 << 20)) == [])
        #expect(doubts(Sizes(files: 600, bytes: 600 << 20, added: 0, stored: 0)) == [])
    }

    @Test func `most of the content gone is a doubt`() {
        #expect(doubts(Sizes(files: 100, bytes: 1 << 30, added: 0, stored: 0)) == [.filesLost])
        #expect(doubts(Sizes(files: 1000, bytes: 100 << 20, added: 0, stored: 0)) == [.bytesLost])
        #expect(doubts(Sizes(files: 0, bytes: 0, added: 0, stored: 0)) == [.filesLost, .bytesLost])
    }

    @Test func `much new data that does not compress is a doubt where data always compressed`() {
        let encrypted = Sizes(files: 1000, bytes: 1 << 30, added: 500 << 20, stored: 500 << 20)
        #expect(doubts(encrypted) == [.incompressible])
        // Photographs never compressed.
        #expect(doubts(encrypted, usual: (added: 1 << 30, stored: 1 << 30)) == [])
        // One new archive is not much.
        #expect(doubts(Sizes(files: 1001, bytes: 1 << 30, added: 50 << 20, stored: 50 << 20)) == [])
    }

    @Test func `without a predecessor, or with a tiny one, there is nothing to compare`() {
        #expect(doubts(Sizes(files: 0, bytes: 0, added: 0, stored: 0), reference: nil) == [])
        #expect(doubts(Sizes(files: 1, bytes: 10, added: 10, stored: 10), reference: Sizes(files: 5, bytes: 1000, added: 0, stored: 0)) == [])
    }
}

@Suite struct SpaceTrendTests {
    private func samples(_ count: Int, _ free: (Int) -> Int64) -> [SpaceTrend.Sample] {
        (0..<count).map { SpaceTrend.Sample(moment: Timestamp(seconds: Int64($0) * 21600), freeBytes: free($0)) }
    }

    @Test func `a steady fall is followed to the end`() throws {
        // A gigabyte a day, ten left.
        let days = try #require(SpaceTrend.daysUntilFull(samples(41) { (20 << 30) - Int64($0) * (1 << 28) }))
        #expect(abs(days - 10) < 0.1)
        #expect(SpaceTrend.severity(daysUntilFull: days) == .low)
        #expect(SpaceTrend.severity(daysUntilFull: 3) == .medium)
        #expect(SpaceTrend.severity(daysUntilFull: 300) == nil)
    }

    @Test func `one prune and one large copy do not bend it`() throws {
        let days = try #require(
            SpaceTrend.daysUntilFull(samples(41) { (20 << 30) - Int64($0) * (1 << 28) + ($0 == 20 ? 8 << 30 : 0) - ($0 == 30 ? 5 << 30 : 0) }))
        #expect(abs(days - 10) < 1)
    }

    @Test func `too little says nothing, and a rise is no fall`() {
        #expect(SpaceTrend.daysUntilFull([]) == nil)
        #expect(SpaceTrend.daysUntilFull(samples(5) { 1000 - Int64($0) }) == nil)
        #expect(SpaceTrend.daysUntilFull(samples(40) { 1000 + Int64($0) }) == nil)
        #expect(SpaceTrend.daysUntilFull(samples(2000) { Int64(1 << 40) - Int64($0) }) != nil)
    }

    @Test func `measurements expire and are bounded; a damaged file is made anew`() throws {
        let directory = try TemporaryDirectory("history")
        let path = directory.path / "history.db"
        do {
            let history = try SpaceHistory(path)
            for number in 0..<2100 {
                try history.add(
                    SpaceFacts(freeBytes: Int64(number), totalBytes: 5000), of: "main", at: Timestamp(seconds: 1_000_000 + Int64(number) * 60))
            }
            #expect(try history.samples(of: "main").samples.count == 2000)
            #expect(try history.samples(of: "main").newest == SpaceFacts(freeBytes: 2099, totalBytes: 5000))
            try history.add(SpaceFacts(freeBytes: 1, totalBytes: 5000), of: "main", at: Timestamp(seconds: 1_000_000 + 90 * 86400))
            #expect(try history.samples(of: "main").samples.count == 1)
            #expect(try history.samples(of: "usb").newest == nil)
        }
        try DurableFiles.replace(path, Array(repeating: 0x41, count: 8192))
        #expect(try SpaceHistory(path).samples(of: "main").samples.isEmpty)
    }
}
