internal import Platform

/// One worker: reads files, cuts them into chunks, stores what the repository lacks.
struct FileReader: ~Copyable {
    /// Why a file could not be stored.
    enum Failure: Error {
        /// It cannot be read; the run goes on.
        case unreadable(SystemError)
        /// The repository failed; the run ends.
        case repository(RepositoryError)
    }

    private let run: ArchiveRun
    private var chunker: Chunker
    private var buffer = ReadBuffer()
    private var hasher: SHA256
    private var tally = Tally()

    private init(_ run: ArchiveRun, _ rule: CutRule) throws(CryptoError) {
        self.run = run
        chunker = Chunker(rule: rule)
        hasher = try SHA256()
    }

    /// Works until no job is left.
    static func work(_ run: ArchiveRun, _ rule: CutRule) {
        do throws(CryptoError) {
            var reader = try FileReader(run, rule)
            while let work = run.nextWork() {
                do throws(RepositoryError) {
                    switch work {
                    case .files(let jobs): for job in jobs { try reader.store(job) }
                    case .segment(let file, let number): try reader.store(file, number)
                    }
                } catch {
                    run.fail(error)
                }
                run.finishWork(&reader.tally)
            }
        } catch {
            run.fail(.crypto(error))
        }
    }

    // MARK: Small files

    private mutating func store(_ job: FileJob) throws(RepositoryError) {
        try run.check()
        let node = try read(job)
        try run.complete(job.builder, slot: job.slot, node, &tally)
    }

    /// - Returns: nil when the file was reported and is left out.
    private mutating func read(_ job: FileJob) throws(RepositoryError) -> Node? {
        let began = run.watchesItems ? Monotonic.nanoseconds() : 0
        let before = tally
        do throws(Failure) {
            let file = try Self.open(job)
            var status = job.status
            var content: [Digest] = []
            var size: UInt64 = 0
            var after = status
            // What was opened may be another file than the one that was listed: then that one counts, and is read again as such.
            for attempt in 0..<3 {
                (content, size) = try store(file, from: 0, expecting: status.sizeBytes)
                after = try Self.status(file)
                if after.kind != .file { break }
                if attempt < 2, after.inode != status.inode || after.device != status.device {
                    status = after
                } else {
                    break
                }
            }
            return node(job, file, status, after, content, size, added: tally.sums.added(since: before.sums), began)
        } catch {
            switch error {
            case .unreadable(let error):
                run.reportUnreadable(job.path, error)
                return nil
            case .repository(let error): throw error
            }
        }
    }

    private static func open(_ job: FileJob) throws(Failure) -> FileDescriptor {
        do {
            return try job.directory.descriptor.openEntryForReading(job.name, isDirectory: false)
        } catch {
            throw .unreadable(error)
        }
    }

    private static func status(_ file: borrowing FileDescriptor) throws(Failure) -> FileStatus {
        do {
            return try file.status(path: "")
        } catch {
            throw .unreadable(error)
        }
    }

    /// The node of a file that was read, and what is to be said about it.
    private mutating func node(
        _ job: FileJob, _ file: borrowing FileDescriptor, _ status: FileStatus, _ after: FileStatus, _ content: [Digest], _ size: UInt64,
        added: Added, _ began: UInt64
    ) -> Node? {
        guard after.kind == .file else {
            run.reportUnreadable(
                job.path, Phrase(vi: "đã bị thay bằng thứ khác khi đang sao lưu", en: "was replaced by something else during the backup"))
            return nil
        }
        var node = Node(name: job.nodeName, status, run.accounts, withAccessTime: run.options.withAccessTime)
        do throws(SystemError) {
            node.extendedAttributes = try ExtendedAttributes.all(of: file).map(ExtendedAttribute.init)
        } catch {
            run.reportUnreadable(job.path, error)
        }
        node.content = content
        node.size = size
        if size != status.sizeBytes || after.sizeBytes != status.sizeBytes || after.modified != status.modified {
            run.reportChanged(
                job.path,
                Phrase(
                    vi: "thay đổi khi đang được đọc (\(status.sizeBytes) byte, đã đọc \(size))",
                    en: "changed while it was read (\(status.sizeBytes) bytes, read \(size))"))
        }
        let change: ArchiveRun.Change = job.previous.map { $0 == node ? .unmodified : .changed } ?? .new
        tally.countFile(change, bytes: size)
        run.tellItem(change, job.path, data: added, since: began)
        return node
    }

    /// Reads from `offset` to the end of the file, in order.
    ///
    /// - Parameter size: Where the end is expected; a read that stops there needs no other one to find the end.
    private mutating func store(
        _ file: borrowing FileDescriptor, from offset: UInt64, expecting size: UInt64
    ) throws(Failure) -> (content: [Digest], endOffset: UInt64) {
        var content: [Digest] = []
        var offset = offset
        buffer.clear()
        chunker.restart()
        while true {
            let room = ReadBuffer.readBytes
            let count = try read(file, at: offset, atMost: room)
            offset += UInt64(count)
            if count == 0 { break }
            var start = 0
            while let end = unsafe chunker.end(ofChunkAt: start, in: buffer.bytes) {
                content.append(try store(chunk: start..<end))
                start = end
            }
            if start > 0 { buffer.drop(start) }
            if count < room, offset == size { break }
        }
        if buffer.filled > 0 { content.append(try store(chunk: 0..<buffer.filled)) }
        return (content, offset)
    }

    private mutating func read(_ file: borrowing FileDescriptor, at offset: UInt64, atMost limit: Int) throws(Failure) -> Int {
        do throws(SystemError) {
            try FaultPoint.reach("archive.file-read")
            // The path is added where the failure is reported.
            let descriptor = file.raw
            return try unsafe buffer.append(atMost: limit) { (target) throws(SystemError) -> Int in
                try unsafe FileDescriptor.read(descriptor, into: target, at: offset)
            }
        } catch {
            throw .unreadable(error)
        }
    }

    /// Stores a part of the buffer as one blob.
    private mutating func store(chunk range: Range<Int>) throws(Failure) -> Digest {
        do throws(RepositoryError) {
            try run.check()
            let chunk = unsafe UnsafeRawBufferPointer(rebasing: buffer.bytes[range])
            let id = try unsafe digest(chunk)
            let stored = try unsafe run.storeBlob(.data, id, chunk)
            tally.count(stored, .data, plaintextBytes: chunk.count)
            tally.bytesSeen += UInt64(chunk.count)
            return id
        } catch {
            throw .repository(error)
        }
    }

    private mutating func digest(_ chunk: UnsafeRawBufferPointer) throws(RepositoryError) -> Digest {
        do throws(CryptoError) {
            try unsafe hasher.update(chunk)
            return try hasher.finish()
        } catch {
            throw .crypto(error)
        }
    }

    // MARK: Large files

    /// Reads one segment; whoever finishes the last one completes the file.
    private mutating func store(_ file: SegmentedFile, _ number: Int) throws(RepositoryError) {
        let before = tally
        var content: [Digest] = []
        var size: UInt64 = 0
        var lost: RepositoryError?
        do throws(Failure) {
            (content, size) = try storeSegment(file, number)
        } catch {
            switch error {
            case .unreadable(let error): file.fail(.unreadable(error))
            case .repository(let error):
                file.fail(.stopped)
                lost = error
            }
        }
        let outcome = file.finish(number, content, sizeBytes: size, added: tally.sums.added(since: before.sums))
        if let lost { throw lost }
        guard let outcome else { return }
        let job = file.job
        switch outcome.failure {
        case .stopped: return
        case .unreadable(let error):
            run.reportUnreadable(job.path, error)
            try run.complete(job.builder, slot: job.slot, nil, &tally)
        case nil:
            var node: Node?
            do throws(Failure) {
                let after = try Self.status(file.file.descriptor)
                node = self.node(
                    job, file.file.descriptor, job.status, after, outcome.content, outcome.sizeBytes, added: outcome.added, file.began)
            } catch {
                if case .unreadable(let error) = error { run.reportUnreadable(job.path, error) }
            }
            try run.complete(job.builder, slot: job.slot, node, &tally)
        }
    }

    private mutating func storeSegment(_ file: SegmentedFile, _ number: Int) throws(Failure) -> (content: [Digest], sizeBytes: UInt64) {
        let length = SegmentedFile.segmentBytes
        let base = UInt64(number) * UInt64(length)
        // The last one goes on to the end of the file, wherever that is by now.
        if file.isLast(number) {
            guard let start = file.start(of: number) else { return ([], 0) }
            let (content, end) = try store(file.file.descriptor, from: start, expecting: file.job.status.sizeBytes)
            return (content, end - min(start, end))
        }
        var segment = SegmentChunker(rule: chunker.rule, length: length)
        buffer.clear()
        var isEnd = try fill(file, base, upTo: length)
        if number > 0 { unsafe segment.guess(in: buffer.bytes) }
        guard let start = file.start(of: number) else { return ([], 0) }
        // A file that became shorter may have ended before this segment.
        segment.begin(at: start < base ? length : Int(start - base))
        if start < base {
            file.settle(startOfNext: start, after: number)
            return ([], 0)
        }
        while unsafe !segment.advance(in: buffer.bytes, isEnd: isEnd) {
            isEnd = try fill(file, base, upTo: buffer.filled + ReadBuffer.readBytes)
        }
        file.settle(startOfNext: base + UInt64(segment.start), after: number)
        var content: [Digest] = []
        var position = Int(start - base)
        var size: UInt64 = 0
        for end in segment.ends {
            content.append(try store(chunk: position..<end))
            size += UInt64(end - position)
            position = end
            run.tellProgress(&tally)
        }
        return (content, size)
    }

    /// Reads until the buffer holds `count` bytes from `base` on.
    ///
    /// - Returns: True when the file ends before that.
    private mutating func fill(_ file: SegmentedFile, _ base: UInt64, upTo count: Int) throws(Failure) -> Bool {
        while buffer.filled < count {
            if try read(file.file.descriptor, at: base + UInt64(buffer.filled), atMost: count - buffer.filled) == 0 { return true }
        }
        return false
    }
}
