internal import Glibc
internal import IntegrityEngine
internal import Platform
internal import TestSupport
internal import Testing

/// The watchers of these tests take turns: each has threads of its own, and times that a busy machine would stretch.
@Suite(.serialized) struct WatcherTests {
    private func withWatcher(
        _ prepare: (FilePath) throws -> Void = { _ in }, settings: Watcher.Settings = .quick,
        log: ReportLog = ReportLog(), _ body: (FilePath, Watcher, ReportLog, BaselineStore, [WatchRule]) throws -> Void
    ) throws {
        try withTemporaryDirectory("watch") { directory in
            let root = directory / "watched"
            try Tree.makeDirectory(root)
            try prepare(root)
            let store = try BaselineStore(directory / "baseline.db")
            let rules = [try WatchRule(path: root, excludes: ["*.swp"])]
            let watcher = try Watcher(rules: rules, store: store, settings: settings) { log.add($0) }
            try watcher.start()
            defer { watcher.stop() }
            try #require(watcher.waitUntilQuiet(seconds: 30))
            try body(root, watcher, log, store, rules)
        }
    }

    @Test func `what is there at first is taken over in silence, what comes later is reported`() throws {
        try withWatcher({ try Tree.write($0 / "old", "old") }) { root, watcher, log, store, rules in
            #expect(log.changes.isEmpty && log.rescans.count == 1 && log.blind.isEmpty)
            #expect(watcher.coverage.map(\.guarantee) == [.realtime])
            try Tree.write(root / "new", "new")
            try Tree.write(root / "old", "changed")
            try Tree.write(root / "editor.swp", "x")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(log.kinds(of: root / "new") == [.added])
            #expect(log.kinds(of: root / "old") == [.changed])
            #expect(log.kinds(of: root / "editor.swp") == [])
            try Tree.setMode(root / "new", 0o600)
            try Tree.remove(root / "old")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(log.kinds(of: root / "new") == [.added, .changed])
            #expect(log.kinds(of: root / "old") == [.changed, .removed])
            #expect(try differences(store, rules).isEmpty)
        }
    }

    @Test func `files in a tree that is only just made are all reported`() throws {
        try withWatcher { root, watcher, log, store, rules in
            for index in 0..<500 {
                var path = root / "t\(index)"
                for name in ["a", "b", "c"] {
                    try Tree.makeDirectory(path)
                    path = path / name
                }
                try Tree.write(path, "x")
            }
            try #require(watcher.waitUntilQuiet(seconds: 60))
            let added = Set(log.changes.filter { $0.change.kind == .added }.map(\.change.path))
            let missing = (0..<500).filter { !added.contains(root / "t\($0)" / "a" / "b" / "c") }
            #expect(missing.isEmpty)
            #expect(try differences(store, rules).isEmpty)
            #expect(log.blind.isEmpty)
        }
    }

    @Test func `a renamed directory is gone there and new here, and still watched`() throws {
        func prepare(_ root: FilePath) throws {
            try Tree.makeDirectory(root / "one")
            try Tree.makeDirectory(root / "one" / "deep")
            try Tree.write(root / "one" / "deep" / "f", "x")
        }
        try withWatcher(prepare) { root, watcher, log, store, rules in
            try Tree.move(root / "one", root / "two")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(log.kinds(of: root / "one" / "deep" / "f") == [.removed])
            #expect(log.kinds(of: root / "two" / "deep" / "f") == [.added])
            log.clear()
            try Tree.write(root / "two" / "deep" / "f", "changed")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(log.changes.map(\.change.path) == [root / "two" / "deep" / "f"])
            // Out of the tree and back in.
            let outside = root.parent / "outside"
            try Tree.move(root / "two", outside)
            try Tree.write(outside / "unseen", "x")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(log.kinds(of: root / "two" / "deep" / "f").last == .removed)
            try Tree.move(outside, root / "three")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(log.kinds(of: root / "three" / "unseen") == [.added])
            #expect(try differences(store, rules).isEmpty)
        }
    }

    @Test func `a root that is replaced is watched again, and the gap is told`() throws {
        var settings = Watcher.Settings.quick
        settings.rootCheckSeconds = 1
        try withWatcher({ try Tree.write($0 / "a", "a") }, settings: settings) { root, watcher, log, store, rules in
            try Tree.move(root, root.parent / "aside")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(log.kinds(of: root / "a") == [.removed])
            #expect(watcher.coverage.map(\.guarantee) == [.missing])
            try Tree.makeDirectory(root)
            try Tree.write(root / "b", "b")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(log.kinds(of: root / "b") == [.added])
            #expect(watcher.coverage.map(\.guarantee) == [.realtime])
            #expect(try differences(store, rules).isEmpty)
        }
    }

    @Test func `a rule for one file sees it replaced by rename`() throws {
        try withTemporaryDirectory("file-rule") { directory in
            try Tree.write(directory / "conf", "1")
            let store = try BaselineStore(directory / "baseline.db")
            let log = ReportLog()
            let watcher = try Watcher(rules: [try WatchRule(path: directory / "conf")], store: store, settings: .quick) { log.add($0) }
            try watcher.start()
            defer { watcher.stop() }
            try #require(watcher.waitUntilQuiet(seconds: 30))
            try Tree.write(directory / "conf.new", "2")
            try Tree.move(directory / "conf.new", directory / "conf")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(log.changes.map(\.change.path) == [directory / "conf"])
            #expect(log.changes.first?.change.attributes.contains(Attribute.content) == true)
        }
    }

    @Test func `changes while nobody watched are found at the next start, with the interval`() throws {
        try withTemporaryDirectory("down") { directory in
            let root = directory / "watched"
            try Tree.makeDirectory(root)
            try Tree.write(root / "a", "a")
            let store = try BaselineStore(directory / "baseline.db")
            let rules = [try WatchRule(path: root)]
            func run(_ log: ReportLog) throws {
                let watcher = try Watcher(rules: rules, store: store, settings: .quick) { log.add($0) }
                try watcher.start()
                try #require(watcher.waitUntilQuiet(seconds: 30))
                watcher.stop()
            }
            try run(ReportLog())
            try Tree.write(root / "a", "changed")
            try Tree.write(root / "b", "b")
            let log = ReportLog()
            try run(log)
            #expect(log.kinds(of: root / "a") == [.changed] && log.kinds(of: root / "b") == [.added])
            #expect(log.blind.map(\.reason) == [.notRunning])
            #expect(log.rescans.first?.closed == log.blind)
            let quiet = ReportLog()
            try run(quiet)
            #expect(quiet.changes.isEmpty)
        }
    }

    @Test func `a report that fails comes again, with the same fingerprints`() throws {
        let log = ReportLog()
        let refused = ReportLog()
        let isFailing = SharedFlag()
        try withTemporaryDirectory("retry") { directory in
            let root = directory / "watched"
            try Tree.makeDirectory(root)
            let store = try BaselineStore(directory / "baseline.db")
            let watcher = try Watcher(rules: [try WatchRule(path: root)], store: store, settings: .quick) { report in
                if isFailing.isSet {
                    refused.add(report)
                    isFailing.clear()
                    throw SystemError("commit", ENOSPC)
                }
                log.add(report)
            }
            try watcher.start()
            defer { watcher.stop() }
            try #require(watcher.waitUntilQuiet(seconds: 30))
            isFailing.set()
            try Tree.write(root / "a", "a")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(refused.changes.count == 1)
            #expect(try log.changes.map { try $0.change.fingerprint() } == refused.changes.map { try $0.change.fingerprint() })
        }
    }

    @Test func `an overflow of the kernel's queue is told, and nothing is lost`() throws {
        let limit = try FilePath("/proc/sys/fs/inotify/max_queued_events").readNumber()
        try #require(limit < 200_000, "the queue is too long for a test")
        let isHeld = SharedFlag()
        var settings = Watcher.Settings.quick
        settings.beforeReading = { while isHeld.isSet { usleep(1000) } }
        try withWatcher(settings: settings) { root, watcher, log, store, rules in
            isHeld.set()
            try Tree.write(root / "first", "x")
            // Each round is two events that do not merge.
            for index in 0...(limit / 2 + 100) {
                try Tree.write(root / "f\(index % 50)", "x")
                try Tree.write(root / "g\(index % 50)", "\(index)")
            }
            try Tree.makeDirectory(root / "late")
            try Tree.write(root / "late" / "f", "x")
            isHeld.clear()
            try #require(watcher.waitUntilQuiet(seconds: 60))
            #expect(log.blind.contains { $0.reason == .overflow && $0.area == root && $0.from <= $0.to })
            #expect(log.rescans.last?.reasons.contains(.blind) == true)
            #expect(log.kinds(of: root / "late" / "f") == [.added])
            #expect(log.kinds(of: root / "first") == [.added])
            #expect(try differences(store, rules).isEmpty)
            // Directories made while blind are watched now.
            try Tree.write(root / "late" / "g", "x")
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(log.kinds(of: root / "late" / "g") == [.added])
        }
    }

    @Test func `without watches left an area is rescanned, and said to be blind in between`() throws {
        var settings = Watcher.Settings.quick
        settings.maximumWatches = 4
        settings.rootCheckSeconds = 1
        settings.unwatchedRescanSeconds = 1
        func prepare(_ root: FilePath) throws {
            for name in ["a", "b", "c", "d", "d/e"] { try Tree.makeDirectory(root / name) }
        }
        try withWatcher(prepare, settings: settings) { root, watcher, log, store, rules in
            let coverage = try #require(watcher.coverage.first)
            #expect(coverage.guarantee == .partial && !coverage.unwatched.isEmpty)
            #expect(coverage.unwatched.allSatisfy { $0.reason == .watchLimit })
            for name in ["a", "b", "c", "d", "d/e"] { try Tree.write(root / name / "f", "x") }
            for _ in 0..<100 where log.changes.count < 5 { usleep(100_000) }
            #expect(Set(log.changes.map(\.change.path.description)) == Set(["a", "b", "c", "d", "d/e"].map { (root / $0 / "f").description }))
            #expect(log.blind.contains { $0.reason == .watchLimit })
            try #require(watcher.waitUntilQuiet(seconds: 30))
            #expect(try differences(store, rules).isEmpty)
        }
    }

    @Test func `every one of many deletes is reported`() throws {
        let count = isFullTest ? 50_000 : 10_000
        func prepare(_ root: FilePath) throws {
            for directory in 0..<10 {
                try Tree.makeDirectory(root / "\(directory)")
                for index in 0..<count / 10 { try Tree.write(root / "\(directory)" / "\(index)", "") }
            }
        }
        try withWatcher(prepare) { root, watcher, log, store, _ in
            for directory in 0..<10 { removeTree(root / "\(directory)") }
            try #require(watcher.waitUntilQuiet(seconds: 120))
            let removed = log.changes.filter { $0.change.kind == .removed }
            #expect(Set(removed.map(\.change.path)).count == count + 10)
            #expect(removed.count == count + 10)
            #expect(log.all.allSatisfy { if case .changes(let changes) = $0 { changes.count <= 1000 } else { true } })
            #expect(try store.count(.observed) == 1)
        }
    }

    @Test func `after random operations the observed state is what a fresh scan finds`() throws {
        var random = SeededRandom(for: "watcher property")
        for _ in 0..<(isFullTest ? 20 : 3) {
            try withWatcher { root, watcher, log, store, rules in
                for _ in 0..<4 {
                    for _ in 0..<150 { randomOperation(root, &random) }
                    try #require(watcher.waitUntilQuiet(seconds: 60))
                    let found = try differences(store, rules)
                    #expect(found.isEmpty, "\(found.map { "\($0.kind) \($0.path) \($0.attributes.members)" })")
                }
                // The reports, one after the other, lead to the same set of paths.
                var present: Set<FilePath> = [root]
                for change in log.changes {
                    if change.change.kind == .removed { present.remove(change.change.path) } else { present.insert(change.change.path) }
                }
                #expect(present == Set(try scanned(rules).records.keys.filter { !$0.bytes.isEmpty }))
            }
        }
    }

    /// One step of somebody else's work. It may fail: what it would change may not be there.
    private func randomOperation(_ root: FilePath, _ random: inout SeededRandom) {
        func place(_ depth: Int) -> FilePath {
            var path = root
            for _ in 0..<depth { path = path / "d\(random.number(0..<3))" }
            return path
        }
        let directory = place(random.number(0..<4))
        let name = directory / "f\(random.number(0..<4))"
        do {
            switch random.number(0..<10) {
            case 0, 1: try Tree.makeDirectory(place(random.number(1..<4)))
            case 2, 3, 4: try Tree.write(name, "\(random.number(0..<100))")
            case 5: try Tree.remove(name)
            case 6: try Tree.move(place(random.number(1..<4)), place(random.number(1..<4)))
            case 7: try Tree.move(name, place(random.number(0..<3)) / "f\(random.number(0..<4))")
            case 8: try Tree.setMode(name, [0o600, 0o644][random.number(0..<2)])
            default: if random.oneIn(4) { removeTree(place(random.number(1..<4))) } else { try Tree.link(name, to: "target\(random.number(0..<3))") }
            }
        } catch {
            return
        }
    }
}

extension Watcher.Settings {
    /// Short waits, so that tests are quick.
    static var quick: Watcher.Settings {
        var settings = Watcher.Settings()
        settings.quietMilliseconds = 30
        settings.latestMilliseconds = 300
        return settings
    }
}

extension FilePath {
    fileprivate func readNumber() throws -> Int {
        let text = String(decoding: try DurableFiles.read(self, limit: 100), as: UTF8.self)
        return Int(text.prefix { $0.isNumber }) ?? 0
    }
}
