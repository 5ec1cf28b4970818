internal import Platform

/// Makes snapshots.
package struct Archiver: Sendable {
    private let repository: Repository

    package init(repository: Repository) { self.repository = repository }

    /// Backs up the sources of `request` into a new snapshot.
    ///
    /// Takes a shared lock for the run. The snapshot is published last, after all packs and the index: until then nothing refers to what was
    /// stored, and a run that dies leaves only blobs for the next one to reuse.
    ///
    /// What cannot be read is reported and left out; the snapshot is saved all the same, and ``BackupReport/isComplete`` is false.
    ///
    /// - Parameters:
    ///   - cancellation: Raised from elsewhere to stop the run.
    ///   - observer: Is told how the run goes.
    /// - Throws: `.emptySnapshot` when there is nothing to save, `.invalidArgument` for bad sources or patterns, `.interrupted` after a
    ///   cancellation, `.unsupported` when the chunker of the repository cannot be worked with, and what the repository throws.
    package func run(
        _ request: BackupRequest, cancellation: CancellationFlag = CancellationFlag(), observer: BackupObserver = BackupObserver()
    ) throws(RepositoryError) -> BackupReport {
        AllocatorBounds.tighten()
        let start = Timestamp.now()
        let began = Monotonic.nanoseconds()
        let selection = try request.selection()
        let rule = try repository.configuration.cutRule()
        let workingDirectory = try currentDirectory()
        let sources = try SourceTree(targets: request.sources, streams: request.streams)
        let paths = (request.sources + request.streams.map(\.path)).map { source in
            String(decoding: (source.isAbsolute ? source : workingDirectory.appending(source.bytes)).normalised.bytes, as: UTF8.self)
        }

        let lock = try LockInWaiting(repository, isNeeded: !request.isDryRun)
        defer { lock.release() }
        let time = request.time ?? start
        // Snapshots before the index: a snapshot listed here has its blobs in the index loaded after it.
        let parent = try parent(request, paths: paths, before: time)
        try repository.loadIndex()
        try repository.excludeLostPacks()

        let run = ArchiveRun(
            repository: repository, start: start,
            options: ArchiveRun.Options(withAccessTime: request.withAccessTime, isDryRun: request.isDryRun),
            cancellation: cancellation, observer: observer)
        try lock.confirm { error in run.fail(error) }
        let workerCount = max(1, min(64, request.workerCount ?? ThreadPriority.processorCount))
        let streams = StreamArchiver(
            run: run, rule: rule, time: time, failure: request.streamFailure, workerCount: workerCount, streamCount: request.streams.count)
        if !request.streams.isEmpty { try streams.start() }
        defer { streams.finish() }
        let workers = try startWorkers(workerCount, run, rule)
        var walk = DirectoryWalk(
            run: run, streams: streams, time: time, request, selection, workingDirectory: workingDirectory)
        do {
            try walk.archive(sources, parentTree: parent?.tree)
        } catch {
            run.fail(error)
        }
        run.closeQueue()
        for worker in workers { worker.join() }
        streams.finish()
        try run.check()

        let result = run.snapshotOfCounters()
        guard let tree = result.rootTree, walk.hasFoundSource || streams.storedCount > 0 else {
            throw RepositoryError(
                .emptySnapshot, Phrase(vi: "không đọc được gì để sao lưu", en: "nothing could be read: the snapshot would be empty"),
                hint: result.unreadable.first?.reason)
        }
        try lock.wait()
        let isSaved = !request.isDryRun && !(request.skipsUnchanged && parent?.tree == tree)
        if isSaved { try repository.flush() }
        try run.reach("archive.before-snapshot")
        try lock.wait()
        var summary = result.summary
        summary.backupEnd = .now()
        let writer = WriterIdentity.current()
        let isComplete = result.unreadable.isEmpty && result.omittedUnreadable == 0
        let tags = request.tags + (request.tagsIncomplete && !isComplete ? [Snapshot.incompleteTag] : [])
        var snapshot = Snapshot(
            time: time, parent: parent?.id, tree: tree, paths: paths, hostname: request.hostname, username: writer.username,
            uid: writer.uid, gid: writer.gid, excludes: request.excludes, tags: tags, summary: summary)
        if isSaved { snapshot.id = try repository.saveSnapshot(snapshot) }
        return BackupReport(
            snapshot: snapshot, isSaved: isSaved, summary: summary, unreadable: result.unreadable, omittedUnreadable: result.omittedUnreadable,
            changedWhileRead: result.changedWhileRead, notes: result.notes,
            durationSeconds: Double(Monotonic.nanoseconds() - began) / 1e9)
    }

    /// See ``run(_:cancellation:observer:)``.
    package func run(
        _ request: BackupRequest, cancellation: CancellationFlag = CancellationFlag(),
        progress: @escaping @Sendable (BackupProgress) -> Void
    ) throws(RepositoryError) -> BackupReport {
        try run(request, cancellation: cancellation, observer: BackupObserver(progress: progress))
    }

    private func currentDirectory() throws(RepositoryError) -> FilePath {
        do {
            return try WorkingDirectory.current()
        } catch {
            throw .storage(error)
        }
    }

    /// The newest snapshot that has in common with the new one what the request demands, and is not younger.
    private func parent(_ request: BackupRequest, paths: [String], before time: Timestamp) throws(RepositoryError) -> Snapshot? {
        switch request.parent {
        case .none: return nil
        case .snapshot(let snapshot): return snapshot
        case .newest:
            let group = request.parentGroup
            return try repository.listSnapshots()
                .filter { snapshot in
                    snapshot.time <= time && (!group.host || snapshot.hostname == request.hostname)
                        && (!group.paths || Set(paths).isSubset(of: snapshot.paths))
                        && (!group.tags || Set(request.tags).isSubset(of: snapshot.tags))
                }
                .max { $0.time < $1.time }
        }
    }

    private func startWorkers(_ count: Int, _ run: ArchiveRun, _ rule: CutRule) throws(RepositoryError) -> [WorkerThread] {
        var workers: [WorkerThread] = []
        for _ in 0..<count {
            do {
                workers.append(try WorkerThread(name: "backup-read") { FileReader.work(run, rule) })
            } catch {
                run.closeQueue()
                for worker in workers { worker.join() }
                throw .storage(error)
            }
        }
        return workers
    }
}
