import BackupEngine
import Platform
import TestSupport
import Testing

@testable import BackupEngine

@Suite struct RetentionPolicyTests {
    private func candidate(_ time: String, tags: [String] = []) throws -> RetentionCandidate {
        let moment = try #require(Timestamp(rfc3339: time))
        var snapshot = snapshot(of: .zero, at: moment.seconds, tags: tags)
        snapshot.id = try SHA256.hash(Array((time + tags.joined()).utf8))
        snapshot.time = moment
        let sign = time.hasSuffix("Z") ? 0 : (time.dropLast(5).last == "-" ? -1 : 1)
        let digits = time.suffix(5).split(separator: ":").compactMap { Int($0) }
        snapshot.utcOffsetSeconds = sign == 0 ? 0 : sign * (digits[0] * 3600 + digits[1] * 60)
        return RetentionCandidate(snapshot)
    }

    private func kept(_ times: [String], _ configure: (inout RetentionPolicy) throws -> Void, now: String = "2030-01-01T00:00:00Z") throws -> [String: [String]]
    {
        var policy = RetentionPolicy()
        try configure(&policy)
        let moment = try #require(Timestamp(rfc3339: now))
        let plan = policy.plan(for: try times.map { try candidate($0) }, now: moment, zone: .utc)
        return Dictionary(uniqueKeysWithValues: plan.keep.map { ($0.candidate.snapshot.timeText, $0.reasons) })
    }

    @Test func `days are those of the offset that the snapshot recorded`() throws {
        // The same UTC day, but two days on the writers' clocks.
        let result = try kept(["2026-03-01T23:30:00+07:00", "2026-03-02T00:30:00+07:00", "2026-03-01T15:00:00Z"]) {
            $0.daily = .limited(2)
            $0.keepsOldest = false
        }
        #expect(result == ["2026-03-02T00:30:00+07:00": ["daily snapshot"], "2026-03-01T23:30:00+07:00": ["daily snapshot"]])
    }

    @Test func `the oldest snapshot stays while a rule has counts left, and not before 0_16`() throws {
        let times = ["2026-03-01T01:00:00Z", "2026-03-01T02:00:00Z", "2026-03-01T03:00:00Z"]
        let current = try kept(times) { $0.daily = .limited(2) }
        #expect(current == ["2026-03-01T03:00:00Z": ["daily snapshot"], "2026-03-01T01:00:00Z": ["oldest daily snapshot"]])
        let old = try kept(times) {
            $0.daily = .limited(2)
            $0.keepsOldest = false
        }
        #expect(old == ["2026-03-01T03:00:00Z": ["daily snapshot"]])
        #expect(try kept(times) { $0.daily = .limited(1) } == old)
    }

    @Test(arguments: [
        // 31 March less a month is 31 February, which Go counts on into March.
        ("2026-03-31T12:00:00Z", "1m", "2026-03-03T12:00:00Z"), ("2024-03-31T12:00:00Z", "1m", "2024-03-02T12:00:00Z"),
        ("2024-02-29T12:00:00Z", "1y", "2023-03-01T12:00:00Z"), ("2026-01-15T00:00:00Z", "13m", "2024-12-15T00:00:00Z"),
        ("2026-03-31T12:00:00Z", "1y1m1d1h", "2025-03-02T11:00:00Z"), ("2026-01-01T00:00:00Z", "400d", "2024-11-27T00:00:00Z"),
        ("2026-03-01T00:30:00+14:00", "1m", "2026-02-01T00:30:00+14:00"),
    ])
    func `spans count back by Go's calendar`(from: String, span: String, to: String) throws {
        let start = try candidate(from)
        let end = try #require(Timestamp(rfc3339: to))
        #expect(try CalendarDuration(span).before(start.time, utcOffsetSeconds: start.utcOffsetSeconds, zone: .utc) == end)
    }

    @Test func `the cut-off itself is out, one second later is in, and the future anchors nothing`() throws {
        let times = ["2026-03-31T12:00:00Z", "2026-03-24T12:00:00Z", "2026-03-24T12:00:01Z", "2031-01-01T00:00:00Z"]
        let result = try kept(times) { $0.within = try CalendarDuration("7d") }
        #expect(Set(result.keys) == ["2026-03-31T12:00:00Z", "2026-03-24T12:00:01Z", "2031-01-01T00:00:00Z"])
        #expect(result["2026-03-24T12:00:01Z"] == ["within 7d"])
    }

    @Test func `ISO weeks belong to the year of their Thursday`() throws {
        func week(_ date: String) throws -> Int {
            RetentionBucket.week.key(CivilTime(utc: try #require(Timestamp(rfc3339: date + "T00:00:00Z"))), number: 0)
        }
        #expect(try week("2021-01-03") == 202_053 && week("2021-01-04") == 202_101 && week("2024-12-30") == 202_501)
        #expect(try week("1969-12-31") == 197_001 && week("2026-11-23") == 202_648)
    }

    @Test func `tags of one list belong together, lists do not, and the empty tag means none`() throws {
        var policy = RetentionPolicy()
        policy.tagLists = [["a", "b"], [""]]
        let candidates = [
            try candidate("2026-01-01T00:00:00Z", tags: ["b", "a", "c"]), try candidate("2026-01-02T00:00:00Z", tags: ["a"]),
            try candidate("2026-01-03T00:00:00Z"),
        ]
        let plan = policy.plan(for: candidates)
        #expect(plan.keep.map(\.reasons) == [["has tags []"], ["has tags [a, b]"]])
        #expect(plan.remove.map { $0.snapshot.tags } == [["a"]])
    }

    @Test func `the time that counts may be another than the snapshot's`() throws {
        var policy = RetentionPolicy()
        policy.last = .limited(1)
        let forged = try candidate("2029-01-01T00:00:00Z")
        let honest = try candidate("2026-01-01T00:00:00Z")
        let plan = policy.plan(for: [
            RetentionCandidate(forged.snapshot, time: Timestamp(seconds: 1000), utcOffsetSeconds: 0),
            RetentionCandidate(honest.snapshot, time: Timestamp(seconds: 2000), utcOffsetSeconds: 0),
        ])
        #expect(plan.keep.map(\.candidate.snapshot.id) == [honest.snapshot.id])
    }

    @Test(arguments: ["7", "d", "1x", "-1d", "1d2", "1.5d", "99999999999999999999y"])
    func `malformed spans are refused`(text: String) {
        #expect(code { _ = try CalendarDuration(text) } == .invalidArgument)
    }

    @Test func `an empty policy, and one that leaves nothing of a group, are refused`() throws {
        let snapshots = [try candidate("2026-01-01T00:00:00Z").snapshot]
        #expect(code { _ = try ForgetPlan(snapshots, policy: RetentionPolicy(), grouping: SnapshotGrouping()) } == .invalidArgument)
        var policy = RetentionPolicy()
        policy.tagLists = [["none has this"]]
        #expect(code { _ = try ForgetPlan(snapshots, policy: policy, grouping: SnapshotGrouping()) } == .invalidArgument)
        let all = try ForgetPlan(snapshots, policy: RetentionPolicy(), grouping: SnapshotGrouping(), allowsRemovingAll: true)
        #expect(all.remove.count == 1)
    }

    @Test func `holds keep what the policy would remove, in the plan and once more before the act`() throws {
        try withTemporaryDirectory("holds") { root in
            let repository = try makeStore(root / "repo")
            let (_, _, tree) = try fillStore(repository)
            for day in 1..<5 { _ = try repository.saveSnapshot(snapshot(of: tree, at: 1_790_000_000 + Int64(day) * 86400)) }
            let snapshots = try repository.listSnapshots()
            var policy = RetentionPolicy()
            policy.last = .limited(1)
            let reason = Phrase(vi: "sự cố", en: "incident")
            let plan = try ForgetPlan(
                snapshots, policy: policy, grouping: SnapshotGrouping(),
                willRemove: { $0.id == snapshots[0].id ? .held(reason) : .allowed })
            #expect(plan.held.map(\.snapshot.id) == [snapshots[0].id] && plan.remove.count == 3)
            let report = try repository.removeSnapshots(plan.remove) { $0.id == snapshots[1].id ? .held(reason) : .allowed }
            #expect(report.held.map(\.snapshot.id) == [snapshots[1].id] && report.removed.count == 2)
            #expect(try repository.listSnapshots().map(\.id) == [snapshots[0].id, snapshots[1].id, snapshots[4].id])
        }
    }
}
