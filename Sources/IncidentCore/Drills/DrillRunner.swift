package import BackupEngine
package import Platform

/// Restores the newest snapshot of a job for real, reads everything back, and measures. Lives in the job process; writes no ledger.
package struct DrillRunner: Sendable {
    private let access: RepositoryAccess
    private let now: @Sendable () -> Timestamp

    package init(access: RepositoryAccess, now: @escaping @Sendable () -> Timestamp = { .now() }) {
        self.access = access
        self.now = now
    }

    /// Runs a drill.
    ///
    /// - Returns: What was found. Never throws: a drill that cannot be carried out has failed, and says why. The restored files
    ///   are removed in every case.
    package func run(_ order: DrillOrder, cancellation: CancellationFlag, progress: @escaping JobProgress) -> DrillResult {
        let started = now()
        let begin = Monotonic.nanoseconds()
        var result = DrillResult(order, started: started)
        do {
            let directory = try DrillScratch.make(in: FilePath(order.scratch))
            do {
                try restore(order, into: directory, started: started, &result, cancellation, progress)
                let seconds = Monotonic.nanoseconds() - begin
                if result.problemCount == 0, result.assertions.allSatisfy(\.isPassed) {
                    result.recoveryTimeMilliseconds = Int64(seconds / 1_000_000)
                    result.outcome = result.meetsRecoveryTime ?? true && result.meetsRecoveryPoint ?? true ? .passed : .objectivesMissed
                }
            } catch {
                result.failure = FailureText(error)
            }
            progress(nil, "cleanup")
            do {
                try DrillScratch.remove(directory)
            } catch {
                result.leftover = FailureText(error)
            }
        } catch {
            result.failure = FailureText(error)
        }
        result.ended = viewTime(now())
        return result
    }

    private func restore(
        _ order: DrillOrder, into directory: FilePath, started: Timestamp, _ result: inout DrillResult,
        _ cancellation: CancellationFlag, _ progress: @escaping JobProgress
    ) throws {
        try cancellation.check()
        progress(nil, order.repository)
        let repository = try access.open(order.reference, cancellation: cancellation)
        let snapshot = try newestSnapshot(order, in: repository)
        result.snapshot = snapshot.id.hex
        result.snapshotTime = viewTime(snapshot.time)
        result.recoveryPointSeconds = max(0, started.seconds - snapshot.time.seconds)
        try requireSpace(for: snapshot, in: directory)
        let totalBytes = snapshot.summary?.totalBytesProcessed ?? 0
        let report = try Restorer(repository: repository).restore(
            snapshot, into: directory, options: RestoreOptions(verifies: true), cancellation: cancellation
        ) { state in
            // Half for writing, half for reading back.
            let part = totalBytes == 0 ? nil : min(1, Double(state.bytesDone) / Double(totalBytes)) / 2
            progress(part.map { state.stage == .verifying ? $0 + 0.5 : $0 }, state.current.description)
        }
        result.files = Int64(clamping: report.filesRestored)
        result.bytes = Int64(clamping: report.bytesRestored)
        result.filesVerified = Int64(clamping: report.filesVerified)
        result.bytesVerified = Int64(clamping: report.bytesVerified)
        result.problemCount = Int64(report.failures.count + report.omittedFailures)
        result.problems = report.failures.prefix(DrillResult.listLimit).map {
            PathProblem(path: $0.path.description, reason: $0.reason)
        }
        addMissing(snapshot, report, &result)
        try cancellation.check()
        result.assertions = order.sqliteDatabases.map { SQLiteAssertion.check($0, in: directory) }
    }

    /// Counts are a second witness: fewer files than the backup recorded, or unread ones, are a failure even without a reported one.
    private func addMissing(_ snapshot: Snapshot, _ report: RestoreReport, _ result: inout DrillResult) {
        var counts: [(String, Phrase)] = []
        let restored = report.filesRestored + report.hardLinksRestored
        if let expected = snapshot.summary?.totalFilesProcessed, restored < expected {
            counts.append(
                (
                    "/",
                    Phrase(
                        vi: "khôi phục \(restored) tệp, bản sao lưu ghi nhận \(expected)",
                        en: "\(restored) files restored, the backup recorded \(expected)")
                ))
        }
        if report.filesVerified < report.filesRestored {
            counts.append(
                (
                    "/",
                    Phrase(
                        vi: "chỉ đọc lại được \(report.filesVerified) trong \(report.filesRestored) tệp",
                        en: "only \(report.filesVerified) of \(report.filesRestored) files were read back")
                ))
        }
        result.problemCount += Int64(counts.count)
        result.problems += counts.map { PathProblem(path: $0.0, reason: $0.1) }
    }

    private func newestSnapshot(_ order: DrillOrder, in repository: Repository) throws -> Snapshot {
        let filter = SnapshotFilter(hosts: [order.hostname], tagLists: [[BackupOrder.tag(for: order.job)]])
        let newest = try repository.listSnapshots().filter(filter.matches).max { $0.time < $1.time }
        guard let newest else {
            throw IncidentError(
                .notFound,
                Phrase(
                    vi: "kho '\(order.repository)' chưa có bản sao lưu nào của '\(order.job)'",
                    en: "the repository '\(order.repository)' has no snapshot of '\(order.job)'"),
                hint: Phrase(
                    vi: "chạy 'sentinelctl backup run \(order.job)' trước", en: "run 'sentinelctl backup run \(order.job)' first"))
        }
        return newest
    }

    /// A drill that fills the disk would be the outage it is to prevent: a tenth of the file system stays free.
    private func requireSpace(for snapshot: Snapshot, in directory: FilePath) throws {
        guard let needed = snapshot.summary?.totalBytesProcessed else { return }
        let space = try FileSystemSpace.of(directory)
        if space.freeBytes < needed || space.freeBytes - needed < space.totalBytes / 10 {
            throw IncidentError(
                .refused,
                Phrase(
                    vi: "không đủ dung lượng để diễn tập: cần \(needed) byte, còn \(space.freeBytes) và phải chừa 10 %",
                    en: "not enough space for the drill: \(needed) bytes needed, \(space.freeBytes) free, of which 10 % stay free"),
                hint: Phrase(
                    vi: "giải phóng dung lượng của phân vùng chứa '\(directory.parent)'",
                    en: "free space on the file system of '\(directory.parent)'"))
        }
    }
}
