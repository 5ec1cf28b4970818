internal import Platform
private import Synchronization

/// Collects sealed blobs into packs and publishes finished packs from a thread of its own.
///
/// Order on disk: a pack is durable before an index names it. Waiting for the disk blocks only whoever finishes packs
/// faster than the disk takes them: the queue is bounded. The first failure stops everything that comes after it.
final class PackWriter: Sendable {
    private struct OpenPacks: Sendable {
        // Format 2 demands separate packs for data and trees.
        var data = OpenPack()
        var trees = OpenPack()
    }

    /// Finished packs that wait for the disk; with the open ones and those in workers' hands this bounds the memory.
    private static let waitingPacks = 2

    private let line: PublishingLine
    private let open = Mutex(OpenPacks())
    private let queue: BoundedQueue<OpenPack>
    private let thread = Mutex<WorkerThread?>(nil)

    init(store: ObjectStore, index: SharedIndex) {
        line = PublishingLine(store: store, index: index)
        queue = BoundedQueue(capacity: Self.waitingPacks)
    }

    deinit {
        queue.cancel()
        let thread = thread.withLock { $0 }
        thread?.join()
    }

    /// The failure that ended writing, if there was one.
    var failure: RepositoryError? { line.failure }

    /// Lets nothing be written any more; used when a lock was lost, or a blob could not be encoded.
    func stop(_ error: RepositoryError) { line.stop(error) }

    /// Adds a sealed blob. Only the copy into the open pack happens under a lock.
    func add(_ handle: BlobHandle, _ sealed: UnsafeRawBufferPointer, uncompressedLength: UInt32) throws(RepositoryError) {
        if let error = line.failure { throw error }
        let finished: [OpenPack] = open.withLock { open in
            switch handle.type {
            case .data: unsafe Self.append(handle, sealed, uncompressedLength, to: &open.data)
            case .tree: unsafe Self.append(handle, sealed, uncompressedLength, to: &open.trees)
            }
        }
        for pack in finished { try publish(pack) }
    }

    private static func append(
        _ handle: BlobHandle, _ sealed: UnsafeRawBufferPointer, _ uncompressedLength: UInt32, to pack: inout OpenPack
    ) -> [OpenPack] {
        var finished: [OpenPack] = []
        func take() {
            finished.append(pack)
            pack = OpenPack()
        }
        if !pack.hasRoom(for: sealed.count) { take() }
        unsafe pack.append(handle, sealed, uncompressedLength: uncompressedLength)
        if pack.isFull { take() }
        return finished
    }

    private func publish(_ pack: consuming OpenPack) throws(RepositoryError) {
        do throws(SystemError) {
            try thread.withLock { (thread) throws(SystemError) in
                if thread != nil { return }
                thread = try WorkerThread(name: "pack-writer") { [queue, line] in
                    while let pack = queue.pop() { line.publish(pack) }
                }
            }
        } catch {
            throw .storage(error)
        }
        line.expect()
        if !queue.push(pack) { line.abandon() }
    }

    /// Publishes everything that was added, and the index of it.
    func flush() throws(RepositoryError) {
        let rest = open.withLock { open in
            let rest = [open.data, open.trees]
            open = OpenPacks()
            return rest
        }
        for pack in rest where !pack.isEmpty { try publish(pack) }
        try line.finish()
    }
}

/// What the writer thread does: header, hash, file, index.
private final class PublishingLine: Sendable {
    private struct State {
        /// Packs handed over and not yet on disk.
        var outstanding = 0
        var failure: RepositoryError?
        /// Published packs that no index file names yet.
        var unindexed: [(id: Digest, entries: [PackEntry])] = []
        var unindexedBlobs = 0
        /// When the first of them was published, in monotonic nanoseconds.
        var oldest: UInt64 = 0
    }

    private let store: ObjectStore
    private let index: SharedIndex
    private let state = Monitor(State())

    init(store: ObjectStore, index: SharedIndex) {
        self.store = store
        self.index = index
    }

    var failure: RepositoryError? { state.read { $0.failure } }
    func stop(_ error: RepositoryError) { state.change { if $0.failure == nil { $0.failure = error } } }
    func expect() { state.change { $0.outstanding += 1 } }
    func abandon() { state.change { $0.outstanding -= 1 } }

    /// Writes one pack; on failure remembers why.
    func publish(_ pack: consuming OpenPack) {
        defer { abandon() }
        if failure != nil { return }
        do throws(RepositoryError) {
            try write(pack)
        } catch {
            stop(error)
        }
    }

    private func write(_ pack: consuming OpenPack) throws(RepositoryError) {
        let entries = pack.entries
        // finish() may only add to the bytes in place when nobody else holds them: hand the one value on.
        let (bytes, id) = try finish(pack)
        try store.backend.save(.pack, id, bytes)
        try reach("pack.published")
        index.add(pack: id, entries)
        let isIndexDue = state.change { state in
            if state.unindexed.isEmpty { state.oldest = Monotonic.nanoseconds() }
            state.unindexed.append((id, entries))
            state.unindexedBlobs += entries.count
            return state.unindexedBlobs >= IndexFile.blobLimit
                || Double(Monotonic.nanoseconds() - state.oldest) / 1e9 >= IndexFile.ageLimitSeconds
        }
        if isIndexDue { try writeIndex() }
    }

    private func finish(_ pack: consuming OpenPack) throws(RepositoryError) -> ([UInt8], Digest) {
        var open: OpenPack? = pack
        return try store.contexts.use { (context) throws(RepositoryError) in
            guard let pack = open.take() else { return ([], .zero) }
            let bytes = try pack.finish(with: context)
            do throws(CryptoError) {
                return (bytes, try context.hash(bytes))
            } catch {
                throw .crypto(error)
            }
        }
    }

    private func writeIndex() throws(RepositoryError) {
        let packs = state.change { state in
            let packs = state.unindexed
            state.unindexed = []
            state.unindexedBlobs = 0
            return packs
        }
        if packs.isEmpty { return }
        _ = try store.saveDocument(.index, IndexFile.encode(packs))
        try reach("index.published")
    }

    /// Waits for the packs on their way, then writes the index of what has none.
    func finish() throws(RepositoryError) {
        state.wait { $0.outstanding == 0 ? () : nil }
        if let failure { throw failure }
        do throws(RepositoryError) {
            try writeIndex()
        } catch {
            stop(error)
            throw error
        }
    }
}

/// Passes through a fault point; see `FaultPoint`.
func reach(_ point: StaticString) throws(RepositoryError) {
    do throws(SystemError) {
        try FaultPoint.reach(point)
    } catch {
        throw .storage(error)
    }
}
