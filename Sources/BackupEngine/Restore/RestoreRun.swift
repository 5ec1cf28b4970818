internal import Platform

/// What the walker and the workers of one restore share.
final class RestoreRun: Sendable {
    /// A file for a worker: one that was just made and waits for its content, or one to compare.
    final class Job: Sendable {
        let file: HeldDescriptor
        let node: Node
        let path: FilePath
        let directory: RestoreDirectory

        init(_ file: HeldDescriptor, _ node: Node, _ path: FilePath, _ directory: RestoreDirectory) {
            self.file = file
            self.node = node
            self.path = path
            self.directory = directory
        }
    }

    struct State {
        var report = RestoreReport()
        var directory: FilePath = "/"
        var filesDone: UInt64 = 0
        var bytesDone: UInt64 = 0
        fileprivate var failure: RepositoryError?
        fileprivate var lastProgress: UInt64 = 0
    }

    let repository: Repository
    let options: RestoreOptions
    let stage: RestoreProgress.Stage
    /// False: what only root may do is tried, and passed over when it is refused.
    let isRoot = ProcessIdentity.isRoot
    private let state: Monitor<State>
    private let queue = BoundedQueue<Job>(capacity: 32)
    private let cancellation: CancellationFlag
    private let progress: (@Sendable (RestoreProgress) -> Void)?
    private let started = Monotonic.nanoseconds()
    private static let progressInterval: UInt64 = 200_000_000

    init(
        repository: Repository, options: RestoreOptions, stage: RestoreProgress.Stage, report: RestoreReport,
        cancellation: CancellationFlag, progress: (@Sendable (RestoreProgress) -> Void)?
    ) {
        self.repository = repository
        self.options = options
        self.stage = stage
        self.cancellation = cancellation
        self.progress = progress
        state = Monitor(State(report: report))
    }

    /// The run is lost; the first reason counts.
    func fail(_ error: RepositoryError) {
        state.change { if $0.failure == nil { $0.failure = error } }
        queue.cancel()
    }

    /// - Throws: What ``fail(_:)`` was told, or `.interrupted`.
    func check() throws(RepositoryError) {
        try cancellation.check()
        if let failure = state.read({ $0.failure }) { throw failure }
    }

    func submit(_ job: Job) { queue.push(job) }
    func nextJob() -> Job? { queue.pop() }
    func closeQueue() { queue.close() }

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

    func count(_ add: (inout RestoreReport) -> Void) { state.change { add(&$0.report) } }

    func countFile(bytes: UInt64) {
        state.change { state in
            state.filesDone += 1
            state.bytesDone += bytes
            switch stage {
            case .restoring:
                state.report.filesRestored += 1
                state.report.bytesRestored += bytes
            case .verifying:
                state.report.filesVerified += 1
                state.report.bytesVerified += bytes
            }
        }
        reportProgress()
    }

    func enter(_ directory: FilePath) {
        state.read { $0.directory = directory }
        reportProgress()
    }

    /// The report so far.
    var currentReport: RestoreReport { state.read { $0.report } }

    private func reportProgress() {
        guard let progress else { return }
        let now = Monotonic.nanoseconds()
        let current: RestoreProgress? = state.read { state in
            if now < state.lastProgress + Self.progressInterval { return nil }
            state.lastProgress = now
            return RestoreProgress(
                stage: stage, filesDone: state.filesDone, bytesDone: state.bytesDone,
                failures: state.report.failures.count + state.report.omittedFailures, current: state.directory,
                secondsElapsed: Double(now - started) / 1e9)
        }
        if let current { progress(current) }
    }

    /// One entry of `directory` is there; sets the metadata of each directory that this completes, up to the target.
    func finish(entryOf directory: RestoreDirectory) {
        var current = directory
        while current.release() {
            // A directory that was only passed through keeps its metadata, unless it is new.
            if let node = current.node, current.isUsed, current.isSelected || current.isMade {
                do throws(SystemError) {
                    try MetadataWriter(run: self).apply(node, to: try current.open(making: false, keeping: false).descriptor)
                    count { $0.directoriesRestored += 1 }
                } catch {
                    report(current.path, error)
                }
            }
            current.park()
            guard let parent = current.parent else { return }
            current = parent
        }
    }
}
