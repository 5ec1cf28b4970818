internal import Platform
internal import Synchronization

/// What the walker and the workers of one restore share.
final class RestoreRun: Sendable {
    /// A file whose content a worker of the verification compares.
    final class Job: Sendable {
        let file: HeldDescriptor
        let node: Node
        let path: FilePath

        init(_ file: HeldDescriptor, _ node: Node, _ path: FilePath) {
            self.file = file
            self.node = node
            self.path = path
        }
    }

    struct State {
        var report: RestoreReport
        var directory: FilePath = "/"
        var bytesDone: UInt64 = 0
        /// Entries that the options left as they were; only these are not verified.
        var kept: Set<FilePath> = []
        fileprivate var failure: RepositoryError?
        fileprivate var lastProgress: UInt64 = 0
    }

    /// Who is told what while it happens; called from any of the working threads.
    struct Listeners: Sendable {
        var progress: (@Sendable (RestoreProgress) -> Void)?
        var item: (@Sendable (RestoredItem) -> Void)?
    }

    let repository: Repository
    let options: RestoreOptions
    let stage: RestoreProgress.Stage
    /// False: what only root may do is tried, and passed over when it is refused.
    let isRoot = ProcessIdentity.isRoot
    let user = ProcessIdentity.effectiveUser
    let group = ProcessIdentity.effectiveGroup
    /// Files of several parts that may stay open between them.
    let openFiles = Allowance(128)
    /// Everything that will be done, when that is known beforehand.
    let expected: (entries: UInt64, bytes: UInt64)?
    private let attributes: (include: PathPatterns, exclude: PathPatterns)
    private let state: Monitor<State>
    private let queue = BoundedQueue<Job>(capacity: 32)
    /// Small: what waits here holds no content, but each segment is worth a few milliseconds.
    private let work = BoundedQueue<RestoreWork>(capacity: 16)
    private let hasFailed = Atomic<Bool>(false)
    private let cancellation: CancellationFlag
    private let listeners: Listeners
    private let started = Monotonic.nanoseconds()
    private static let progressInterval: UInt64 = 200_000_000

    init(
        repository: Repository, options: RestoreOptions, stage: RestoreProgress.Stage, report: RestoreReport,
        expected: (entries: UInt64, bytes: UInt64)? = nil, kept: Set<FilePath> = [], cancellation: CancellationFlag,
        listeners: Listeners = Listeners()
    ) throws(RepositoryError) {
        attributes = (try PathPatterns(options.includeAttributes), try PathPatterns(options.excludeAttributes))
        self.repository = repository
        self.options = options
        self.stage = stage
        self.expected = expected
        self.cancellation = cancellation
        self.listeners = listeners
        var initial = State(report: report)
        initial.kept = kept
        state = Monitor(initial)
    }

    /// True for an extended attribute that the options do not rule out.
    func isWanted(attribute name: [UInt8]) -> Bool {
        if !attributes.include.isEmpty { return attributes.include.matches([name]) }
        return attributes.exclude.isEmpty || !attributes.exclude.matches([name])
    }

    /// The run is lost; the first reason counts.
    func fail(_ error: RepositoryError) {
        state.change { if $0.failure == nil { $0.failure = error } }
        hasFailed.store(true, ordering: .relaxed)
        queue.cancel()
        work.cancel()
    }

    /// True when the run has failed or was cancelled.
    var isStopped: Bool { hasFailed.load(ordering: .relaxed) || cancellation.isCancelled }

    /// - Throws: What ``fail(_:)`` was told, or `.interrupted`.
    func check() throws(RepositoryError) {
        try cancellation.check()
        if hasFailed.load(ordering: .relaxed), let failure = state.read({ $0.failure }) { throw failure }
    }

    // MARK: Work

    func submit(_ job: Job) { queue.push(job) }
    func nextJob() -> Job? { queue.pop() }
    func submit(_ item: RestoreWork) { work.push(item) }
    func nextWork() -> RestoreWork? { work.pop() }
    func closeQueue() {
        queue.close()
        work.close()
    }

    // MARK: Results

    /// Adds an entry to the failures. A full or read-only target ends the run instead: every further entry would fail the same way.
    func report(_ path: FilePath, _ error: SystemError) {
        if error.isNoSpace || error.isReadOnly {
            fail(.storage(error))
        } else {
            report(path, error.message)
        }
    }

    func report(_ path: FilePath, _ reason: Phrase) {
        state.change { state in
            if state.report.failures.count < RestoreReport.listLimit {
                state.report.failures.append((path: path, reason: reason))
            } else {
                state.report.omittedFailures += 1
            }
        }
    }

    func count(_ add: (inout RestoreReport) -> Void) { state.read { add(&$0.report) } }

    /// Content that was written.
    func count(bytes: Int) {
        state.read { $0.bytesDone += UInt64(bytes) }
        reportProgress()
    }

    /// A file is complete.
    func countFile(_ path: FilePath, _ node: Node, isUpdate: Bool) {
        state.read { state in
            state.report.filesRestored += 1
            if isUpdate { state.report.filesUpdated += 1 }
            state.report.bytesRestored += node.size
        }
        tell(isUpdate ? .updated : .restored, path, size: node.size)
    }

    /// A file whose content need not be written.
    func countSkipped(_ path: FilePath, _ node: Node) {
        skip(node.size, isCounted: true)
        tell(.unchanged, path, size: node.size)
        reportProgress()
    }

    /// An entry that the options leave as it is.
    ///
    /// - Parameter isCounted: It was added to what is to be restored.
    func keep(_ path: FilePath, size: UInt64, isCounted: Bool) {
        state.read { _ = $0.kept.insert(path) }
        skip(size, isCounted: isCounted)
        tell(.unchanged, path, size: size)
    }

    private func skip(_ size: UInt64, isCounted: Bool) {
        state.read { state in
            state.report.filesSkipped += 1
            state.report.bytesSkipped += size
            if isCounted {
                state.report.entriesTotal -= 1
                state.report.bytesTotal -= size
            }
        }
    }

    var kept: Set<FilePath> { state.read { $0.kept } }

    func countVerified(bytes: UInt64) {
        state.read { state in
            state.bytesDone += bytes
            state.report.filesVerified += 1
            state.report.bytesVerified += bytes
        }
        reportProgress()
    }

    func tell(_ action: RestoredItem.Action, _ path: FilePath, size: UInt64 = 0) {
        listeners.item?(RestoredItem(action: action, path: path, size: size))
    }

    func enter(_ directory: FilePath) {
        if listeners.progress == nil { return }
        state.read { $0.directory = directory }
        reportProgress()
    }

    /// The report so far.
    var currentReport: RestoreReport { state.read { $0.report } }

    private func reportProgress() {
        guard let progress = listeners.progress else { return }
        let now = Monotonic.nanoseconds()
        let current: RestoreProgress? = state.read { state in
            if now < state.lastProgress + Self.progressInterval { return nil }
            state.lastProgress = now
            let report = state.report
            return RestoreProgress(
                stage: stage, filesDone: stage == .restoring ? report.entriesRestored : report.filesVerified, bytesDone: state.bytesDone,
                filesSkipped: report.filesSkipped, bytesSkipped: report.bytesSkipped, filesDeleted: report.filesDeleted,
                entriesTotal: expected?.entries ?? 0, bytesTotal: expected?.bytes ?? 0,
                failures: report.failures.count + report.omittedFailures, current: state.directory,
                secondsElapsed: Double(now - started) / 1e9)
        }
        if let current { progress(current) }
    }
}
