internal import Platform
private import Synchronization

/// Collects sealed blobs into packs and publishes finished packs from threads of its own.
///
/// Two packs are open per type, and each blob goes to one of them at random: the order of blobs in a pack then says less about which file
/// they come from. Order on disk: a pack is durable before an index names it. Waiting for the disk blocks only whoever finishes packs
/// faster than the disk takes them: the queue is bounded. The first failure stops everything that comes after it.
final class PackWriter: Sendable {
    /// Finished packs that wait for the disk; with the open ones and those in workers' hands this bounds the memory.
    private static let waitingPacks = 1
    /// Packs that are written at the same time at most: while one waits for the disk, another is copied.
    private static let writersLimit = 4
    /// Beyond the target size, so that the last blob and the header mostly cause no copy.
    private static let reserveBytes = 2 << 20

    private let line: PublishingLine
    private let contexts: ContextPool
    private let targetBytes: Int
    private let writers: Int
    // Format 2 demands separate packs for data and trees.
    private let data = OpenPair()
    private let trees = OpenPair()
    private let queue = BoundedQueue<OpenPack.Finished>(capacity: waitingPacks)
    private let threads = Mutex<[WorkerThread]>([])

    init(store: ObjectStore, index: SharedIndex, packSizeBytes: Int = WriteSettings().packSizeBytes) {
        line = PublishingLine(store: store, index: index)
        contexts = store.contexts
        targetBytes = packSizeBytes
        writers = min(max(1, store.backend.connections), Self.writersLimit)
    }

    deinit {
        queue.cancel()
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    /// The failure that ended writing, if there was one.
    var failure: RepositoryError? { line.failure }

    /// Lets nothing be written any more; used when a lock was lost, or a blob could not be encoded.
    func stop(_ error: RepositoryError) { line.stop(error) }

    /// Lets packs wait before they are published, until ``allow()``: the lock is not confirmed yet.
    func hold() { line.hold(true) }
    func allow() { line.hold(false) }

    /// Adds a sealed blob. Only the copy into the open pack happens under a lock; who fills a pack proves and finishes it.
    func add(_ handle: BlobHandle, _ sealed: UnsafeRawBufferPointer, uncompressedLength: UInt32) throws(RepositoryError) {
        if let error = line.failure { throw error }
        let pair = handle.type == .data ? data : trees
        // A blob as large as a pack gets its own: it would only make another one overflow.
        if sealed.count >= targetBytes {
            var pack = OpenPack()
            unsafe pack.append(handle, sealed, uncompressedLength: uncompressedLength)
            try finish(pack)
            return
        }
        let full = pair.withOne { (pack) -> OpenPack? in
            var full: OpenPack?
            if !pack.hasRoom(for: sealed.count) { full = Self.take(&pack) }
            if pack.isEmpty {
                var memory = line.spareMemory()
                if handle.type == .data { memory.reserveCapacity(targetBytes + Self.reserveBytes) }
                pack = OpenPack(memory: memory)
            }
            unsafe pack.append(handle, sealed, uncompressedLength: uncompressedLength)
            if full == nil, pack.bytes.count >= targetBytes { full = Self.take(&pack) }
            return full
        }
        if let full { try finish(full) }
    }

    private static func take(_ pack: inout OpenPack) -> OpenPack {
        var taken = OpenPack()
        swap(&taken, &pack)
        return taken
    }

    /// Proves a pack and hands it to the writers.
    private func finish(_ pack: consuming OpenPack) throws(RepositoryError) {
        var open: OpenPack? = pack
        let finished: OpenPack.Finished?
        do throws(RepositoryError) {
            // finish() may only add to the bytes in place when nobody else holds them: hand the one value on.
            finished = try contexts.use { (context) throws(RepositoryError) in
                guard let pack = open.take() else { return nil }
                return try pack.finish(with: context)
            }
        } catch {
            line.stop(error)
            throw error
        }
        guard let finished else { return }
        try startThreads()
        line.expect()
        if !queue.push(finished) { line.abandon() }
    }

    private func startThreads() throws(RepositoryError) {
        do throws(SystemError) {
            try threads.withLock { (threads) throws(SystemError) in
                while threads.count < writers {
                    threads.append(
                        try WorkerThread(name: "pack-writer") { [queue, line] in
                            while let pack = queue.pop() { line.publish(pack) }
                        })
                }
            }
        } catch {
            throw .storage(error)
        }
    }

    /// Publishes everything that was added, and the index of it. Of two open packs that fit into one, one is made.
    func flush() throws(RepositoryError) {
        for pair in [data, trees] {
            for pack in pair.takeAll(mergingUpTo: targetBytes) { try finish(pack) }
        }
        try line.finish()
    }
}

/// The two open packs of one type, each behind its own lock.
private final class OpenPair: Sendable {
    private let first = Mutex(OpenPack())
    private let second = Mutex(OpenPack())

    /// Runs `body` on one of the two, chosen at random.
    func withOne<Result: Sendable>(_ body: (inout sending OpenPack) -> sending Result) -> Result {
        var generator = SystemRandomNumberGenerator()
        return generator.next() & 1 == 0 ? first.withLock(body) : second.withLock(body)
    }

    /// - Returns: The packs that are not empty; they are gone from here.
    func takeAll(mergingUpTo limit: Int) -> [OpenPack] {
        var one = first.withLock { Self.take(&$0) }
        let other = second.withLock { Self.take(&$0) }
        if !one.isEmpty, !other.isEmpty, one.bytes.count + other.bytes.count <= limit {
            one.append(other)
            return [one]
        }
        return [one, other].filter { !$0.isEmpty }
    }

    private static func take(_ pack: inout OpenPack) -> OpenPack {
        var taken = OpenPack()
        swap(&taken, &pack)
        return taken
    }
}
