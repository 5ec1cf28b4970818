internal import Platform

/// One worker: loads the blobs of files and writes them.
enum FileWriter {
    /// Runs of zeros shorter than this, and those that start elsewhere, are written like everything else.
    private static let sparseBytes = 64 * 1024

    static func work(_ run: RestoreRun) {
        while let job = run.nextJob() {
            do throws(RepositoryError) {
                try run.check()
                try restore(job, run)
            } catch {
                run.fail(error)
            }
            run.finish(entryOf: job.directory)
        }
    }

    private static func restore(_ job: RestoreRun.Job, _ run: RestoreRun) throws(RepositoryError) {
        do throws(SystemError) {
            guard try write(job, run) else { return }
            try FaultPoint.reach("restore.file-written")
            try MetadataWriter(run: run).apply(job.node, to: job.file.descriptor)
            run.countFile(bytes: job.node.size)
        } catch {
            run.report(job.path, error)
        }
    }

    /// - Returns: False when a part is missing; it has been reported, and zeros stand in its place. Such a file keeps the
    ///   permissions it was made with, for its owner alone, and the time of the restore: it does not pass for a restored one.
    private static func write(_ job: RestoreRun.Job, _ run: RestoreRun) throws(SystemError) -> Bool {
        var offset: UInt64 = 0
        var isWhole = true
        for id in job.node.content ?? [] {
            let size = run.repository.blobSize(.data, id) ?? 0
            do throws(RepositoryError) {
                try run.check()
                let bytes = try run.repository.loadBlob(.data, id)
                guard bytes.count == size else {
                    throw .corrupt(Phrase(vi: "khối \(id.short) sai kích thước", en: "blob \(id.short) has the wrong size"))
                }
                let problem = put(bytes, at: offset, job, run)
                if let problem { throw RepositoryError.storage(problem) }
            } catch {
                if error.code == .interrupted {
                    run.fail(error)
                    return false
                }
                if let cause = error.cause as? SystemError, error.code == .storage, cause.isNoSpace || cause.isReadOnly { throw cause }
                run.report(
                    job.path,
                    Phrase(
                        vi: "thiếu \(size) byte từ vị trí \(offset): \(error.message.vi)",
                        en: "\(size) bytes at offset \(offset) are missing: \(error.message.en)"))
                isWhole = false
            }
            offset += UInt64(size)
        }
        if run.options.makesSparseFiles || !isWhole { try job.file.descriptor.resize(to: job.node.size) }
        return isWhole
    }

    private static func put(_ bytes: [UInt8], at offset: UInt64, _ job: RestoreRun.Job, _ run: RestoreRun) -> SystemError? {
        unsafe bytes.withUnsafeBytes { bytes in
            do throws(SystemError) {
                if !run.options.makesSparseFiles {
                    try unsafe job.file.descriptor.writeAll(bytes, at: offset)
                    return nil
                }
                for start in stride(from: 0, to: bytes.count, by: sparseBytes) {
                    let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + sparseBytes, bytes.count)])
                    if unsafe part.allSatisfy({ $0 == 0 }) { continue }
                    try unsafe job.file.descriptor.writeAll(part, at: offset + UInt64(start))
                }
                return nil
            } catch {
                return error
            }
        }
    }
}
