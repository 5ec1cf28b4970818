internal import Platform

/// One worker: reads files, cuts them into chunks, stores what the repository lacks.
enum FileReader {
    /// Why a file could not be stored.
    private enum Failure: Error {
        /// It cannot be read; the run goes on.
        case unreadable(SystemError)
        /// The repository failed; the run ends.
        case repository(RepositoryError)
    }

    /// Files from this size on are worth a word to the kernel.
    private static let sequentialBytes: UInt64 = 1 << 20

    /// Works until no job is left.
    static func work(_ run: ArchiveRun, _ tables: RabinTables) {
        do throws(CryptoError) {
            var buffer = ChunkBuffer(tables: tables)
            var hasher = try SHA256()
            while let job = run.nextJob() {
                do throws(RepositoryError) {
                    let node = try read(job, run, &buffer, &hasher)
                    try run.complete(job.builder, slot: job.slot, node)
                } catch {
                    run.fail(error)
                }
                run.finishJob()
            }
        } catch {
            run.fail(.crypto(error))
        }
    }

    /// - Returns: nil when the file was reported and is left out.
    private static func read(
        _ job: ArchiveRun.FileJob, _ run: ArchiveRun, _ buffer: inout ChunkBuffer, _ hasher: inout SHA256
    ) throws(RepositoryError) -> Node? {
        do throws(Failure) {
            let before = try status(of: job)
            guard before.kind == .file else {
                run.reportUnreadable(
                    job.path, Phrase(vi: "đã bị thay bằng thứ khác khi đang sao lưu", en: "was replaced by something else during the backup"))
                return nil
            }
            var node = Node(name: job.nodeName, before, run.accounts)
            do throws(SystemError) {
                node.extendedAttributes = try ExtendedAttributes.all(of: job.held.descriptor).map(ExtendedAttribute.init)
            } catch {
                run.reportUnreadable(job.path, error.message)
            }
            if before.sizeBytes >= sequentialBytes { job.held.descriptor.willReadSequentially() }
            let (content, size) = try store(job, run, &buffer, &hasher)
            node.content = content
            node.size = size
            let after = try status(of: job)
            if size != before.sizeBytes || after.sizeBytes != before.sizeBytes || after.modified != before.modified {
                run.reportChanged(
                    job.path,
                    Phrase(
                        vi: "thay đổi khi đang được đọc (\(before.sizeBytes) byte, đã đọc \(size))",
                        en: "changed while it was read (\(before.sizeBytes) bytes, read \(size))"))
            }
            run.countFile(job.previous.map { $0 == node ? .unmodified : .changed } ?? .new, bytes: size)
            return node
        } catch {
            switch error {
            case .unreadable(let error):
                run.reportUnreadable(job.path, error.message)
                return nil
            case .repository(let error): throw error
            }
        }
    }

    private static func status(of job: ArchiveRun.FileJob) throws(Failure) -> FileStatus {
        do {
            return try job.held.descriptor.status(path: "")
        } catch {
            throw .unreadable(error)
        }
    }

    private static func store(
        _ job: ArchiveRun.FileJob, _ run: ArchiveRun, _ buffer: inout ChunkBuffer, _ hasher: inout SHA256
    ) throws(Failure) -> (content: [Digest], sizeBytes: UInt64) {
        var content: [Digest] = []
        var size: UInt64 = 0
        try unsafe buffer.forEachChunk { (target) throws(Failure) -> Int in
            do throws(RepositoryError) {
                try run.check()
            } catch {
                throw .repository(error)
            }
            do throws(SystemError) {
                try FaultPoint.reach("archive.file-read")
                return try unsafe job.held.descriptor.read(into: target, path: "")
            } catch {
                throw .unreadable(error)
            }
        } emit: { (chunk) throws(Failure) -> Void in
            do throws(RepositoryError) {
                let id = try unsafe digest(chunk, &hasher)
                let stored = try unsafe run.repository.storeBlob(.data, id, chunk)
                run.count(stored, plaintextBytes: chunk.count) { $0.dataBlobs += 1 }
                content.append(id)
                size += UInt64(chunk.count)
            } catch {
                throw .repository(error)
            }
        }
        return (content, size)
    }

    private static func digest(_ chunk: UnsafeRawBufferPointer, _ hasher: inout SHA256) throws(RepositoryError) -> Digest {
        do throws(CryptoError) {
            try unsafe hasher.update(chunk)
            return try hasher.finish()
        } catch {
            throw .crypto(error)
        }
    }
}
