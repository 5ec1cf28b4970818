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
    ///   - progress: Called from any of the working threads, a few times a second and never twice at once within that time.
    /// - Throws: `.emptySnapshot` when there is nothing to save, `.invalidArgument` for bad sources or patterns, `.interrupted` after a
    ///   cancellation, `.unsupported` when the polynomial of the repository cannot be worked with, and what the repository throws.
    package func run(
        _ request: BackupRequest, cancellation: CancellationFlag = CancellationFlag(),
        progress: (@Sendable (BackupProgress) -> Void)? = nil
    ) throws(RepositoryError) -> BackupReport {
        let start = Timestamp.now()
        let began = Monotonic.nanoseconds()
        let excludes = try PathPatterns(request.excludes)
        guard let tables = RabinTables(polynomial: repository.configuration.chunkerPolynomial) else {
            throw RepositoryError(
                .unsupported, Phrase(vi: "đa thức chia khối của kho không dùng được", en: "the chunker polynomial of the repository is unusable"))
        }
        let workingDirectory = try currentDirectory()
        let sources = try SourceTree(targets: request.sources, streams: request.streams)
        let paths = (request.sources + request.streams.map(\.path)).map { source in
            String(decoding: (source.isAbsolute ? source : workingDirectory.appending(source.bytes)).normalised.bytes, as: UTF8.self)
        }

        let lock = try repository.lock(exclusive: false)
        defer { lock.release() }
        let time = request.time ?? start
        // Snapshots before the index: a snapshot listed here has its blobs in the index loaded after it.
        let parent = try parent(request, paths: paths, before: time)
        try repository.loadIndex()

        let run = ArchiveRun(repository: repository, start: start, cancellation: cancellation, progress: progress)
        let workerCount = max(1, min(64, request.workerCount))
        let streams = StreamArchiver(
            run: run, tables: tables, time: time, failure: request.streamFailure, workerCount: workerCount,
            streamCount: request.streams.count)
        if !request.streams.isEmpty { try streams.start() }
        defer { streams.finish() }
        let workers = try startWorkers(workerCount, run, tables)
        var walk = DirectoryWalk(
            run: run, streams: streams, time: time, excludes: excludes, staysOnFileSystem: request.staysOnFileSystem,
            workingDirectory: workingDirectory)
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
        try repository.flush()
        try run.reach("archive.before-snapshot")
        try lock.verify()
        var summary = result.summary
        summary.backupEnd = .now()
        let writer = WriterIdentity.current()
        let isComplete = result.unreadable.isEmpty && result.omittedUnreadable == 0
        let tags = request.tags + (request.tagsIncomplete && !isComplete ? [Snapshot.incompleteTag] : [])
        var snapshot = Snapshot(
            time: time, parent: parent?.id, tree: tree, paths: paths, hostname: request.hostname, username: writer.username,
            uid: writer.uid, gid: writer.gid, excludes: request.excludes, tags: tags, summary: summary)
        snapshot.id = try repository.saveSnapshot(snapshot)
        return BackupReport(
            snapshot: snapshot, summary: summary, unreadable: result.unreadable, omittedUnreadable: result.omittedUnreadable,
            changedWhileRead: result.changedWhileRead, notes: result.notes,
            durationSeconds: Double(Monotonic.nanoseconds() - began) / 1e9)
    }

    private func currentDirectory() throws(RepositoryError) -> FilePath {
        do {
            return try WorkingDirectory.current()
        } catch {
            throw .storage(error)
        }
    }

    /// The newest snapshot of this host that holds all these paths and is not younger than the new one.
    private func parent(_ request: BackupRequest, paths: [String], before time: Timestamp) throws(RepositoryError) -> Snapshot? {
        switch request.parent {
        case .none: return nil
        case .snapshot(let snapshot): return snapshot
        case .newest:
            return try repository.listSnapshots()
                .filter { $0.hostname == request.hostname && $0.time <= time && Set(paths).isSubset(of: $0.paths) }
                .max { $0.time < $1.time }
        }
    }

    private func startWorkers(_ count: Int, _ run: ArchiveRun, _ tables: RabinTables) throws(RepositoryError) -> [WorkerThread] {
        var workers: [WorkerThread] = []
        for _ in 0..<count {
            do {
                workers.append(try WorkerThread(name: "backup-read") { FileReader.work(run, tables) })
            } catch {
                run.closeQueue()
                for worker in workers { worker.join() }
                throw .storage(error)
            }
        }
        return workers
    }
}
