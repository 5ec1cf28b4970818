internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// One received frame and the descriptor that came with it.
package struct ChannelMessage: ~Copyable {
    package let bytes: [UInt8]
    private var attached: FileDescriptor?

    init(bytes: [UInt8], descriptor: consuming FileDescriptor?) {
        self.bytes = bytes
        attached = descriptor
    }

    package var hasDescriptor: Bool { attached != nil }

    /// Hands the descriptor over; nil when none came, or when it was taken before. Untaken, it is closed with this value.
    package mutating func takeDescriptor() -> FileDescriptor? { attached.take() }

    /// The payload as JSON.
    ///
    /// - Throws: `.malformed`.
    package func decode<Value: Decodable>(as type: Value.Type = Value.self) throws(ChannelError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw ChannelError(.malformed, detail: escapedForDisplay("\(type)"))
        }
    }
}

/// Frames between two processes over a stream socket; see ``FrameParser`` for their form.
///
/// A frame carries at most one descriptor, attached to its first byte. Sending and receiving may happen on different threads
/// at once; both block, so they belong on own threads, not in tasks.
package final class Channel: Sendable {
    private struct Receiving: ~Copyable {
        var parser = FrameParser()
        var descriptor: FileDescriptor?
        var scratch = [UInt8](repeating: 0, count: 64 * 1024)
    }

    private let socket: FileDescriptor
    private let isSendable: Mutex<Bool>
    private let receiving = Mutex(Receiving())

    /// - Parameters:
    ///   - socket: One end of a connected AF_UNIX stream pair.
    ///   - sendLimitSeconds: A peer that reads nothing for so long is given up; nil waits for ever.
    package init(owning socket: consuming FileDescriptor, sendLimitSeconds: Double? = nil) throws(ChannelError) {
        ignoreBrokenPipes()
        if let limit = sendLimitSeconds {
            let seconds = Int(limit)
            let rest = Int((limit - Double(seconds)) * 1e6)
            let raw = socket.raw
            do {
                try systemCall("setsockopt SO_SNDTIMEO") { sentinel_set_send_limit(raw, seconds, rest) }
            } catch {
                throw ChannelError(.system, cause: error)
            }
        }
        self.socket = socket
        isSendable = Mutex(true)
    }

    /// Readable when a frame, or a part of one, or the end has come; for ``PollLoop``.
    package var descriptor: Int32 { socket.raw }

    /// Ends the conversation in both directions: a blocked `receive` returns nil, on either side. The descriptor itself lives on.
    package func shutDown() { Glibc.shutdown(socket.raw, Int32(SHUT_RDWR)) }

    // MARK: Sending

    /// Sends one frame of plain bytes.
    ///
    /// - Parameter descriptor: An open descriptor that the other process gets a duplicate of; it stays open here.
    /// - Throws: `.closed` when the peer is gone, `.oversized` (nothing was sent), `.timedOut`, `.system`.
    package func send(bytes: [UInt8], descriptor: Int32? = nil) throws(ChannelError) {
        let frame = try FrameParser.header(payloadBytes: bytes.count) + bytes
        try isSendable.withLock { (isSendable) throws(ChannelError) in
            if !isSendable { throw ChannelError(.closed) }
            do throws(SystemError) {
                try transmit(frame, descriptor: descriptor ?? -1)
            } catch {
                // Part of a frame may be on its way: anything after it would be misread.
                isSendable = false
                shutDown()
                if error.number == EPIPE || error.number == ECONNRESET { throw ChannelError(.closed, cause: error) }
                throw ChannelError(error.number == EAGAIN ? .timedOut : .system, cause: error)
            }
        }
    }

    /// Sends a value as JSON.
    package func send(_ value: some Encodable, descriptor: Int32? = nil) throws(ChannelError) {
        let bytes: [UInt8]
        do {
            bytes = Array(try JSONEncoder().encode(value))
        } catch {
            throw ChannelError(.malformed, detail: escapedForDisplay("\(type(of: value))"))
        }
        try send(bytes: bytes, descriptor: descriptor)
    }

    private func transmit(_ frame: [UInt8], descriptor: Int32) throws(SystemError) {
        var done = 0
        while done < frame.count {
            done += try systemCall("sendmsg") {
                unsafe frame.withUnsafeBytes { buffer in
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                    return unsafe sentinel_send(socket.raw, rest.baseAddress, rest.count, done == 0 ? descriptor : -1)
                }
            }
        }
    }

    // MARK: Receiving

    /// Receives one frame.
    ///
    /// - Parameter timeoutSeconds: Nil waits for ever; 0 takes what is there. What came of an incomplete frame is kept.
    /// - Returns: Nil when the peer has closed its end between two frames.
    /// - Throws: `.truncated` when it closed inside one, `.oversized`, `.unexpectedDescriptor`, `.timedOut`, `.system`.
    package func receive(timeoutSeconds: Double? = nil) throws(ChannelError) -> ChannelMessage? {
        let deadline = timeoutSeconds.map { Deadline(afterSeconds: $0) }
        var descriptor: FileDescriptor?
        let payload = try receiving.withLock { (state) throws(ChannelError) -> [UInt8]? in
            let payload = try readFrame(&state, until: deadline)
            if payload != nil { descriptor = state.descriptor.take() }
            return payload
        }
        guard let payload else { return nil }
        return ChannelMessage(bytes: payload, descriptor: descriptor)
    }

    /// Receives a value sent as JSON; a descriptor that came with it is closed.
    package func receive<Value: Decodable>(
        as type: Value.Type, timeoutSeconds: Double? = nil
    ) throws(ChannelError) -> Value? {
        guard let message = try receive(timeoutSeconds: timeoutSeconds) else { return nil }
        return try message.decode(as: type)
    }

    /// One recvmsg of at most `wanted` bytes; 0 at the end of the stream.
    private func receiveBytes(
        _ scratch: inout [UInt8], _ wanted: Int, _ descriptor: inout Int32, isStart: Bool, until deadline: Deadline?
    ) throws(ChannelError) -> Int {
        do throws(SystemError) {
            if deadline != nil, try !waitUntilReady(socket.raw, for: .reading, until: deadline) {
                throw SystemError("poll", ETIMEDOUT)
            }
            return try systemCall("recvmsg") {
                unsafe scratch.withUnsafeMutableBytes { buffer in
                    unsafe sentinel_receive(socket.raw, buffer.baseAddress, wanted, &descriptor)
                }
            }
        } catch {
            switch error.number {
            case ETIMEDOUT: throw ChannelError(.timedOut)
            case ECONNRESET: throw ChannelError(isStart ? .closed : .truncated, cause: error)
            default: throw ChannelError(.system, cause: error)
            }
        }
    }

    private func readFrame(_ state: inout Receiving, until deadline: Deadline?) throws(ChannelError) -> [UInt8]? {
        while true {
            // Never past the end of the frame: the next one's descriptor must come with the next one's first byte.
            let wanted = min(state.parser.missingBytes, state.scratch.count)
            let isStart = state.parser.isBetweenFrames
            var descriptor: Int32 = -1
            let count = try receiveBytes(&state.scratch, wanted, &descriptor, isStart: isStart, until: deadline)
            if descriptor >= 0 {
                let received = FileDescriptor(owning: descriptor)
                if !isStart { throw ChannelError(.unexpectedDescriptor) }
                state.descriptor = consume received
            }
            if count == 0 {
                if isStart { return nil }
                throw ChannelError(.truncated)
            }
            var bytes = state.scratch[..<count]
            if let payload = try state.parser.consume(&bytes) { return payload }
        }
    }
}

/// The two ends of a new connection. The end for another process is handed over by its ``Channel/descriptor``, then dropped here.
package struct ChannelPair: Sendable {
    package let first: Channel
    package let second: Channel

    /// Two connected AF_UNIX stream sockets, both close-on-exec. For the time limit see ``Channel/init(owning:sendLimitSeconds:)``.
    package static func make(sendLimitSeconds: Double? = nil) throws(ChannelError) -> ChannelPair {
        var ends: [Int32] = [-1, -1]
        do {
            try systemCall("socketpair") {
                unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends)
            }
        } catch {
            throw ChannelError(.system, cause: error)
        }
        let first = FileDescriptor(owning: ends[0])
        let second = FileDescriptor(owning: ends[1])
        return ChannelPair(
            first: try Channel(owning: first, sendLimitSeconds: sendLimitSeconds),
            second: try Channel(owning: second, sendLimitSeconds: sendLimitSeconds))
    }
}
