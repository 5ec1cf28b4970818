internal import Platform
internal import Synchronization

/// What the walker and the workers of one backup share.
final class ArchiveRun: Sendable {
    struct Options: Sendable {
        var withAccessTime = false
        var isDryRun = false
    }

    struct Counters {
        var summary: SnapshotSummary
        var bytesSeen: UInt64 = 0
        var unreadable: [BackupReport.Item] = []
        var omittedUnreadable = 0
        var changedWhileRead: [BackupReport.Item] = []
        var notes: [Phrase] = []
        var directory: FilePath = "/"
        var rootTree: Digest?
        fileprivate var workInFlight = 0
        fileprivate var failure: RepositoryError?
        fileprivate var lastProgress: UInt64 = 0
    }

    enum Change { case new, changed, unmodified }

    let repository: Repository
    let options: Options
    let accounts = AccountNames()
    private let counters: Monitor<Counters>
    private let hasFailed = Atomic<Bool>(false)
    private let queue: BoundedQueue<Work>
    private let cancellation: CancellationFlag
    private let observer: BackupObserver
    private let started = Monotonic.nanoseconds()

    /// Nanoseconds between two reports of progress.
    private static let progressInterval: UInt64 = 100_000_000
    /// Batches of files and segments waiting for a worker.
    private static let queueCapacity = 8
    private static let notesLimit = 100

    init(
        repository: Repository, start: Timestamp, options: Options, cancellation: CancellationFlag, observer: BackupObserver
    ) {
        self.repository = repository
        self.options = options
        self.cancellation = cancellation
        self.observer = observer
        counters = Monitor(Counters(summary: SnapshotSummary(backupStart: start, backupEnd: start)))
        queue = BoundedQueue(capacity: Self.queueCapacity)
    }

    // MARK: Failure

    /// The run is lost; the first reason counts. Everybody stops at the next check.
    func fail(_ error: RepositoryError) {
        counters.change { if $0.failure == nil { $0.failure = error } }
        hasFailed.store(true, ordering: .releasing)
        queue.cancel()
    }

    /// - Throws: What ``fail(_:)`` was told, or `.interrupted`.
    func check() throws(RepositoryError) {
        try cancellation.check()
        if hasFailed.load(ordering: .acquiring), let failure = counters.read({ $0.failure }) { throw failure }
    }

    /// True when ``check()`` would throw.
    var isEnding: Bool { cancellation.isCancelled || hasFailed.load(ordering: .acquiring) }

    // MARK: Work

    /// Hands work to the workers, waiting while they have enough.
    func submit(_ work: Work) {
        counters.read { $0.workInFlight += 1 }
        if !queue.push(work) { counters.change { $0.workInFlight -= 1 } }
    }

    /// The next work to do; nil when there will be none.
    func nextWork() -> Work? { queue.pop() }

    /// Counts what was done since the last call.
    func finishWork(_ tally: inout Tally) {
        counters.change { counters in
            counters.workInFlight -= 1
            counters.summary.add(tally.sums)
            counters.bytesSeen += tally.bytesSeen
        }
        tally = Tally()
        reportProgress()
    }

    /// Counts what was done outside of any work.
    func take(_ tally: inout Tally) {
        counters.read { counters in
            counters.summary.add(tally.sums)
            counters.bytesSeen += tally.bytesSeen
        }
        tally = Tally()
        reportProgress()
    }

    /// Counts the bytes seen so far, in the middle of a large file.
    func tellProgress(_ tally: inout Tally) {
        let bytes = tally.bytesSeen
        tally.bytesSeen = 0
        counters.read { $0.bytesSeen += bytes }
        reportProgress()
    }

    /// Waits until everything handed over so far is done.
    func waitUntilIdle() {
        counters.wait { $0.workInFlight == 0 || $0.failure != nil ? () : nil }
    }

    /// No further work will come.
    func closeQueue() { queue.close() }

    // MARK: Blobs

    func storeBlob(_ type: BlobType, _ id: Digest, _ plaintext: UnsafeRawBufferPointer) throws(RepositoryError) -> StoredBlob {
        options.isDryRun
            ? try unsafe repository.measureBlob(type, id, plaintext) : try unsafe repository.storeBlob(type, id, plaintext)
    }

    // MARK: Trees

    /// Fills a slot; stores each directory that this completes, up to the root.
    func complete(_ builder: DirectoryBuilder, slot: Int, _ node: Node?, _ tally: inout Tally) throws(RepositoryError) {
        try finish(builder, builder.fill(slot, node), &tally)
    }

    func close(_ builder: DirectoryBuilder, _ tally: inout Tally) throws(RepositoryError) { try finish(builder, builder.close(), &tally) }

    private func finish(_ builder: DirectoryBuilder, _ outcome: DirectoryBuilder.Outcome, _ tally: inout Tally) throws(RepositoryError) {
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
            let before = tally
            let id = try store(tree, &tally)
            guard let parent = builder.parent else {
                counters.read { $0.rootTree = id }
                return
            }
            var node = builder.node
            node.subtree = id
            let change: Change = builder.previous.map { $0 == node ? .unmodified : .changed } ?? .new
            tally.countDirectory(change)
            if watchesItems {
                tellItem(change, builder.path, isDirectory: true, tree: tally.sums.added(since: before.sums), since: builder.began)
            }
            outcome = parent.fill(builder.slotInParent, node)
            builder = parent
        }
    }

    private func store(_ tree: [UInt8], _ tally: inout Tally) throws(RepositoryError) -> Digest {
        let id: Digest
        do {
            id = try SHA256.hash(tree)
        } catch {
            throw .crypto(error)
        }
        let stored = try unsafe tree.withUnsafeBufferPointer { (bytes) throws(RepositoryError) -> StoredBlob in
            try unsafe storeBlob(.tree, id, UnsafeRawBufferPointer(bytes))
        }
        try reach("archive.tree-stored")
        tally.count(stored, .tree, plaintextBytes: tree.count)
        return id
    }

    // MARK: Reports

    var watchesItems: Bool { observer.item != nil }

    func tellItem(
        _ change: Change, _ path: @autoclosure () -> FilePath, isDirectory: Bool = false, data: Added = Added(), tree: Added = Added(),
        since began: UInt64
    ) {
        guard let item = observer.item else { return }
        let action: BackupItem.Action =
            switch change {
            case .new: .new
            case .changed: .modified
            case .unmodified: .unchanged
            }
        item(
            BackupItem(
                action: action, path: path(), isDirectory: isDirectory, dataBytes: data.bytes, dataStoredBytes: data.storedBytes,
                treeBytes: tree.bytes, treeStoredBytes: tree.storedBytes,
                secondsElapsed: began == 0 ? 0 : Double(Monotonic.nanoseconds() - began) / 1e9))
    }

    func enter(_ directory: FilePath) { counters.read { $0.directory = directory } }

    func reportUnreadable(_ path: FilePath, _ error: SystemError) { reportUnreadable(path, error.message) }

    func reportUnreadable(_ path: FilePath, _ reason: Phrase) {
        counters.read { counters in
            if counters.unreadable.count < BackupReport.listLimit {
                counters.unreadable.append((path: path, reason: reason))
            } else {
                counters.omittedUnreadable += 1
            }
        }
        observer.error?(path, reason)
    }

    func reportChanged(_ path: FilePath, _ reason: Phrase) {
        counters.read { counters in
            if counters.changedWhileRead.count < BackupReport.listLimit {
                counters.changedWhileRead.append((path: path, reason: reason))
            }
        }
    }

    func note(_ note: Phrase) {
        counters.read { if $0.notes.count < Self.notesLimit { $0.notes.append(note) } }
    }

    func snapshotOfCounters() -> Counters { counters.read { $0 } }

    private func reportProgress() {
        guard let progress = observer.progress else { return }
        let now = Monotonic.nanoseconds()
        let due: BackupProgress? = counters.read { counters in
            if now < counters.lastProgress + Self.progressInterval { return nil }
            counters.lastProgress = now
            let summary = counters.summary
            return BackupProgress(
                filesDone: summary.totalFilesProcessed,
                directoriesDone: summary.dirsNew + summary.dirsChanged + summary.dirsUnmodified,
                bytesDone: counters.bytesSeen, unreadable: counters.unreadable.count + counters.omittedUnreadable,
                current: counters.directory, secondsElapsed: Double(now - started) / 1e9)
        }
        if let due { progress(due) }
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
