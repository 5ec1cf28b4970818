internal import Platform

/// What the walker and the workers of one backup share.
final class ArchiveRun: Sendable {
    /// A file on its way to a worker: opened by the walker, closed when the worker is done with it.
    final class FileJob: Sendable {
        let held: HeldDescriptor
        let directory: FilePath
        let name: [UInt8]
        let nodeName: [UInt8]
        let builder: DirectoryBuilder
        let slot: Int
        let previous: Node?

        init(
            file: HeldDescriptor, directory: FilePath, name: [UInt8], nodeName: [UInt8], builder: DirectoryBuilder,
            slot: Int, previous: Node?
        ) {
            held = file
            self.directory = directory
            self.name = name
            self.nodeName = nodeName
            self.builder = builder
            self.slot = slot
            self.previous = previous
        }

        var path: FilePath { directory.appending(name) }
    }

    struct Counters {
        var summary: SnapshotSummary
        var unreadable: [BackupReport.Item] = []
        var omittedUnreadable = 0
        var changedWhileRead: [BackupReport.Item] = []
        var notes: [Phrase] = []
        var directory: FilePath = "/"
        var rootTree: Digest?
        fileprivate var jobsInFlight = 0
        fileprivate var failure: RepositoryError?
        fileprivate var lastProgress: UInt64 = 0
    }

    enum Change { case new, changed, unmodified }

    let repository: Repository
    let accounts = AccountNames()
    private let counters: Monitor<Counters>
    private let queue: BoundedQueue<FileJob>
    private let cancellation: CancellationFlag
    private let progress: (@Sendable (BackupProgress) -> Void)?
    private let started = Monotonic.nanoseconds()

    /// Nanoseconds between two reports of progress.
    private static let progressInterval: UInt64 = 200_000_000
    /// Open files waiting for a worker.
    private static let queueCapacity = 32
    private static let notesLimit = 100

    init(
        repository: Repository, start: Timestamp, cancellation: CancellationFlag,
        progress: (@Sendable (BackupProgress) -> Void)?
    ) {
        self.repository = repository
        self.cancellation = cancellation
        self.progress = progress
        counters = Monitor(Counters(summary: SnapshotSummary(backupStart: start, backupEnd: start)))
        queue = BoundedQueue(capacity: Self.queueCapacity)
    }

    // MARK: Failure

    /// The run is lost; the first reason counts. Everybody stops at the next check.
    func fail(_ error: RepositoryError) {
        counters.change { if $0.failure == nil { $0.failure = error } }
        queue.cancel()
    }

    /// - Throws: What ``fail(_:)`` was told, or `.interrupted`.
    func check() throws(RepositoryError) {
        try cancellation.check()
        if let failure = counters.read({ $0.failure }) { throw failure }
    }

    /// True when ``check()`` would throw.
    var isEnding: Bool { cancellation.isCancelled || counters.read { $0.failure != nil } }

    // MARK: Jobs

    /// Hands a file to the workers, waiting while they have enough.
    func submit(_ job: FileJob) {
        counters.change { $0.jobsInFlight += 1 }
        if !queue.push(job) { counters.change { $0.jobsInFlight -= 1 } }
    }

    /// The next file to read; nil when there will be none.
    func nextJob() -> FileJob? { queue.pop() }

    func finishJob() { counters.change { $0.jobsInFlight -= 1 } }

    /// Waits until every file handed over so far is done.
    func waitUntilIdle() {
        counters.wait { $0.jobsInFlight == 0 || $0.failure != nil ? () : nil }
    }

    /// No further job will come.
    func closeQueue() { queue.close() }

    // MARK: Trees

    /// Fills a slot; stores each directory that this completes, up to the root.
    func complete(_ builder: DirectoryBuilder, slot: Int, _ node: Node?) throws(RepositoryError) {
        try finish(builder, builder.fill(slot, node))
    }

    func close(_ builder: DirectoryBuilder) throws(RepositoryError) { try finish(builder, builder.close()) }

    private func finish(_ builder: DirectoryBuilder, _ outcome: DirectoryBuilder.Outcome) throws(RepositoryError) {
        var builder = builder
        var outcome = outcome
        while true {
            for name in outcome.repeatedNames {
                reportUnreadable(
                    builder.path.appending(name),
                    Phrase(vi: "hệ thống tệp liệt kê tên này hai lần", en: "the file system lists this name twice"))
            }
            guard let tree = outcome.tree else { return }
            // An empty root is no snapshot; it is refused before anything is stored for it.
            if builder.parent == nil && builder.nodeCount == 0 { return }
            let id = try store(tree)
            guard let parent = builder.parent else {
                counters.change { $0.rootTree = id }
                return
            }
            var node = builder.node
            node.subtree = id
            countDirectory(builder.previous.map { $0 == node ? .unmodified : .changed } ?? .new)
            outcome = parent.fill(builder.slotInParent, node)
            builder = parent
        }
    }

    private func store(_ tree: [UInt8]) throws(RepositoryError) -> Digest {
        let id: Digest
        do {
            id = try SHA256.hash(tree)
        } catch {
            throw .crypto(error)
        }
        let stored = try repository.storeBlob(.tree, id, tree)
        try reach("archive.tree-stored")
        count(stored, plaintextBytes: tree.count) { $0.treeBlobs += 1 }
        return id
    }

    // MARK: Counters

    func count(_ stored: StoredBlob, plaintextBytes: Int, _ add: (inout SnapshotSummary) -> Void) {
        if !stored.isNew { return }
        counters.change { counters in
            add(&counters.summary)
            counters.summary.dataAdded += UInt64(plaintextBytes)
            counters.summary.dataAddedPacked += UInt64(stored.storedBytes)
        }
    }

    func countFile(_ change: Change, bytes: UInt64) {
        counters.change { counters in
            switch change {
            case .new: counters.summary.filesNew += 1
            case .changed: counters.summary.filesChanged += 1
            case .unmodified: counters.summary.filesUnmodified += 1
            }
            counters.summary.totalFilesProcessed += 1
            counters.summary.totalBytesProcessed += bytes
        }
        reportProgress()
    }

    private func countDirectory(_ change: Change) {
        counters.change { counters in
            switch change {
            case .new: counters.summary.dirsNew += 1
            case .changed: counters.summary.dirsChanged += 1
            case .unmodified: counters.summary.dirsUnmodified += 1
            }
        }
    }

    func enter(_ directory: FilePath) {
        counters.read { $0.directory = directory }
        reportProgress()
    }

    func reportUnreadable(_ path: FilePath, _ reason: Phrase) {
        counters.change { counters in
            if counters.unreadable.count < BackupReport.listLimit {
                counters.unreadable.append((path: path, reason: reason))
            } else {
                counters.omittedUnreadable += 1
            }
        }
    }

    func reportChanged(_ path: FilePath, _ reason: Phrase) {
        counters.change { counters in
            if counters.changedWhileRead.count < BackupReport.listLimit {
                counters.changedWhileRead.append((path: path, reason: reason))
            }
        }
    }

    func note(_ note: Phrase) {
        counters.change { if $0.notes.count < Self.notesLimit { $0.notes.append(note) } }
    }

    func snapshotOfCounters() -> Counters { counters.read { $0 } }

    private func reportProgress() {
        guard let progress else { return }
        let now = Monotonic.nanoseconds()
        let current: Counters? = counters.read { counters in
            if now < counters.lastProgress + Self.progressInterval { return nil }
            counters.lastProgress = now
            return counters
        }
        guard let current else { return }
        let summary = current.summary
        progress(
            BackupProgress(
                filesDone: summary.totalFilesProcessed,
                directoriesDone: summary.dirsNew + summary.dirsChanged + summary.dirsUnmodified,
                bytesDone: summary.totalBytesProcessed, unreadable: current.unreadable.count + current.omittedUnreadable,
                current: current.directory, secondsElapsed: Double(now - started) / 1e9))
    }

    /// Passes a point where a test may make the run fail.
    func reach(_ point: StaticString) throws(RepositoryError) {
        do {
            try FaultPoint.reach(point)
        } catch {
            throw .storage(error)
        }
    }
}
