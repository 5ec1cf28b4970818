internal import Platform

/// What the threads of a ``PackWriter`` share: they store finished packs, and from time to time an index of them.
final class PublishingLine: Sendable {
    private struct State {
        /// Packs handed over and not yet on disk.
        var outstanding = 0
        var isHeld = false
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
    func hold(_ isHeld: Bool) { state.change { $0.isHeld = isHeld } }
    func expect() { state.change { $0.outstanding += 1 } }
    func abandon() { state.change { $0.outstanding -= 1 } }

    /// Stores one pack; on failure remembers why.
    func publish(_ pack: OpenPack.Finished) {
        defer { abandon() }
        if state.wait({ $0.isHeld && $0.failure == nil ? nil : $0.failure != nil }) { return }
        do throws(RepositoryError) {
            try store(pack)
        } catch {
            stop(error)
        }
    }

    private func store(_ pack: OpenPack.Finished) throws(RepositoryError) {
        let (id, entries) = (pack.id, pack.entries)
        try pack.upload.commit(as: id)
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
