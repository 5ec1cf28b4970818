import Ledger
import Platform
import Testing

@testable import IncidentCore

@Suite struct JobSchedulerTests {
    private static let hour: Int64 = 3600
    /// 2026-11-23 00:00 UTC.
    private static let midnight = Timestamp(seconds: 1_795_392_000)

    private func scheduler(_ texts: [String]) throws -> JobScheduler {
        JobScheduler(
            jobs: try texts.enumerated().map {
                ScheduledJob(kind: .backup, name: "j\($0.offset)", schedule: try #require(Schedule($0.element)))
            })
    }

    private func key(_ index: Int = 0) -> JobKey { JobKey(kind: .backup, name: "j\(index)") }

    @Test func `a job that never ran: by interval at once, by the clock at its time`() throws {
        let scheduler = try scheduler(["every 6h", "daily 02:00"])
        let now = Self.midnight.adding(seconds: Self.hour)
        let due = scheduler.due(lastStarts: [:], running: [], since: now, now: now, zone: .utc)
        #expect(due.map(\.name) == ["j0"])
        let later = Self.midnight.adding(seconds: 2 * Self.hour)
        #expect(
            scheduler.due(lastStarts: [key(): now], running: [], since: now, now: later, zone: .utc)
                == [DueJob(kind: .backup, name: "j1", scheduledFor: later, missed: 0)])
    }

    @Test func `missed runs are made up for by one`() throws {
        let scheduler = try scheduler(["every 6h"])
        let last = Self.midnight
        let now = Self.midnight.adding(seconds: 3 * 86400 + 100)
        let due = scheduler.due(lastStarts: [key(): last], running: [], since: last, now: now, zone: .utc)
        #expect(due == [DueJob(kind: .backup, name: "j0", scheduledFor: Self.midnight.adding(seconds: 3 * 86400), missed: 11)])
        #expect(scheduler.due(lastStarts: [key(): now], running: [], since: last, now: now, zone: .utc).isEmpty)
    }

    @Test func `what runs is not started again`() throws {
        let scheduler = try scheduler(["every 1h"])
        let now = Self.midnight.adding(seconds: 5 * Self.hour)
        #expect(
            scheduler.due(lastStarts: [key(): Self.midnight], running: [key()], since: Self.midnight, now: now, zone: .utc).isEmpty)
    }

    @Test func `a schedule of one second for a year asks a bounded number of questions`() throws {
        let scheduler = try scheduler(["every 1s"])
        let now = Self.midnight.adding(seconds: 365 * 86400)
        let due = scheduler.due(lastStarts: [key(): Self.midnight], running: [], since: Self.midnight, now: now, zone: .utc)
        #expect(due.map(\.missed) == [JobScheduler.countedMisses])
    }

    @Test func `the next time is the earliest of all`() throws {
        let scheduler = try scheduler(["every 6h", "daily 02:00"])
        let now = Self.midnight.adding(seconds: 60)
        #expect(
            scheduler.nextTime(lastStarts: [key(): now], since: now, now: now, zone: .utc) == Self.midnight.adding(seconds: 2 * Self.hour))
    }

    @Test func `a clock set back starts nothing twice`() throws {
        let scheduler = try scheduler(["every 1h"])
        let last = Self.midnight.adding(seconds: 10 * Self.hour)
        #expect(
            scheduler.due(lastStarts: [key(): last], running: [], since: Self.midnight, now: Self.midnight, zone: .utc).isEmpty)
    }
}

@Suite struct JobServiceTests {
    @Test func `a job is within its objective, lapses, is reported once and is cleared by the next good run`() async throws {
        try await withSite { site in
            let jobs = JobService(incidents: site.service)
            try await jobs.record(.test("hoso", snapshot: "aa", tree: "bb", site.clock.now))
            #expect(try await jobs.jobs().first?.recoveryPoint == .withinObjective)
            #expect(try await jobs.checkObjectives().isEmpty)
            site.clock.advance(seconds: 6 * 3600 + 1)
            #expect(try await jobs.jobs().first?.recoveryPoint == .exceeded)
            #expect(try await jobs.checkObjectives().map(\.effect) == [.opened])
            #expect(try await jobs.checkObjectives().map(\.effect) == [.repeated])
            try await jobs.record(.test("hoso", snapshot: nil, tree: nil, site.clock.now))
            #expect(try await site.service.list().count == 1)
            let outcome = try await jobs.record(.test("hoso", snapshot: "cc", tree: "dd", site.clock.now))
            #expect(outcome.map(\.effect) == [.attached])
            let summary = try await site.service.show("SC-2026-0001").summary
            #expect(summary.condition == .cleared)
            #expect(summary.status == .open)
            #expect(try await jobs.jobs().first?.recoveryPoint == .withinObjective)
        }
    }

    @Test func `an incomplete snapshot is not a good one`() async throws {
        try await withSite { site in
            let jobs = JobService(incidents: site.service)
            try await jobs.record(.test("hoso", snapshot: "aa", tree: "bb", site.clock.now, outcome: .incomplete))
            let view = try #require(try await jobs.jobs().first)
            #expect(view.recoveryPoint == .none)
            #expect(view.lastRuns.map(\.outcome) == [.incomplete])
            #expect(try await site.service.list().map(\.rule) == ["backup-incomplete"])
        }
    }

    @Test func `the newest good run outlives any number of failures`() async throws {
        try await withSite { site in
            let jobs = JobService(incidents: site.service)
            try await jobs.record(.test("web", snapshot: "aa", tree: "bb", site.clock.now))
            for _ in 0..<(JobProjection.keptRuns + 5) {
                site.clock.advance(seconds: 60)
                try await jobs.record(.test("web", snapshot: nil, tree: nil, site.clock.now))
            }
            let view = try #require(try await jobs.jobs().first { $0.name == "web" })
            #expect(view.newestSnapshot == IncidentFixture.start.rfc3339Local)
            #expect(try await jobs.runs(of: "web", limit: 1000).count == JobProjection.keptRuns)
        }
    }

    @Test func `a result handed over twice is one run`() async throws {
        try await withSite { site in
            let jobs = JobService(incidents: site.service)
            let result = BackupResult.test("web", snapshot: nil, tree: nil, site.clock.now)
            let first = try await jobs.record(result)
            #expect(first.map(\.effect) == [.opened])
            #expect(try await jobs.record(result).map(\.effect) == [.repeated])
            #expect(try await jobs.runs(of: "web").count == 1)
        }
    }

    @Test func `a recorded start moves the schedule`() async throws {
        try await withSite { site in
            let jobs = JobService(incidents: site.service)
            try await jobs.begin(.backup, "hoso", by: IncidentFixture.responder.actor)
            #expect(try await jobs.lastStarts() == [JobKey(kind: .backup, name: "hoso"): site.clock.now])
            #expect(try await jobs.installedSince() == site.clock.now)
        }
    }

    @Test func `exclusions of one source drop nothing of another`() {
        let order = BackupOrder(
            job: "j",
            sources: [
                .init(paths: ["/a", "/b/"], excludes: ["*.tmp", "!keep.tmp", "/a/cache"]), .init(paths: ["/c", "/a"], excludes: []),
            ], targets: [], hostname: "h")
        #expect(order.allPaths == ["/a", "/b/", "/c"])
        #expect(
            order.allExcludes == ["/a/**/*.tmp", "/b/**/*.tmp", "!/a/**/keep.tmp", "!/b/**/keep.tmp", "/a/cache"])
        let single = BackupOrder(job: "j", sources: [.init(paths: ["/a"], excludes: ["*.tmp"])], targets: [], hostname: "h")
        #expect(single.allExcludes == ["*.tmp"])
    }

    @Test func `orders come from the configuration`() throws {
        let configuration = try Configuration.parse(Array(IncidentFixture.configuration.utf8), name: "t")
        let order = try BackupOrder(job: "hoso", of: configuration, hostname: "h")
        #expect(
            order.targets == [
                .init(RepositoryReference(name: "main", location: "/var/backups/main")),
                .init(RepositoryReference(name: "usb", location: "/mnt/usb")),
            ])
        #expect(throws: IncidentError.self) { try BackupOrder(job: "hosoo", of: configuration, hostname: "h") }
        let drill = try DrillOrder(drill: "hoso-quy", of: configuration, hostname: "h", scratch: "/s")
        #expect(drill.recoveryTimeObjectiveSeconds == 1800)
        #expect(drill.repository == "main")
        #expect(JobScheduler(configuration).jobs.map(\.name) == ["hoso", "web", "hoso-quy", "integrity"])
    }
}
