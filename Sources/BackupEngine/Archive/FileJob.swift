internal import Platform

/// What the walker hands to the workers.
enum Work: Sendable {
    /// Small files, several at a time: a queue operation for each would cost more than some of them.
    case files([FileJob])
    /// A part of a large file.
    case segment(SegmentedFile, Int)
}

/// A file on its way to a worker.
struct FileJob: Sendable {
    let directory: HeldDescriptor
    let directoryPath: FilePath
    let name: [UInt8]
    let nodeName: [UInt8]
    /// As the walker saw it.
    let status: FileStatus
    let builder: DirectoryBuilder
    let slot: Int
    let previous: Node?

    var path: FilePath { directoryPath.appending(name) }
}

/// A file whose segments are read, cut and stored by several workers at once.
final class SegmentedFile: Sendable {
    /// Bytes of a segment: several chunks of average size. More would keep more memory in each worker, fewer would read more bytes twice.
    static let segmentBytes = 4 << 20
    /// Smaller files are read by one worker: there are others to read beside them.
    static let smallestBytes: UInt64 = 4 * UInt64(segmentBytes)

    enum Failure: Sendable {
        /// It cannot be read; the run goes on.
        case unreadable(SystemError)
        /// The run is lost and has been told so.
        case stopped
    }

    private struct State {
        /// Where the first chunk of each segment begins in the file.
        var starts: [UInt64?]
        var contents: [[Digest]]
        var unfinished: Int
        var failure: Failure?
        var sizeBytes: UInt64 = 0
        var added = Added()
    }

    let job: FileJob
    let file: HeldDescriptor
    let began = Monotonic.nanoseconds()
    let count: Int
    private let state: Monitor<State>

    /// - Parameter status: Of the open file.
    init(_ job: FileJob, _ file: HeldDescriptor) {
        self.job = job
        self.file = file
        let segment = UInt64(Self.segmentBytes)
        count = Int((job.status.sizeBytes + segment - 1) / segment)
        var starts = [UInt64?](repeating: nil, count: count)
        starts[0] = 0
        state = Monitor(
            State(starts: starts, contents: Array(repeating: [], count: count), unfinished: count))
    }

    func isLast(_ segment: Int) -> Bool { segment == count - 1 }

    /// Waits until the segment before has settled its chunks; nil when the file is lost.
    ///
    /// Segments are taken from the queue in order, and none waits for a later one: the wait ends.
    func start(of segment: Int) -> UInt64? {
        state.wait { (state) -> UInt64?? in
            if state.failure != nil { return .some(nil) }
            return state.starts[segment].map { .some($0) }
        } ?? nil
    }

    func settle(startOfNext start: UInt64, after segment: Int) {
        state.change { if segment + 1 < $0.starts.count { $0.starts[segment + 1] = start } }
    }

    func fail(_ failure: Failure) { state.change { if $0.failure == nil { $0.failure = failure } } }

    /// Everything about a file of which all segments are done.
    struct Outcome {
        let content: [Digest]
        let sizeBytes: UInt64
        let failure: Failure?
        let added: Added
    }

    /// - Returns: The whole file, to the one who finished its last open segment.
    func finish(_ segment: Int, _ content: [Digest], sizeBytes: UInt64, added: Added) -> Outcome? {
        state.change { state in
            state.contents[segment] = content
            state.sizeBytes += sizeBytes
            state.added.add(added)
            state.unfinished -= 1
            if state.unfinished > 0 { return nil }
            return Outcome(
                content: Array(state.contents.joined()), sizeBytes: state.sizeBytes, failure: state.failure, added: state.added)
        }
    }
}
