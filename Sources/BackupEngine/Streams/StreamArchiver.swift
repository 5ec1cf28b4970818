internal import Platform
internal import Synchronization

/// Stores the streams of one run, one after the other, beside the files: one thread reads and cuts, others hash, compress and seal.
final class StreamArchiver: Sendable {
    private struct Job: Sendable {
        let source: StreamSource
        let name: [UInt8]
        let builder: DirectoryBuilder
        let slot: Int
        let previous: Node?
    }

    /// The blobs of one stream, filled in by the workers in any order.
    private final class Content: Sendable {
        let ids = Monitor<(digests: [Digest?], missing: Int)>(([], 0))

        func reserve() -> Int {
            ids.change { state in
                state.digests.append(nil)
                state.missing += 1
                return state.digests.count - 1
            }
        }

        func set(_ position: Int, _ id: Digest?) {
            ids.change { state in
                state.digests[position] = id
                state.missing -= 1
            }
        }

        /// Waits for the last blob.
        func all() -> [Digest] { ids.wait { $0.missing == 0 ? $0.digests.compactMap { $0 } : nil } }
    }

    private struct Chunk: Sendable {
        let bytes: [UInt8]
        let content: Content
        let position: Int
    }

    /// Why a stream could not be stored.
    private enum Failure: Error {
        /// Its producer failed.
        case producer(StreamError)
        /// The repository failed, or the run was cancelled.
        case run(RepositoryError)
    }

    private let run: ArchiveRun
    private let rule: CutRule
    private let time: Timestamp
    private let failure: StreamFailure
    private let workerCount: Int
    private let jobs: BoundedQueue<Job>
    /// At most this many chunks, of at most 8 MiB each, wait for a worker.
    private let chunks: BoundedQueue<Chunk>
    private let threads = Mutex<[WorkerThread]>([])
    private let stored = Atomic<Int>(0)

    /// Streams in the snapshot so far.
    var storedCount: Int { stored.load(ordering: .acquiring) }

    init(run: ArchiveRun, rule: CutRule, time: Timestamp, failure: StreamFailure, workerCount: Int, streamCount: Int) {
        self.run = run
        self.rule = rule
        self.time = time
        self.failure = failure
        self.workerCount = workerCount
        jobs = BoundedQueue(capacity: max(1, streamCount))
        chunks = BoundedQueue(capacity: workerCount)
    }

    /// Starts the threads.
    func start() throws(RepositoryError) {
        do throws(SystemError) {
            for _ in 0..<workerCount { add(try WorkerThread(name: "backup-chunk") { [self] in storeChunks() }) }
            add(try WorkerThread(name: "backup-stream") { [self] in archiveAll() })
        } catch {
            finish()
            throw .storage(error)
        }
    }

    private func add(_ thread: WorkerThread) { threads.withLock { $0.append(thread) } }

    /// Has the stream stored; its node goes to `slot` when that is done.
    func submit(_ source: StreamSource, name: [UInt8], _ builder: DirectoryBuilder, slot: Int, previous: Node?) {
        jobs.push(Job(source: source, name: name, builder: builder, slot: slot, previous: previous))
    }

    /// Waits until every stream is stored, or given up.
    func finish() {
        jobs.close()
        let all = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        // The reading thread was started last, and it alone adds chunks.
        all.last?.join()
        chunks.close()
        for thread in all { thread.join() }
    }

    // MARK: The reading thread

    private func archiveAll() {
        var buffer = ChunkBuffer(rule: rule)
        var tally = Tally()
        while let job = jobs.pop() {
            do throws(RepositoryError) {
                try run.check()
                try run.complete(job.builder, slot: job.slot, try archive(job, &buffer, &tally), &tally)
            } catch {
                run.fail(error)
            }
            run.take(&tally)
        }
    }

    /// - Returns: nil when the producer failed and the run goes on.
    private func archive(_ job: Job, _ buffer: inout ChunkBuffer, _ tally: inout Tally) throws(RepositoryError) -> Node? {
        run.enter(job.source.path)
        do throws(Failure) {
            let node = try read(job, &buffer)
            tally.countFile(job.previous.map { $0 == node ? .unmodified : .changed } ?? .new, bytes: node.size)
            stored.add(1, ordering: .acquiringAndReleasing)
            return node
        } catch {
            switch error {
            case .run(let error): throw error
            case .producer(let error):
                // A cancelled run ends its producers; that is not their failure.
                try run.check()
                switch failure {
                case .endsRun:
                    let path = job.source.path.description
                    throw RepositoryError(
                        .producer, Phrase(vi: "'\(path)': \(error.message.vi)", en: "'\(path)': \(error.message.en)"),
                        hint: error.hint, cause: error)
                case .leavesOut:
                    run.reportUnreadable(job.source.path, error.message)
                    return nil
                }
            }
        }
    }

    private func read(_ job: Job, _ buffer: inout ChunkBuffer) throws(Failure) -> Node {
        let run = run
        let surroundings = StreamSurroundings(isCancelled: { run.isEnding }, note: { run.note($0) })
        let content = Content()
        var size: UInt64 = 0
        let metadata: StreamMetadata
        do throws(StreamError) {
            let stream = try job.source.producer.open(surroundings)
            metadata = stream.metadata
            size = try cut(stream, into: content, &buffer)
            try stream.finish()
        } catch {
            // No chunk of it may be under way when the next one starts.
            _ = content.all()
            throw .producer(error)
        }
        let ids = content.all()
        do throws(RepositoryError) {
            try run.check()
            try run.reach("archive.stream-read")
        } catch {
            throw .run(error)
        }
        var node = node(job.name, metadata)
        node.size = size
        node.content = ids
        return node
    }

    private func node(_ name: [UInt8], _ metadata: StreamMetadata) -> Node {
        switch metadata {
        case .file(let status, let attributes):
            var node = Node(name: name, status, run.accounts)
            node.extendedAttributes = attributes
            return node
        case .none:
            var node = Node(name: name, kind: .file)
            node.mode = FileMode(rawValue: 0o644)
            (node.modified, node.accessed, node.changed) = (time, time, time)
            return node
        }
    }

    /// - Returns: The bytes read.
    private func cut(_ stream: any ByteStream, into content: Content, _ buffer: inout ChunkBuffer) throws(StreamError) -> UInt64 {
        var size: UInt64 = 0
        try unsafe buffer.forEachChunk { (target) throws(StreamError) -> Int in
            // Pipes give little at a time; chunking is better off with much.
            var filled = 0
            while filled < target.count {
                let count = try unsafe stream.read(into: UnsafeMutableRawBufferPointer(rebasing: target[filled...]))
                if count == 0 { break }
                filled += count
            }
            return filled
        } emit: { (chunk) throws(StreamError) -> Void in
            size += UInt64(chunk.count)
            let position = content.reserve()
            if unsafe !chunks.push(Chunk(bytes: Array(chunk), content: content, position: position)) { content.set(position, nil) }
        }
        return size
    }

    // MARK: The other threads

    private func storeChunks() {
        do throws(CryptoError) {
            var hasher = try SHA256()
            var tally = Tally()
            while let chunk = chunks.pop() {
                var id: Digest?
                do throws(RepositoryError) {
                    id = try store(chunk.bytes, &hasher, &tally)
                } catch {
                    run.fail(error)
                }
                run.take(&tally)
                chunk.content.set(chunk.position, id)
            }
        } catch {
            run.fail(.crypto(error))
            // Nobody may wait for chunks that this thread would have taken.
            while let chunk = chunks.pop() { chunk.content.set(chunk.position, nil) }
        }
    }

    private func store(_ bytes: [UInt8], _ hasher: inout SHA256, _ tally: inout Tally) throws(RepositoryError) -> Digest {
        try run.check()
        let id: Digest
        do throws(CryptoError) {
            try hasher.update(bytes)
            id = try hasher.finish()
        } catch {
            throw .crypto(error)
        }
        let stored = try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(RepositoryError) -> StoredBlob in
            try unsafe run.storeBlob(.data, id, UnsafeRawBufferPointer(buffer))
        }
        tally.count(stored, .data, plaintextBytes: bytes.count)
        tally.bytesSeen += UInt64(bytes.count)
        return id
    }
}
