internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Platform
internal import Synchronization

/// The head of an answer, and what came of its body.
struct RestAnswer: Sendable {
    var status = 0
    var headers = HTTPHeaders()
    /// Bytes of the body that came.
    var receivedBytes = 0
    /// The body, for ``BodyTarget/collect(limit:)``, and the first bytes of what comes with a failure.
    var body: [UInt8] = []
    /// For ``BodyTarget/compare(_:)``: everything so far was the same.
    var isEqual = true

    var isSuccess: Bool { (200..<300).contains(status) }
    /// The length the server announced; nil when it did not.
    var announcedBytes: Int? { headers.first(name: "content-length").flatMap { Int($0) } }
    /// The first word of the content type.
    var contentType: Substring { (headers.first(name: "content-type") ?? "").prefix { $0 != ";" && $0 != " " } }

    /// `Content-Range: bytes 0-9/100`: the first byte, and the size of the whole file when the server tells it.
    var range: (start: UInt64, total: UInt64?)? {
        guard let text = headers.first(name: "content-range"), text.hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let start = UInt64(parts[0].prefix { $0 != "-" }) else { return nil }
        return (start, UInt64(parts[1]))
    }
}

/// Where the body of a successful answer goes.
@safe enum BodyTarget {
    /// Into memory; longer ones are a failure.
    case collect(limit: Int)
    /// Into memory of the caller, who waits; nothing beyond its end.
    case fill(UnsafeMutableRawBufferPointer)
    /// Compared with what it should be.
    case compare([UInt8])
    case drop
}

/// Takes in one answer, on the event loop, and hands it to the thread that waits.
final class AnswerReader: HTTPClientResponseDelegate {
    typealias Response = RestAnswer

    /// The memory behind `.fill` belongs to the caller of ``RestClient/send(_:)``, who waits until ``close()``.
    @safe private struct State: @unchecked Sendable {
        var answer = RestAnswer()
        var target: BodyTarget
        var isOpen = true
    }

    private static let failureTextLimit = 200

    private let state: Mutex<State>
    private let limit: RateLimit?

    init(_ target: BodyTarget, limit: RateLimit?) {
        state = Mutex(State(target: target))
        self.limit = limit
    }

    /// After this no byte is written to the caller's memory, whatever still arrives.
    func close() { state.withLock { $0.isOpen = false } }

    func didReceiveHead(task: HTTPClient.Task<RestAnswer>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        let failure: (any Error)? = state.withLock { state in
            state.answer.status = Int(head.status.code)
            state.answer.headers = head.headers
            guard state.answer.isSuccess, let announced = state.answer.announcedBytes else { return nil }
            if case .collect(let limit) = state.target {
                if announced > limit { return AnswerTooLong(bytes: announced) }
                // One allocation for the whole body; an honest length is checked below, a lie costs a megabyte.
                state.answer.body.reserveCapacity(min(announced, 1 << 20))
            }
            return nil
        }
        if let failure { return task.eventLoop.makeFailedFuture(failure) }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<RestAnswer>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        let failure: (any Error)? = state.withLock { state in
            guard state.isOpen else { return nil }
            return unsafe part.withUnsafeReadableBytes { unsafe Self.take($0, &state) }
        }
        if let failure { return task.eventLoop.makeFailedFuture(failure) }
        let delay = limit?.delaySeconds(for: part.readableBytes) ?? 0
        guard delay > 0 else { return task.eventLoop.makeSucceededVoidFuture() }
        return task.eventLoop.scheduleTask(in: .nanoseconds(Int64(delay * 1e9))) {}.futureResult
    }

    private static func take(_ bytes: UnsafeRawBufferPointer, _ state: inout State) -> (any Error)? {
        let start = state.answer.receivedBytes
        state.answer.receivedBytes += bytes.count
        guard state.answer.isSuccess else {
            let room = failureTextLimit - state.answer.body.count
            unsafe state.answer.body.append(contentsOf: bytes.prefix(max(room, 0)))
            return nil
        }
        switch state.target {
        case .collect(let limit):
            if state.answer.receivedBytes > limit { return AnswerTooLong(bytes: state.answer.receivedBytes) }
            unsafe state.answer.body.append(contentsOf: bytes)
        case .fill(let memory):
            let room = max(0, memory.count - start)
            let fitting = unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(room))
            if fitting.count > 0 { unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(from: fitting) }
            if fitting.count < bytes.count { return AnswerTooLong(bytes: state.answer.receivedBytes) }
        case .compare(let expected):
            let end = start + bytes.count
            let isSame = unsafe end <= expected.count && expected[start..<end].elementsEqual(bytes)
            if !isSame { state.answer.isEqual = false }
        case .drop: break
        }
        return nil
    }

    func didFinishRequest(task: HTTPClient.Task<RestAnswer>) throws -> RestAnswer { state.withLock { $0.answer } }

    /// What had come when the request failed.
    var partial: RestAnswer { state.withLock { $0.answer } }
}

/// More bytes than were asked for.
struct AnswerTooLong: Error {
    let bytes: Int
}
