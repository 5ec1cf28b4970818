import BackupEngine
import FoundationEssentials
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// Random sets of snapshots, judged by stock restic: what it keeps, what it removes, and why.
@Suite(.serialized) struct ForgetEqualityTests {
    /// One answer of `restic forget --json`, as far as it is compared.
    private struct Group: Decodable {
        struct Named: Decodable { let id: String }
        // 0.14 leaves the ID of the snapshot out here; the order is that of `keep`.
        struct Reason: Decodable { let matches: [String] }
        let host: String
        let keep, remove: [Named]?
        let reasons: [Reason]?
    }

    private struct Case {
        var policy = RetentionPolicy()
        var flags: [String] = []
    }

    /// In child processes: the zone decides where Go's calendar finds the cut-offs, and it belongs to the whole process.
    @Test(arguments: [(Peer.restic018, "UTC"), (.newestRestic, "America/New_York"), (.debianRestic, "Asia/Ho_Chi_Minh")])
    func `forget equals restic's answer on random sets with mixed offsets`(peer: Peer, zone: String) async {
        await #expect(processExitsWith: .success) { [peer = peer.rawValue as String, zone = zone as String] in
            try #require(CivilTime.setZone(zone))
            try await Self.compare(#require(Peer(rawValue: peer)), zone: zone)
        }
    }

    private static func compare(_ peer: Peer, zone: String) async throws {
        let program = try peer.program()
        // Debian's 0.14 has neither the rule of the oldest snapshot nor 'unlimited'.
        let version = try await runProcess([program, "version"], timeLimitSeconds: 30).text
        let isOld = version.hasPrefix("restic 0.14")
        var random = SeededRandom(for: "forget equality with \(peer)")
        let (sets, rounds) = isFullTest ? (20, 10) : (8, 2)
        try await withTemporaryDirectory("forget") { root in
            let path = root / "repo"
            let repository = try makeStore(path)
            let (_, _, tree) = try fillStore(repository)
            try repository.store.backend.remove(.snapshot, #require(try repository.listSnapshots().first?.id))
            for set in 0..<sets { try writeSet("set\(set)", tree, repository, &random) }
            let snapshots = try repository.listSnapshots()
            for _ in 0..<rounds {
                let test = try randomCase(&random, isOld: isOld)
                let output = try await runProcess(
                    [program, "--no-cache", "forget", "--dry-run", "--json", "--group-by", "host"] + test.flags,
                    environment: inheritedEnvironment([
                        "RESTIC_REPOSITORY": path.utf8, "RESTIC_PASSWORD": String(decoding: storePassword, as: UTF8.self), "TZ": zone,
                    ]), timeLimitSeconds: 120)
                var theirs: [Group]?
                if let line = output.text.split(separator: "\n").first(where: { $0.hasPrefix("[") }) {
                    theirs = try JSONDecoder().decode([Group].self, from: Data(line.utf8))
                }
                let grouping = SnapshotGrouping(byHost: true, byPaths: false)
                guard let theirs else {
                    // Refused: newer ones do not leave a group without a snapshot.
                    try #require(code { _ = try ForgetPlan(snapshots, policy: test.policy, grouping: grouping) } == .invalidArgument, "\(output)")
                    continue
                }
                try compare(theirs, snapshots, test)
            }
        }
    }

    private static func compare(_ theirs: [Group], _ snapshots: [Snapshot], _ test: Case) throws {
        let groups = SnapshotGroupKey.groups(of: snapshots, by: SnapshotGrouping(byHost: true, byPaths: false))
        try #require(groups.map(\.key.host) == theirs.map(\.host).sorted())
        for group in theirs {
            let members = try #require(groups.first { $0.key.host == group.host }).snapshots
            let ours = test.policy.plan(for: members.map { RetentionCandidate($0) })
            let label = "\(test.flags) \(group.host)"
            try #require(ours.keep.map(\.candidate.snapshot.id.hex) == (group.keep ?? []).map(\.id), "\(label)")
            try #require(ours.remove.map(\.snapshot.id.hex) == (group.remove ?? []).map(\.id), "\(label)")
            try #require(ours.keep.map(\.reasons) == (group.reasons ?? []).map(\.matches), "\(label)")
        }
    }

    /// Between 1 and 25 snapshots of distinct times, some in the future, minutes to years apart.
    private static func writeSet(_ host: String, _ tree: Digest, _ repository: Repository, _ random: inout SeededRandom) throws {
        let now = Timestamp.now().seconds
        var seconds = random.oneIn(3) ? now + Int64(random.number(0..<100_000_000)) : now - Int64(random.number(0..<30_000_000))
        // Days at the ends of months and years are where calendars go wrong.
        if random.oneIn(3) {
            let year = random.number(2016..<2026)
            let (month, day) = [(2, 29), (3, 31), (12, 31), (1, 1), (5, 31)].randomElement(using: &random) ?? (1, 1)
            seconds = Int64(daysSinceEpoch(year: year, month: month, day: day)) * 86400 + Int64(random.number(0..<86400))
        }
        let scale = [60, 3600, 86400, 7 * 86400, 31 * 86400, 400 * 86400].randomElement(using: &random) ?? 60
        for _ in 0..<random.number(1..<26) {
            var made = snapshot(of: tree, at: seconds, host: host)
            made.time = Timestamp(seconds: seconds, nanoseconds: Int32(random.number(0..<1_000_000)) * 1000)
            made.utcOffsetSeconds = [0, 0, 7, -5, 14, -12, 5].randomElement(using: &random).map { $0 * 3600 } ?? 0
            if random.oneIn(4) { made.utcOffsetSeconds += random.oneIn(2) ? 1800 : 2700 }
            // What the zone of this process has at that moment is taken for the zone by Go.
            if random.oneIn(3) { made.utcOffsetSeconds = CivilTime(local: made.time).offsetSeconds }
            made.tags = ["a", "b", "c"].filter { _ in random.oneIn(3) }
            _ = try repository.saveSnapshot(made)
            seconds -= Int64(random.number(1..<scale * 2)) + 1
        }
    }

    private static func randomCase(_ random: inout SeededRandom, isOld: Bool) throws -> Case {
        var test = Case()
        test.policy.keepsOldest = !isOld
        let counts: [(String, WritableKeyPath<RetentionPolicy, RetentionCount>)] = [
            ("last", \.last), ("hourly", \.hourly), ("daily", \.daily), ("weekly", \.weekly), ("monthly", \.monthly), ("yearly", \.yearly),
        ]
        let spans: [(String, WritableKeyPath<RetentionPolicy, CalendarDuration>)] = [
            ("within", \.within), ("within-hourly", \.withinHourly), ("within-daily", \.withinDaily), ("within-weekly", \.withinWeekly),
            ("within-monthly", \.withinMonthly), ("within-yearly", \.withinYearly),
        ]
        for (name, field) in counts where random.oneIn(3) {
            let text = !isOld && random.oneIn(8) ? "unlimited" : "\(random.number(1..<8))"
            test.policy[keyPath: field] = try RetentionCount(text)
            test.flags += ["--keep-\(name)", text]
        }
        for (name, field) in spans where random.oneIn(5) {
            var text = ""
            for (unit, limit) in [("y", 3), ("m", 14), ("d", 40), ("h", 30)] where random.oneIn(2) { text += "\(random.number(1..<limit))\(unit)" }
            if text.isEmpty { text = "1m" }
            test.policy[keyPath: field] = try CalendarDuration(text)
            test.flags += ["--keep-\(name)", text]
        }
        for list in ["a", "a,b", ""] where random.oneIn(8) {
            test.policy.tagLists.append(list.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
            test.flags += ["--keep-tag", list]
        }
        if test.flags.isEmpty {
            test.policy.daily = .limited(3)
            test.flags = ["--keep-daily", "3"]
        }
        return test
    }
}
