internal import Glibc
package import Platform

/// Brings snapshots back.
package struct Restorer: Sendable {
    private let repository: Repository

    package init(repository: Repository) { self.repository = repository }

    /// Restores a snapshot below `target`, which is made when it does not exist.
    ///
    /// Takes a shared lock and loads the index. Files that are in the way are replaced; what is not in the snapshot stays. Nothing is ever
    /// written outside of the target: every directory is entered by one name from its parent, and links are not followed, neither those of
    /// the snapshot nor those that lie in the target.
    ///
    /// What cannot be restored is in the report's failures; the rest is restored all the same.
    ///
    /// - Parameters:
    ///   - cancellation: Raised from elsewhere to stop.
    ///   - progress: Called from any of the working threads, a few times a second.
    /// - Throws: `.invalidArgument` for bad patterns, `.interrupted` after a cancellation, `.storage` when the target cannot be written at
    ///   all (full, read-only), `.missing` and `.corrupt` when the root tree cannot be had, and what opening the repository's files throws.
    package func restore(
        _ snapshot: Snapshot, into target: FilePath, options: RestoreOptions = RestoreOptions(),
        cancellation: CancellationFlag = CancellationFlag(), progress: (@Sendable (RestoreProgress) -> Void)? = nil
    ) throws(RepositoryError) -> RestoreReport {
        let began = Monotonic.nanoseconds()
        let traversal = TreeTraversal(
            repository: repository, include: try PathPatterns(options.include), exclude: try PathPatterns(options.exclude))
        let lock = try repository.lock(exclusive: false)
        defer { lock.release() }
        try repository.loadIndex()
        let directory = try open(target)

        let run = RestoreRun(
            repository: repository, options: options, stage: .restoring, report: RestoreReport(), cancellation: cancellation,
            progress: progress)
        var visitor = RestoreVisitor(run: run)
        try walk(traversal, snapshot, directory, &visitor, run, FileWriter.work)
        var report = run.currentReport
        if options.verifies {
            let run = RestoreRun(
                repository: repository, options: options, stage: .verifying, report: report, cancellation: cancellation,
                progress: progress)
            var visitor = VerifyVisitor(run: run)
            try walk(traversal, snapshot, directory, &visitor, run, FileVerifier.work)
            report = run.currentReport
        }
        report.durationSeconds = Double(Monotonic.nanoseconds() - began) / 1e9
        return report
    }

    private func open(_ target: FilePath) throws(RepositoryError) -> HeldDescriptor {
        do throws(SystemError) {
            if try !FileStatus.exists(target) { try DurableFiles.makeDirectories(target.normalised) }
            return HeldDescriptor(try FileDescriptor.open(target, O_RDONLY | O_DIRECTORY))
        } catch {
            throw .storage(error)
        }
    }

    private func walk<Visitor: TreeVisitor>(
        _ traversal: TreeTraversal, _ snapshot: Snapshot, _ target: HeldDescriptor, _ visitor: inout Visitor, _ run: RestoreRun,
        _ work: @escaping @Sendable (RestoreRun) -> Void
    ) throws(RepositoryError) where Visitor.Directory == RestoreDirectory {
        var workers: [WorkerThread] = []
        do {
            for _ in 0..<max(1, min(64, run.options.workerCount)) { workers.append(try WorkerThread(name: "restore-file") { work(run) }) }
        } catch {
            run.fail(.storage(error))
        }
        do throws(RepositoryError) {
            try traversal.run(snapshot.tree, into: RestoreDirectory(target: target), &visitor)
        } catch {
            run.fail(error)
        }
        run.closeQueue()
        for worker in workers { worker.join() }
        try run.check()
    }
}
