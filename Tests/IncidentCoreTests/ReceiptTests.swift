import Glibc
import Ledger
import Platform
import TestSupport
import Testing

@testable import IncidentCore

/// What a job process might see, without one.
private struct Sight {
    static func id(_ number: Int) -> String { String(repeating: hexText([UInt8(number)]), count: 32) }

    static func facts(
        _ number: Int, tree: Int? = nil, original: Int? = nil, job: String? = "hoso", taken: Timestamp = IncidentFixture.start, files: Int64 = 100,
        bytes: Int64 = 50 << 20, added: Int64 = 1 << 20, stored: Int64 = 1 << 18
    ) -> SnapshotFacts {
        SnapshotFacts(
            id: id(number), original: id(original ?? number), tree: id(tree ?? number), takenMilliseconds: taken.millisecondsSinceEpoch, host: "h",
            job: job, files: files, bytes: bytes, added: added, stored: stored)
    }

    static func observation(
        _ present: [Int], new: [SnapshotFacts] = [], keys: [Int] = [200], identity: String = "kho-1", space: SpaceFacts? = nil
    ) -> RepositoryObservation {
        RepositoryObservation(
            repository: "main", repositoryID: identity, snapshots: present.map(id), unknown: new, keys: keys.map(id), space: space)
    }
}

extension IncidentFixture {
    fileprivate var repositories: RepositoryService { RepositoryService(incidents: service) }

    /// A backup of `hoso` to `main` that made one snapshot, with everything that lies there.
    fileprivate func backUp(_ facts: SnapshotFacts, present: [Int], others: [SnapshotFacts] = [], keys: [Int] = [200]) async throws -> [FindingOutcome] {
        var target = BackupResult.Target(repository: "main", outcome: .complete)
        target.snapshot = facts.id
        target.tree = facts.tree
        target.time = clock.now.rfc3339Local
        target.observation = Sight.observation(present, new: others + [facts], keys: keys)
        let result = BackupResult(
            job: "hoso", asset: nil, started: clock.now.rfc3339Local, ended: clock.now.rfc3339Local, targets: [target])
        // Two runs that end in the same moment are one run handed over twice.
        defer { clock.advance(seconds: 1) }
        return try await JobService(incidents: service, repositories: repositories).record(result)
    }

    fileprivate func receipts() async throws -> [Receipt] {
        try await ledger.read { try ReceiptTable.present(in: "main", database: $0) }
    }

    fileprivate func receipt(_ number: Int) async throws -> Receipt? { try await receipts().first { $0.snapshot == Sight.id(number) } }
}

@Suite struct ReceiptTests {
    private static let keeping = IncidentFixture.configuration.replacing(
        "schedule: every 6h, objectives: {rpo: 6h", with: "schedule: every 6h, keep: {last: 2}, objectives: {rpo: 6h")

    @Test func `what our job makes is dated by our clock, what was there before by its own, what appears later by first sight`() async throws {
        try await withSite { site in
            let lastYear = IncidentFixture.start.adding(seconds: -300 * 86400)
            let tomorrow = IncidentFixture.start.adding(seconds: 86400)
            _ = try await site.backUp(
                Sight.facts(1, taken: tomorrow), present: [1, 2, 3],
                others: [Sight.facts(2, taken: lastYear), Sight.facts(3, taken: tomorrow)])
            #expect(try await site.receipt(1)?.received == IncidentFixture.start)
            #expect(try await site.receipt(1)?.origin == .made)
            #expect(try await site.receipt(2)?.received == lastYear)
            #expect(try await site.receipt(3)?.received == IncidentFixture.start)
            site.clock.advance(seconds: 3600)
            try await site.repositories.record(Sight.observation([1, 2, 3, 4], new: [Sight.facts(4, taken: lastYear)]))
            #expect(try await site.receipt(4)?.received == site.clock.now)
            #expect(try await site.receipt(4)?.origin == .seen)
        }
    }

    @Test func `new tags keep the date and are no loss`() async throws {
        try await withSite { site in
            _ = try await site.backUp(Sight.facts(1), present: [1])
            site.clock.advance(seconds: 86400)
            let outcomes = try await site.repositories.record(Sight.observation([9], new: [Sight.facts(9, tree: 1, original: 1)]))
            #expect(outcomes.isEmpty)
            #expect(try await site.receipt(9)?.received == IncidentFixture.start)
            #expect(try await site.receipt(9)?.origin == .made)
            #expect(try await site.receipts().count == 1)
        }
    }

    @Test func `another tree under the same first name is another snapshot`() async throws {
        try await withSite { site in
            _ = try await site.backUp(Sight.facts(1), present: [1])
            site.clock.advance(seconds: 86400)
            try await site.repositories.record(Sight.observation([1, 9], new: [Sight.facts(9, tree: 77, original: 1)]))
            #expect(try await site.receipt(9)?.received == site.clock.now)
            #expect(try await site.receipt(9)?.origin == .seen)
        }
    }

    @Test func `a held snapshot that is gone is an incident, another one is recorded`() async throws {
        try await withSite { site in
            _ = try await site.backUp(Sight.facts(1), present: [1])
            site.clock.advance(seconds: 60)
            _ = try await site.backUp(Sight.facts(2), present: [1, 2])
            let first = try await site.repositories.record(Sight.observation([2]))
            #expect(first.map(\.effect) == [.recorded])
            let incident = try await site.service.open(
                title: "Kiểm tra", severity: .medium, playbook: nil, asset: nil, note: nil, by: IncidentFixture.responder)
            _ = try await site.service.placeHold(
                for: incident.summary.id, jobs: ["hoso"], reason: nil, by: IncidentFixture.responder)
            let second = try await site.repositories.record(Sight.observation([]))
            #expect(second.map(\.effect) == [.opened])
            #expect(try await site.service.list().contains { $0.rule == "repository-attacked" && $0.severity == .high })
            // Restored from elsewhere it is the same snapshot again.
            try await site.repositories.record(Sight.observation([2]))
            #expect(try await site.receipt(2)?.received == IncidentFixture.start.adding(seconds: 61))
        }
    }

    @Test func `the first keys are the baseline, a later one is an incident, a second look at it is not`() async throws {
        try await withSite { site in
            _ = try await site.backUp(Sight.facts(1), present: [1], keys: [200, 201])
            #expect(try await site.repositories.record(Sight.observation([1], keys: [200, 201])).isEmpty)
            #expect(try await site.repositories.record(Sight.observation([1], keys: [200])).isEmpty)
            let outcomes = try await site.repositories.record(Sight.observation([1], keys: [200, 202]))
            #expect(outcomes.map(\.effect) == [.opened])
            #expect(try await site.repositories.record(Sight.observation([1], keys: [200, 202])).isEmpty)
        }
    }

    @Test func `another repository at the same place is critical, and adopts nothing`() async throws {
        try await withSite { site in
            _ = try await site.backUp(Sight.facts(1), present: [1])
            let lastYear = IncidentFixture.start.adding(seconds: -300 * 86400)
            let outcomes = try await site.repositories.record(
                Sight.observation([5], new: [Sight.facts(5, taken: lastYear)], keys: [210], identity: "kho-2"))
            #expect(outcomes.contains { $0.effect == .opened })
            #expect(try await site.receipt(5)?.received == site.clock.now)
            #expect(try await site.receipt(1) == nil)
            #expect(try await site.repositories.alarm() != nil)
        }
    }

    @Test func `a snapshot that lost most of its content waits for a word, and the word settles the incident`() async throws {
        try await withSite(configuration: Self.keeping) { site in
            for number in 1...3 {
                _ = try await site.backUp(Sight.facts(number), present: Array(1...number))
                site.clock.advance(seconds: 6 * 3600)
            }
            #expect(try await site.repositories.plan(.policy(jobs: nil), repository: "main").map(\.snapshot) == [Sight.id(1)])
            let outcomes = try await site.backUp(Sight.facts(4, files: 3), present: [1, 2, 3, 4])
            #expect(outcomes.map(\.effect).contains(.opened))
            #expect(try await site.receipt(4)?.standing == .implausible)
            #expect(try await site.receipt(4)?.doubts == [.filesLost])
            // It takes no place: the two before it stay.
            #expect(try await site.repositories.plan(.policy(jobs: nil), repository: "main").map(\.snapshot) == [Sight.id(1)])
            // The next one is compared with the last that was trusted, not with the doubtful one.
            site.clock.advance(seconds: 6 * 3600)
            _ = try await site.backUp(Sight.facts(5, files: 3), present: [1, 2, 3, 4, 5])
            #expect(try await site.receipt(5)?.standing == .implausible)
            let judged = try await site.repositories.judge(
                [], of: "hoso", isGood: true, note: "đã dọn hồ sơ cũ", by: IncidentFixture.responder)
            #expect(judged.map(\.standing) == [.trusted, .trusted])
            #expect(
                try await site.repositories.plan(.policy(jobs: nil), repository: "main").map(\.snapshot).sorted() == [1, 2, 3].map(Sight.id))
            let incident = try #require(try await site.service.list().first { $0.rule == "snapshot-implausible" })
            #expect(incident.condition == .cleared)
            let again = try await incidentCode {
                _ = try await site.repositories.judge([], of: "hoso", isGood: true, note: nil, by: IncidentFixture.responder)
            }
            #expect(again == .refused)
        }
    }

    @Test func `while an alarm is open snapshots are suspect, and stay so until a person speaks`() async throws {
        try await withSite(configuration: Self.keeping) { site in
            for number in 1...3 { _ = try await site.backUp(Sight.facts(number), present: Array(1...number)) }
            try await site.service.report([try site.files(25)])
            let alarm = try #require(try await site.repositories.alarm())
            _ = try await site.backUp(Sight.facts(4), present: [1, 2, 3, 4])
            #expect(try await site.receipt(4)?.standing == .suspect)
            #expect(try await site.repositories.plan(.policy(jobs: nil), repository: "main").isEmpty)
            _ = try await site.service.resolve(alarm, note: "diễn tập", by: IncidentFixture.responder)
            _ = try await site.service.close(alarm, reason: "diễn tập", by: IncidentFixture.responder)
            #expect(try await site.repositories.alarm() == nil)
            #expect(try await site.receipt(4)?.standing == .suspect)
            #expect(try await JobService(incidents: site.service).jobs().first?.waitingSnapshots == 1)
            _ = try await site.repositories.judge([String(Sight.id(4).prefix(8))], of: "hoso", isGood: false, note: "mã hóa", by: IncidentFixture.responder)
            #expect(try await site.receipt(4)?.standing == .rejected)
        }
    }

    @Test func `a hold forbids what the plan would remove, also when it comes after the plan`() async throws {
        try await withSite(configuration: Self.keeping) { site in
            for number in 1...4 { _ = try await site.backUp(Sight.facts(number), present: Array(1...number)) }
            let plan = try await site.repositories.plan(.policy(jobs: nil), repository: "main")
            #expect(plan.count == 2)
            let incident = try await site.service.open(
                title: "x", severity: .low, playbook: nil, asset: nil, note: nil, by: IncidentFixture.responder)
            _ = try await site.service.placeHold(
                for: incident.summary.id, jobs: ["hoso"], reason: nil, by: IncidentFixture.responder)
            let refusal = try await site.repositories.permit(plan[0], repository: "main", isByPolicy: true, by: .system("retention"))
            #expect(refusal?.en.hasPrefix("held by hold-0001") == true)
            #expect(try await site.repositories.plan(.policy(jobs: nil), repository: "main").isEmpty)
            #expect(try await !site.kinds().contains(EventKind.snapshotForgotten))
            _ = try await site.service.releaseHold("hold-0001", reason: "xong", by: IncidentFixture.administrator)
            #expect(try await site.repositories.permit(plan[0], repository: "main", isByPolicy: true, by: .system("retention")) == nil)
            #expect(try await site.receipts().count == 3)
            // Forgotten by us: its absence is no finding.
            let rest = try await site.receipts().map(\.snapshot)
            let numbers = (1...4).filter { rest.contains(Sight.id($0)) }
            #expect(try await site.repositories.record(Sight.observation(numbers)).isEmpty)
            // The record asks for no snapshot that it does not know.
            #expect(
                try await site.repositories.permit(
                    PlannedRemoval(snapshot: Sight.id(99), reason: Phrase(verbatim: "x")), repository: "main", isByPolicy: false,
                    by: .system("retention")) != nil)
        }
    }

    @Test func `an append-only repository is never planned for`() async throws {
        let text = Self.keeping.replacing("{path: /var/backups/main,", with: "{path: /var/backups/main, appendOnly: true,")
        try await withSite(configuration: text) { site in
            for number in 1...4 { _ = try await site.backUp(Sight.facts(number), present: Array(1...number)) }
            #expect(try await site.repositories.plan(.policy(jobs: nil), repository: "main").isEmpty)
            #expect(try await incidentCode { _ = try site.repositories.requireDeletable("main") } == .refused)
            #expect(try await incidentCode { _ = try site.repositories.requireDeletable("mian") } == .notFound)
        }
    }

    @Test func `everything of it is rebuilt from the events`() async throws {
        try await withSite(configuration: Self.keeping) { site in
            for number in 1...4 { _ = try await site.backUp(Sight.facts(number, files: number == 4 ? 1 : 100), present: Array(1...number)) }
            let plan = try await site.repositories.plan(.policy(jobs: nil), repository: "main")
            for removal in plan {
                _ = try await site.repositories.permit(removal, repository: "main", isByPolicy: true, by: .system("retention"))
            }
            try await site.repositories.record(Sight.observation([3, 4], keys: [200, 203]))
            _ = try await site.repositories.judge([], of: "hoso", isGood: false, note: "hỏng", by: IncidentFixture.responder)
            var result = UpkeepResult(
                UpkeepOrder(repository: RepositoryReference(name: "main", location: "/r"), known: [], forgets: true, prunes: true),
                started: site.clock.now, ended: site.clock.now)
            try await site.repositories.record(result, by: .system("schedule"))
            result.failure = FailureText(message: Phrase(vi: "hỏng", en: "broken"), hint: nil)
            #expect(try await site.repositories.record(result, by: .system("schedule")).map(\.effect) == [.opened])
            site.clock.advance(seconds: 60)
            result.failure = nil
            #expect(try await site.repositories.record(result, by: .system("schedule")).map(\.effect) == [.closed])
            let before = try await site.dump()
            try await site.ledger.rebuild()
            #expect(try await site.dump() == before)
            #expect(try await site.ledger.verify().isIntact)
        }
    }

    @Test func `a repository that fills up is said once, and again when it is worse`() async throws {
        try await withSite { site in
            let history = try SpaceHistory(site.directory / "history.db")
            let service = RepositoryService(incidents: site.service, history: history)
            func measure(day: Int64, free: Int64) throws {
                try history.add(
                    SpaceFacts(freeBytes: free << 30, totalBytes: 100 << 30), of: "main", at: IncidentFixture.start.adding(seconds: day * 86400))
            }
            for day in 0..<20 { try measure(day: Int64(day), free: 39 - Int64(day)) }
            #expect(try await service.checkSpace().map(\.effect) == [.opened])
            #expect(try await service.checkSpace().isEmpty)
            site.clock.advance(seconds: 86400)
            for day in 20..<34 { try measure(day: Int64(day), free: 39 - Int64(day)) }
            #expect(try await service.checkSpace().map(\.effect) == [.escalated])
            #expect(try await service.repositories().first?.daysUntilFull == 6)
            for day in 34..<90 { try measure(day: Int64(day), free: 80) }
            #expect(try await service.checkSpace().count == 1)
        }
    }

    @Test func `the list of holds is signed, and says of every repository what is held`() async throws {
        try await withSite { site in
            _ = try await site.backUp(Sight.facts(1), present: [1])
            let incident = try await site.service.open(
                title: "x", severity: .low, playbook: nil, asset: nil, note: nil, by: IncidentFixture.responder)
            _ = try await site.service.placeHold(for: incident.summary.id, jobs: ["hoso"], reason: nil, by: IncidentFixture.responder)
            let signer = try NoteSigner(name: "sentinel.local/TH01", key: SigningKey(seed: [UInt8](repeating: 3, count: SigningKey.seedByteCount)))
            let note = try signer.sign(try await site.repositories.heldSnapshots().text)
            let text = try HoldList.verify(note, key: signer.verifier)
            #expect(text.contains("held \(Sight.id(1)) \(Sight.id(1)) \(Sight.id(1)) hoso hold-0001\n"))
            #expect(text.contains("repository usb -\nend 1\n"))
            #expect(throws: LedgerError.self) {
                try HoldList.verify(note.replacing("hold-0001", with: "hold-0002"), key: signer.verifier)
            }
            #expect(throws: (any Error).self) { try HoldList.verify(try signer.sign("other\n"), key: signer.verifier) }
            #expect(throws: (any Error).self) { try Checkpoint(note: note, key: signer.verifier) }
        }
    }

    @Test func `a broken glass is taken up once, also when its note cannot be read`() async throws {
        try await withSite { site in
            let directory = site.directory / "broken-glass"
            #expect(try await site.repositories.takeUpBrokenGlass(in: directory).isEmpty)
            try BrokenGlass(
                moment: site.clock.now, uid: 0, user: "root", command: "forget", repository: "main", reason: "đĩa đầy", snapshots: [Sight.id(1)]
            ).save(in: directory)
            try DurableFiles.create(directory / "rubbish", [1, 2, 3])
            let outcomes = try await site.repositories.takeUpBrokenGlass(in: directory)
            #expect(outcomes.map(\.effect) == [.opened, .opened])
            #expect(directoryEntries(directory).isEmpty)
            let event = try #require(try await site.ledger.events(kinds: [EventKind.glassBroken]).first)
            #expect(event.text("reason") == "đĩa đầy")
        }
    }
}

@Suite struct KnownRepositoriesTests {
    @Test func `a repository is known by its place, through links, and by its identity`() throws {
        let directory = try TemporaryDirectory("known")
        let root = directory.path
        try DurableFiles.makeDirectories(root / "repo")
        try makeSymbolicLink(at: root / "link", to: root / "repo")
        let known = KnownRepositories([
            .init(name: "main", location: (root / "repo").description, identity: "abc", isAppendOnly: false),
            .init(name: "far", location: "rest:https://kho.example/p/", identity: nil, isAppendOnly: true),
        ])
        #expect(known.entry(location: (root / "link").description, identity: nil)?.name == "main")
        #expect(known.entry(location: "local:\(root)/repo/", identity: nil)?.name == "main")
        #expect(known.entry(location: "/elsewhere", identity: "abc")?.name == "main")
        #expect(known.entry(location: "/elsewhere", identity: "abd") == nil)
        #expect(known.entry(location: "rest:https://kho.example/p", identity: nil)?.isAppendOnly == true)
        let file = root / "repositories.json"
        #expect(try KnownRepositories.load(file) == nil)
        try known.save(file)
        #expect(try KnownRepositories.load(file) == known)
    }
}

private func makeSymbolicLink(at link: FilePath, to target: FilePath) throws {
    try systemCall("symlink", path: link) {
        unsafe target.withCString { target in unsafe link.withCString { unsafe symlink(target, $0) } }
    }
}
