internal import Platform

/// Reads the state of settled paths, compares it with the observed state, reports what is new, and then takes it over.
final class ChangeJudge {
    private struct Batch {
        var changes: [ObservedChange] = []
        /// States to take over, by path; a second look at a path in the same batch compares with this.
        var rows: [FilePath: FileRecord?] = [:]
        var isEmpty: Bool { rows.isEmpty }
    }
    /// The observed state is said to be complete up to now this often while nothing happens.
    private static let heartbeatSeconds = 60.0

    private let rules: RuleSet
    private let store: BaselineStore
    private let settings: Watcher.Settings
    private let queue: Monitor<WatchQueue>
    private let register: CoverageRegister
    private let report: (WatcherReport) throws -> Void
    private var batch = Batch()
    private var chain: DirectoryChain
    private var isFirstRescanDone = false
    private var lastHeartbeat: UInt64 = 0

    init(
        rules: RuleSet, store: BaselineStore, settings: Watcher.Settings, queue: Monitor<WatchQueue>,
        register: CoverageRegister, report: @escaping (WatcherReport) throws -> Void
    ) {
        self.rules = rules
        self.store = store
        self.settings = settings
        self.queue = queue
        self.register = register
        self.report = report
        chain = DirectoryChain(rules)
    }

    func run() {
        var reader: RecordReader?
        while reader == nil {
            reader = try? RecordReader(rate: nil)  // fails only while memory is short
            if reader == nil, pause(seconds: 1) { return }
        }
        guard var reader = reader.take() else { return }
        while true {
            switch nextWork() {
            case .stopped:
                heartbeat(isForced: true)
                return
            case .nothing: heartbeat(isForced: false)
            case .work(let work):
                judge(work, &reader)
                queue.change { $0.isJudging = false }
            }
        }
    }

    private enum Next { case stopped, nothing, work(WatchWork) }

    private func nextWork() -> Next {
        let quiet = settings.quietMilliseconds * 1_000_000
        let latest = settings.latestMilliseconds * 1_000_000
        let wait = queue.read { $0.hasPending } ? 0.025 : Self.heartbeatSeconds
        let next: Next? = queue.wait(seconds: wait) { queue in
            if queue.isStopped { return .stopped }
            let now = Monotonic.nanoseconds()
            if let work = queue.take(now: now, quietNanoseconds: quiet, latestNanoseconds: latest) { return .work(work) }
            // The first path of a quiet time: from now on look more often.
            return queue.hasPending && wait > 1 ? .nothing : nil
        }
        return next ?? .nothing
    }

    private func judge(_ work: WatchWork, _ reader: inout RecordReader) {
        chain.close()
        for mark in work.marks.sorted(by: { $0.path.precedesInTree($1.path) }) {
            judge(mark.path, candidate: nil, &reader)
            if mark.isTree { judgeTree(below: mark.path, &reader) }
            if isStopped { return }
        }
        for item in work.rescan {
            switch item {
            case .candidate(let candidate): judge(candidate.path, candidate: candidate, &reader)
            case .blind(let interval):
                flush()
                register.add(interval)
                repeated { try self.report(.blind(interval)) }
            case .finished(let rescan, let adopted):
                flush()
                repeated { for root in adopted { try self.store.setAdopted(root) } }
                register.setRescanned(rescan.areas, at: rescan.scan.finished)
                repeated { try self.report(.rescanned(rescan)) }
                isFirstRescanDone = true
            }
            if isStopped { return }
        }
        flush()
        chain.close()
    }

    private var isStopped: Bool { queue.read { $0.isStopped } }

    /// Looks at everything that was known below a path.
    private func judgeTree(below area: FilePath, _ reader: inout RecordReader) {
        // What the batch holds is not in the table yet.
        let recent = batch.rows.keys.filter { $0 != area && $0.isInTree(of: area) }
        for path in recent.sorted(by: { $0.precedesInTree($1) }) { judge(path, candidate: nil, isInTree: true, &reader) }
        var last: FilePath? = area
        while let previous = last, !isStopped {
            var page: [FilePath] = []
            repeated { page = try self.store.observedPaths(below: area, after: previous, limit: 1000) }
            for path in page { judge(path, candidate: nil, isInTree: true, &reader) }
            last = page.last
        }
    }

    private func judge(
        _ path: FilePath, candidate: RescanCandidate?, isInTree: Bool = false, _ reader: inout RecordReader
    ) {
        guard let rule = rules.rule(of: path) else { return }
        guard let after = state(of: path, rule, candidate, &reader) else { return }
        var known: FileRecord?
        if let row = batch.rows[path] {
            known = row
        } else {
            repeated { known = try self.store.record(.observed, path) }
        }
        if known == after { return }
        batch.rows[path] = .some(after)
        if candidate?.isAdoption != true || known != nil,
            let change = Change(path: path, before: known, after: after, significance: .observed)
        {
            batch.changes.append(ObservedChange(change: change, rule: rules.rules[rule].id, moment: .now()))
        }
        if batch.changes.count >= settings.batchLimit || batch.rows.count >= 2 * settings.batchLimit { flush() }
        // A directory that is gone or another one took everything with it that was known below.
        if !isInTree, known?.kind == .directory, after?.kind != .directory || after?.inode != known?.inode {
            judgeTree(below: path, &reader)
        }
    }

    /// The state of a path: `.some(nil)` when nothing is there, nil when that cannot be said.
    private func state(
        of path: FilePath, _ rule: Int, _ candidate: RescanCandidate?, _ reader: inout RecordReader
    ) -> FileRecord?? {
        let directory: DirectoryHandle
        do throws(SystemError) {
            directory = try chain.directory(of: path, rule: rule)
        } catch {
            return error.isMissing || error.isLink ? .some(.none) : .none
        }
        var listingFailure: FileRecord.NotHashedReason?
        if let record = candidate?.record, record.kind == .directory, case .notHashed(let reason) = record.content {
            listingFailure = reason
        }
        let outcome: RecordReader.Outcome
        do throws(CryptoError) {
            outcome = try reader.read(
                path, in: directory, kind: .unknown, prior: candidate?.record, listingFailure: listingFailure)
        } catch {
            requestRescan(of: path)  // the hash library failed for this file: look again later
            return .none
        }
        switch outcome {
        case .missing: return .some(.none)
        case .unexamined: return .none
        case .record(let record, _, _): return .some(record)
        }
    }

    private func requestRescan(of path: FilePath) {
        queue.change { $0.add(RescanRequest(areas: [path], isFull: true, reasons: [.blind], closes: [])) }
    }

    /// Reports the batch and takes it over.
    private func flush() {
        if batch.isEmpty { return }
        let taken = batch
        batch = Batch()
        if !taken.changes.isEmpty {
            if !repeated({ try self.report(.changes(taken.changes)) }) { return }
        }
        let rows = taken.rows.map { (path: $0.key, record: $0.value) }.sorted { $0.path.precedesInTree($1.path) }
        repeated { try self.store.updateObserved(rows) }
    }

    /// Carries something out, again and again until it succeeds or the watcher is stopped: what cannot be recorded must not be forgotten.
    @discardableResult
    private func repeated(_ body: () throws -> Void) -> Bool {
        while true {
            do {
                try body()
                return true
            } catch {
                if pause(seconds: 1) { return false }
            }
        }
    }

    /// True when the watcher was stopped.
    private func pause(seconds: Double) -> Bool {
        queue.wait(seconds: seconds) { $0.isStopped ? true : nil } ?? false
    }

    private func heartbeat(isForced: Bool) {
        let now = Monotonic.nanoseconds()
        let isDue = isForced || now > lastHeartbeat + UInt64(Self.heartbeatSeconds * 1e9)
        let moment = queue.read { queue in
            queue.hasPending || !queue.rescanWork.isEmpty || queue.isRescanning ? nil : queue.completeUntil
        }
        guard isFirstRescanDone, isDue, batch.isEmpty, let moment else { return }
        lastHeartbeat = now
        // A moment that is not written only makes the next blind interval longer.
        _ = try? store.setObservedMoment(moment)
    }
}
