internal import ControlAPI
internal import FoundationEssentials
internal import IncidentCore
internal import IntegrityEngine
internal import Ledger
internal import Platform

/// The process that looks at files. It knows no incident and no ledger: it tells the core what it sees and keeps the approved state
/// as the core says.
enum WatchProcess {
    static func run(_ channel: Channel) throws -> Int32 {
        guard case .setup(let setup)? = try channel.receive(as: WatchOrder.self, timeoutSeconds: 60) else { return ProcessExit.failure }
        let session = try WatchSession(channel: channel, setup: setup)
        try session.sayHello()
        while let order = try channel.receive(as: WatchOrder.self) { try session.handle(order) }
        session.stop()
        return ProcessExit.success
    }
}

/// One conversation with one core.
final class WatchSession: Sendable {
    /// What the conversation has come to. Only the reading thread changes it.
    private struct State: Sendable {
        var setup: WatchSetup
        var watcher: Watcher?
        var acknowledged: Set<Int64> = []
        var lastReport: Int64 = 0
        var lastScan: ScanReport?
        var isClosed = false
    }

    /// A report that the core has not put into the ledger after this time is made again.
    private static let acknowledgementSeconds = 120.0
    private static let scanSeconds = 24.0 * 3600

    private let channel: Channel
    private let store: BaselineStore
    private let batches: BatchStore
    private let state: Monitor<State>
    private let questions = BoundedQueue<Question>(capacity: 64)

    private struct Question: Sendable {
        let id: Int64
        let request: WatchRequest
    }

    init(channel: Channel, setup: WatchSetup) throws {
        self.channel = channel
        let directory = FilePath(setup.stateDirectory)
        store = try BaselineStore(directory / "baseline.db")
        batches = BatchStore(directory: LedgerFiles(directory: directory).batches)
        state = Monitor(State(setup: setup))
        try OwnThread.start(name: "watch-answers") { [self] in
            while let question = questions.pop() { answer(question) }
        }
    }

    func sayHello() throws {
        let isEmpty = try store.count(.approved) == 0
        try channel.send(
            WatchReport.hello(
                applied: try store.appliedSequence() ?? -1, root: isEmpty ? "" : try store.computeApprovedRoot().hex))
    }

    func handle(_ order: WatchOrder) throws {
        switch order {
        case .setup(let setup):
            state.change { $0.setup = setup }
            try startWatching()
        case .begin(let accepts, let resets):
            if resets { try store.clearApproved() }
            do {
                for accept in accepts { try apply(accept) }
            } catch {
                let explained = error as? any ExplainedError
                let message = explained?.message ?? Phrase(verbatim: "\(error)")
                try channel.send(WatchReport.tampered(vi: message.vi, en: message.en))
            }
            try startWatching()
        case .acknowledge(let report): state.change { _ = $0.acknowledged.insert(report) }
        case .request(let id, let request): _ = questions.push(Question(id: id, request: request))
        }
    }

    func stop() {
        questions.close()
        let watcher = state.change { state in
            state.isClosed = true
            return state.watcher
        }
        watcher?.stop()
    }

    // MARK: Watching

    private var rules: [WatchRule] {
        get throws {
            try state.read { $0.setup.areas }.map { try WatchRule(path: FilePath($0.path), excludes: $0.excludes, id: $0.name) }
        }
    }

    private func startWatching() throws {
        let old = state.change { state in
            defer { state.watcher = nil }
            return state.watcher
        }
        old?.stop()
        let watcher = try Watcher(rules: try rules, store: store) { [self] in try report($0) }
        try watcher.start()
        state.change { $0.watcher = watcher }
    }

    /// Called by the watcher; returning means that the core has it in the ledger.
    private func report(_ report: WatcherReport) throws {
        switch report {
        case .changes(let changes): try reportChanges(changes)
        case .blind(let interval):
            try channel.send(
                WatchReport.blind(
                    path: interval.area.utf8 ?? interval.area.description, from: interval.from.millisecondsSinceEpoch,
                    to: interval.to.millisecondsSinceEpoch, vi: interval.reason.name.vi, en: interval.reason.name.en))
        case .rescanned(let rescan):
            if rescan.reasons.contains(.requested) { state.change { $0.lastScan = rescan.scan } }
        }
    }

    private func reportChanges(_ changes: [ObservedChange]) throws {
        // Before the first baseline nothing is approved, so nothing deviates.
        guard try store.appliedSequence() != nil else { return }
        for (area, ofArea) in Dictionary(grouping: changes, by: \.rule) {
            let number = state.change { state in
                state.lastReport += 1
                return state.lastReport
            }
            try channel.send(WatchReport.observed(report: number, area: area, changes: try ofArea.map(wire)))
            let isRecorded = state.wait(seconds: Self.acknowledgementSeconds) { state -> Bool? in
                if state.isClosed { return false }
                return state.acknowledged.remove(number) == nil ? nil : true
            }
            if isRecorded != true { throw ChannelError(.timedOut) }
        }
    }

    private func wire(_ observed: ObservedChange) throws -> ObservedWire {
        let change = observed.change
        let approved = try store.record(.approved, change.path)
        let deviation = Change(path: change.path, before: approved, after: change.after, significance: .approved)
        return ObservedWire(
            kind: change.kind.wireName, pathBase64: Data(change.path.bytes).base64EncodedString(),
            attributes: change.attributes.members.map(\.code), fingerprint: try change.fingerprint().hex, isApproved: deviation == nil)
    }

    // MARK: Questions

    private func answer(_ question: Question) {
        do {
            do {
                try channel.send(WatchReport.answer(id: question.id, try answer(to: question.request)))
            } catch let error as ChannelError {
                throw error
            } catch {
                try channel.send(WatchReport.failed(id: question.id, WireFailure(error)))
            }
        } catch {
            // The core is gone; the reading thread sees the same and ends the process.
            Journal.report("watch", error)
        }
    }

    private func answer(to request: WatchRequest) throws -> WatchAnswer {
        switch request {
        case .scan: return try scan()
        case .changes: return .changes(String(decoding: try JSONEncoder().encode(try changes()), as: UTF8.self))
        case .prepareAccept(let paths): return try prepareAccept(paths)
        case .applyAccept(let accept):
            try apply(accept)
            return .applied
        case .coverage: return .coverage(String(decoding: try JSONEncoder().encode(try coverage()), as: UTF8.self))
        }
    }

    private func scan() throws -> WatchAnswer {
        guard let watcher = state.read({ $0.watcher }) else { throw Self.notWatching }
        if try store.computeApprovedRoot() != store.approvedRoot() {
            try channel.send(
                WatchReport.tampered(
                    vi: "các dòng đã phê duyệt trên đĩa bị sửa", en: "the approved rows on disk were changed"))
        }
        state.change { $0.lastScan = nil }
        watcher.rescan(isFull: true)
        guard watcher.waitUntilQuiet(seconds: Self.scanSeconds), let report = state.read({ $0.lastScan }) else { throw Self.notWatching }
        let deviations = try changes()
        return .scanned(
            files: report.files + report.directories + report.others, unreadable: report.findingCount,
            changes: deviations.added + deviations.removed + deviations.changed)
    }

    private func changes() throws -> ChangesAnswer {
        try ChangesAnswer(
            store: store, rules: RuleSet(try rules), isFull: false, hasBaseline: try store.appliedSequence() != nil)
    }

    private func prepareAccept(_ pathsBase64: [String]) throws -> WatchAnswer {
        let areas = pathsBase64.map { FilePath(bytes: Data(base64Encoded: $0) ?? Data()).normalised }
        let candidates = try store.acceptCandidates(RuleSet(try rules), areas: areas.isEmpty ? nil : areas)
        let batch = try batches.write(try AcceptBatch.encode(candidates.rows))
        try FaultPoint.reach("accept.batch-written")
        return .prepared(
            batch: batch.hex, rows: candidates.rows.count, root: candidates.root.hex, base: try store.appliedSequence() ?? -1)
    }

    private func apply(_ accept: AcceptReference) throws {
        guard let batch = Digest(hex: accept.batch), let root = Digest(hex: accept.root) else { throw ChannelError(.malformed) }
        _ = try store.apply(
            batch: try batches.read(batch, limit: AcceptBatch.maximumBytes), sequence: accept.sequence, expectedRoot: root)
    }

    private func coverage() throws -> CoverageAnswer {
        guard let watcher = state.read({ $0.watcher }) else { return CoverageAnswer(areas: [], blind: []) }
        let files = try store.count(.observed)
        return CoverageAnswer(
            areas: watcher.coverage.map { rule in
                CoverageAnswer.Area(
                    name: rule.rule.id, path: rule.rule.path.description, guarantee: rule.guarantee.wireName,
                    directories: rule.watchedDirectories, files: files)
            }, blind: [])
    }

    private static let notWatching = DaemonError(
        message: Phrase(vi: "bộ theo dõi chưa sẵn sàng", en: "the watcher is not ready"),
        hint: Phrase(vi: "thử lại sau vài giây", en: "try again in a few seconds"), isPermanent: false)
}

extension RuleCoverage.Guarantee {
    /// The word in JSON.
    var wireName: String {
        switch self {
        case .realtime: "realtime"
        case .partial: "partial"
        case .rescanOnly: "rescan"
        case .missing: "missing"
        }
    }
}
