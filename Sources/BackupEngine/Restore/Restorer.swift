internal import Glibc
package import Platform

/// Brings snapshots back.
package struct Restorer: Sendable {
    private let repository: Repository

    package init(repository: Repository) { self.repository = repository }

    /// Restores a snapshot below `target`, which is made when it does not exist.
    ///
    /// Takes a shared lock unless the caller forgoes it, and loads the index. What is there already is treated as the options say; what is not
    /// in the snapshot stays unless they say otherwise. Nothing is ever written outside of the target: every directory is entered by one name
    /// from its parent, and links are not followed, neither those of the snapshot nor those that lie in the target.
    ///
    /// What cannot be restored is in the report's failures; the rest is restored all the same. A file that lacks a part of its content is left
    /// with zeros in its place, with permissions for its owner alone and the time of the restore.
    ///
    /// - Parameters:
    ///   - locks: False on repositories that nobody may write to.
    ///   - cancellation: Raised from elsewhere to stop. Running it again with `ifChanged` goes on where it stopped.
    ///   - progress: Called from any of the working threads, a few times a second.
    ///   - item: Called from any of the working threads for each entry.
    /// - Throws: `.invalidArgument` for bad patterns, `.interrupted` after a cancellation, `.storage` when the target cannot be written at
    ///   all (full, read-only), `.missing` and `.corrupt` when the root tree or the subfolder cannot be had, and what opening the
    ///   repository's files throws.
    package func restore(
        _ snapshot: Snapshot, into target: FilePath, options: RestoreOptions = RestoreOptions(), locks: Bool = true,
        cancellation: CancellationFlag = CancellationFlag(), progress: (@Sendable (RestoreProgress) -> Void)? = nil,
        item: (@Sendable (RestoredItem) -> Void)? = nil
    ) throws(RepositoryError) -> RestoreReport {
        let began = Monotonic.nanoseconds()
        let selection = try PathSelection(
            include: options.include, exclude: options.exclude, includeIgnoringCase: options.includeIgnoringCase,
            excludeIgnoringCase: options.excludeIgnoringCase)
        let traversal = TreeTraversal(repository: repository, selection: selection)
        let lock = locks ? try repository.lock(exclusive: false) : nil
        defer { lock?.release() }
        try repository.loadIndex()
        let tree = try TreeWalker(repository: repository).tree(at: options.subfolder, in: snapshot)
        let expected = progress == nil ? nil : foresee(traversal, tree)
        let listeners = RestoreRun.Listeners(progress: progress, item: item)

        var report = RestoreReport()
        guard let directory = try open(target, options) else {
            // A dry run into a directory that is not there: nothing lies in the way of anything.
            return try pretend(traversal, tree, options, cancellation, listeners, began)
        }
        let run = try RestoreRun(
            repository: repository, options: options, stage: .restoring, report: report, expected: expected, cancellation: cancellation,
            listeners: listeners)
        var visitor = RestoreVisitor(run: run, selection: selection)
        try walk(traversal, tree, directory, &visitor, run, RestoreWorker.work) { $0.flush() }
        report = run.currentReport
        if options.isDurable && !options.isDryRun {
            do throws(SystemError) {
                try directory.descriptor.synchroniseFileSystem(path: target)
            } catch {
                throw .storage(error)
            }
        }
        if options.verifies && !options.isDryRun {
            let check = try RestoreRun(
                repository: repository, options: options, stage: .verifying, report: report, expected: expected, kept: run.kept,
                cancellation: cancellation, listeners: listeners)
            var visitor = VerifyVisitor(run: check)
            try walk(traversal, tree, directory, &visitor, check, FileVerifier.work) { _ in }
            report = check.currentReport
        }
        report.durationSeconds = Double(Monotonic.nanoseconds() - began) / 1e9
        return report
    }

    private func pretend(
        _ traversal: TreeTraversal, _ tree: Digest, _ options: RestoreOptions, _ cancellation: CancellationFlag,
        _ listeners: RestoreRun.Listeners, _ began: UInt64
    ) throws(RepositoryError) -> RestoreReport {
        let run = try RestoreRun(
            repository: repository, options: options, stage: .restoring, report: RestoreReport(), cancellation: cancellation,
            listeners: listeners)
        var visitor = PretendVisitor(run: run)
        try traversal.run(tree, into: (), &visitor)
        var report = run.currentReport
        report.durationSeconds = Double(Monotonic.nanoseconds() - began) / 1e9
        return report
    }

    /// How much there is to do, found by walking the trees once more: an estimate of the time left is worth that.
    private func foresee(_ traversal: TreeTraversal, _ tree: Digest) -> (entries: UInt64, bytes: UInt64)? {
        var visitor = CountingVisitor()
        do throws(RepositoryError) {
            try traversal.run(tree, into: (), &visitor)
        } catch {
            // The restore itself will meet the same, and say so.
            return nil
        }
        return (visitor.entries, visitor.bytes)
    }

    /// - Returns: nil for a dry run into a directory that does not exist.
    private func open(_ target: FilePath, _ options: RestoreOptions) throws(RepositoryError) -> HeldDescriptor? {
        do throws(SystemError) {
            if try !FileStatus.exists(target) {
                if options.isDryRun { return nil }
                try DurableFiles.makeDirectories(target.normalised)
            }
            return HeldDescriptor(try FileDescriptor.open(target, O_RDONLY | O_DIRECTORY))
        } catch {
            throw .storage(error)
        }
    }

    private func workerCount(_ run: RestoreRun) -> Int {
        let wanted = run.options.workerCount
        if wanted > 0 { return min(64, wanted) }
        return min(16, max(ThreadPriority.processorCount, repository.store.backend.connections))
    }

    private func walk<Visitor: TreeVisitor>(
        _ traversal: TreeTraversal, _ tree: Digest, _ target: HeldDescriptor, _ visitor: inout Visitor, _ run: RestoreRun,
        _ work: @escaping @Sendable (RestoreRun) -> Void, _ end: (inout Visitor) -> Void
    ) throws(RepositoryError) where Visitor.Directory == RestoreDirectory {
        var workers: [WorkerThread] = []
        do {
            for _ in 0..<workerCount(run) { workers.append(try WorkerThread(name: "restore-file") { work(run) }) }
        } catch {
            run.fail(.storage(error))
        }
        let top = RestoreDirectory(target: target)
        do throws(RepositoryError) {
            try traversal.run(tree, into: top, &visitor)
            end(&visitor)
        } catch {
            run.fail(error)
        }
        run.closeQueue()
        for worker in workers { worker.join() }
        top.parkAll()
        try run.check()
    }
}
