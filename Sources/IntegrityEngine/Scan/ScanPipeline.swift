internal import Platform
internal import Synchronization

/// What became of one entry.
enum ScanResult {
    case pending
    case done(RecordReader.Outcome, ScanFinding?)
    case missed(FilePath, ScanFinding)
}

/// A run of entries that any number of threads work on, each taking the next one; their results stay in order.
@safe final class ScanChunk: @unchecked Sendable {
    static let capacity = 32
    let count: Int
    // Slot i belongs to the thread that drew i from `next`, until `finished` has counted it; then to the reader of the results.
    private let entries: UnsafeMutableBufferPointer<WalkEntry?>
    private let results: UnsafeMutableBufferPointer<ScanResult>
    private let next = Atomic<Int>(0)
    private let finished = Atomic<Int>(0)

    init(_ items: [ScanChunkItem]) {
        count = items.count
        unsafe entries = .allocate(capacity: items.count)
        unsafe results = .allocate(capacity: items.count)
        for (index, item) in items.enumerated() {
            switch item {
            case .entry(let entry):
                unsafe entries.initializeElement(at: index, to: entry)
                unsafe results.initializeElement(at: index, to: .pending)
            case .missed(let path, let finding):
                unsafe entries.initializeElement(at: index, to: nil)
                unsafe results.initializeElement(at: index, to: .missed(path, finding))
            }
        }
    }

    deinit {
        unsafe entries.deinitialize().deallocate()
        unsafe results.deinitialize().deallocate()
    }

    /// Works on entries until none is left to take.
    func work(_ reader: inout RecordReader) throws(CryptoError) {
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            if index >= count { return }
            if let entry = unsafe entries[index], let directory = entry.directory {
                // A failure of the hash library ends the scan, so that the slot is never asked for.
                let outcome = try reader.read(
                    entry.path, in: directory, kind: entry.kind, own: entry.own, prior: entry.prior,
                    listingFailure: entry.listingFailure)
                unsafe results[index] = .done(outcome, entry.finding)
                unsafe entries[index] = nil
            }
            finished.add(1, ordering: .acquiringAndReleasing)
        }
    }

    var isFinished: Bool { finished.load(ordering: .acquiring) == count }
    /// Only after ``isFinished``.
    func result(_ index: Int) -> ScanResult { unsafe results[index] }
}

enum ScanChunkItem {
    case entry(WalkEntry)
    case missed(FilePath, ScanFinding)
}

/// The queue between the walk, the hashing threads and the thread that takes the results in order.
final class ScanPipeline: Sendable {
    struct State {
        var chunks: [ScanChunk] = []
        /// Chunks before this one (counted from the first ever) are taken by the threads already.
        var firstNumber = 0
        var nextNumber = 0
        var isWalked = false
        var failure: (any Error)?
        var isStopped = false
    }
    /// At most this many chunks (32 entries each) wait for the one before them to be finished.
    private static let window = 512
    private let state = Monitor(State())
    private let stopped = Atomic<Bool>(false)

    var isStopped: Bool { stopped.load(ordering: .relaxed) }

    func stop(_ failure: (any Error)? = nil) {
        stopped.store(true, ordering: .relaxed)
        state.change { state in
            state.isStopped = true
            if state.failure == nil { state.failure = failure }
        }
    }

    func push(_ chunk: ScanChunk) {
        state.wait { (state) -> Void? in
            if !state.isStopped {
                if state.chunks.count >= Self.window { return nil }
                state.chunks.append(chunk)
            }
            return ()
        }
    }

    func endWalk() { state.change { $0.isWalked = true } }

    /// Runs on each hashing thread.
    func work(_ reader: inout RecordReader) {
        while true {
            let chunk: ScanChunk?? = state.wait { (state) -> ScanChunk?? in
                if state.isStopped { return .some(.none) }
                // The oldest chunk with entries left goes first; a thread that comes too late just moves on.
                let offset = state.nextNumber - state.firstNumber
                if offset < state.chunks.count { return state.chunks[offset] }
                return state.isWalked ? .some(.none) : .none
            }
            guard let chunk = chunk ?? nil else { return }
            do throws(CryptoError) {
                try chunk.work(&reader)
                state.change { state in
                    // Every entry of the chunk is taken; the first thread to notice moves everybody on.
                    let offset = state.nextNumber - state.firstNumber
                    if offset >= 0, offset < state.chunks.count, state.chunks[offset] === chunk { state.nextNumber += 1 }
                }
            } catch {
                return stop(error)
            }
        }
    }

    /// The next finished chunk in order; nil at the end of the walk or after a stop.
    func next() throws -> ScanChunk? {
        let result: ScanChunk?? = state.wait { (state) -> ScanChunk?? in
            if state.isStopped { return .some(.none) }
            if let first = state.chunks.first {
                if !first.isFinished { return nil }
                state.chunks.removeFirst()
                state.firstNumber += 1
                state.nextNumber = max(state.nextNumber, state.firstNumber)
                return first
            }
            return state.isWalked ? .some(.none) : .none
        }
        if let failure = state.read({ $0.failure }) { throw failure }
        return result ?? nil
    }
}
