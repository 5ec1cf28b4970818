internal import Platform
private import Synchronization

/// Collects sealed blobs into packs and publishes finished packs from threads of its own.
///
/// Two packs are open per type, and each blob goes to one of them at random: the order of blobs in a pack then says less about which file
/// they come from. Order on disk: a pack is durable before an index names it. Waiting for the disk blocks only whoever finishes packs
/// faster than the disk takes them: the queue is bounded. The first failure stops everything that comes after it.
final class PackWriter: Sendable {
    /// Finished packs that wait for a writer. Storage that takes no parts holds them in memory.
    private static let waitingPacks = 1
    /// Packs that are made durable at the same time at most.
    private static let writersLimit = 4

    private let store: ObjectStore
    private let line: PublishingLine
    private let targetBytes: Int
    private let writers: Int
    // Format 2 demands separate packs for data and trees.
    private let data = OpenPair()
    private let trees = OpenPair()
    private let queue = BoundedQueue<OpenPack.Finished>(capacity: waitingPacks)
    private let threads = Mutex<[WorkerThread]>([])

    init(store: ObjectStore, index: SharedIndex, packSizeBytes: Int = WriteSettings().packSizeBytes) {
        self.store = store
        line = PublishingLine(store: store, index: index)
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

    /// Adds a sealed blob; see ``add(_:_:uncompressedLength:with:)``.
    func add(_ handle: BlobHandle, _ sealed: UnsafeRawBufferPointer, uncompressedLength: UInt32) throws(RepositoryError) {
        try store.contexts.use { (context) throws(RepositoryError) in
            // Whoever calls this keeps the bytes as they are; only a test of faulty memory changes one.
            try unsafe add(
                handle, UnsafeMutableRawBufferPointer(mutating: sealed), uncompressedLength: uncompressedLength, with: context)
        }
    }

    /// Adds a sealed blob, and proves that it is what `handle` names before it is written from the same memory.
    ///
    /// - Parameter context: Its scratch memory is used for the proof; `sealed` must not lie there.
    /// - Throws: `.corrupt` when the proof fails, and the first failure of any thread.
    func add(
        _ handle: BlobHandle, _ sealed: UnsafeMutableRawBufferPointer, uncompressedLength: UInt32, with context: WorkerContext
    ) throws(RepositoryError) {
        if let error = line.failure { throw error }
        do throws(RepositoryError) {
            let isLarge = sealed.count >= OpenPack.gatheredBytes
            // Large blobs are proven before the pack is taken, so that others can use it meanwhile.
            if isLarge { try unsafe OpenPack.prove(handle, sealed, uncompressedLength: uncompressedLength, with: context) }
            let bytes = UnsafeRawBufferPointer(sealed)
            // A blob as large as a pack gets its own: it would only make another one overflow.
            if sealed.count >= targetBytes {
                let pack = try OpenPack(try store.backend.openUpload(.pack))
                try unsafe pack.append(handle, bytes, uncompressedLength: uncompressedLength, isProven: true, with: context)
                try finish(pack, with: context)
                return
            }
            var full: [OpenPack] = []
            try (handle.type == .data ? data : trees).withOne { (slot) throws(RepositoryError) in
                if let pack = slot, !pack.hasRoom(for: bytes.count) {
                    full.append(pack)
                    slot = nil
                }
                let pack: OpenPack
                if let open = slot { pack = open } else { pack = try OpenPack(try store.backend.openUpload(.pack)) }
                slot = pack
                try unsafe pack.append(handle, bytes, uncompressedLength: uncompressedLength, isProven: isLarge, with: context)
                if pack.blobBytes >= targetBytes {
                    full.append(pack)
                    slot = nil
                }
            }
            for pack in full { try finish(pack, with: context) }
        } catch {
            line.stop(error)
            throw error
        }
    }

    /// Ends a pack and hands it to the writers.
    private func finish(_ pack: OpenPack, with context: WorkerContext) throws(RepositoryError) {
        let finished = try pack.finish(with: context)
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
        line.expect()
        if !queue.push(finished) { line.abandon() }
    }

    /// Publishes everything that was added, and the index of it. Of two open packs that fit into one, one is made.
    func flush() throws(RepositoryError) {
        do throws(RepositoryError) {
            try store.contexts.use { (context) throws(RepositoryError) in
                for pair in [data, trees] {
                    var packs = pair.takeAll().sorted { $0.blobBytes > $1.blobBytes }
                    if packs.count == 2, packs[0].blobBytes + packs[1].blobBytes <= targetBytes {
                        try packs[0].append(packs[1], with: context)
                        packs.removeLast()
                    }
                    for pack in packs { try finish(pack, with: context) }
                }
            }
        } catch {
            line.stop(error)
            throw error
        }
        try line.finish()
    }
}

/// The two open packs of one type, each behind its own lock.
private final class OpenPair: Sendable {
    private let first = Mutex<OpenPack?>(nil)
    private let second = Mutex<OpenPack?>(nil)

    /// Runs `body` on one of the two, chosen at random; on the other one when somebody is busy with it.
    func withOne(_ body: (inout OpenPack?) throws(RepositoryError) -> Void) throws(RepositoryError) {
        var generator = SystemRandomNumberGenerator()
        let isFirst = generator.next() & 1 == 0
        if try isFirst ? tried(first, body) : tried(second, body) { return }
        if try isFirst ? tried(second, body) : tried(first, body) { return }
        if isFirst { try run(first, body) } else { try run(second, body) }
    }

    private func run(
        _ slot: borrowing Mutex<OpenPack?>, _ body: (inout OpenPack?) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        try slot.withLock { (pack) throws(RepositoryError) -> Void in
            var own = pack
            defer { pack = own }
            try body(&own)
        }
    }

    private func tried(
        _ slot: borrowing Mutex<OpenPack?>, _ body: (inout OpenPack?) throws(RepositoryError) -> Void
    ) throws(RepositoryError) -> Bool {
        try slot.withLockIfAvailable { (pack) throws(RepositoryError) -> Void in
            var own = pack
            defer { pack = own }
            try body(&own)
        } != nil
    }

    /// The open packs; they are gone from here.
    func takeAll() -> [OpenPack] {
        [first.withLock { Self.take(&$0) }, second.withLock { Self.take(&$0) }].compactMap { $0 }
    }

    private static func take(_ pack: inout OpenPack?) -> OpenPack? {
        defer { pack = nil }
        return pack
    }
}
