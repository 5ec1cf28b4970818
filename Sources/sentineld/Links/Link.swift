internal import Platform

/// A channel to another process, seen from a task: values arrive as a stream, read by a thread of their own.
struct Link<Incoming: Decodable & Sendable>: Sendable {
    /// One value, and the descriptor that came with it.
    struct Arrival: Sendable {
        let value: Incoming
        /// Open, and owned by whoever takes it; nil when none came.
        let descriptor: Int32?
    }

    /// Ends when the other process closes its end or sends something that cannot be read.
    let arrivals: AsyncStream<Arrival>
    private let channel: Channel

    /// - Parameter name: Of the reading thread.
    init(_ channel: Channel, name: String) throws {
        self.channel = channel
        let (stream, continuation) = AsyncStream<Arrival>.makeStream()
        arrivals = stream
        try OwnThread.start(name: name) {
            defer { continuation.finish() }
            do {
                while var message = try channel.receive() {
                    let value: Incoming = try message.decode()
                    if let descriptor = message.takeDescriptor() {
                        continuation.yield(Arrival(value: value, descriptor: descriptor.release()))
                    } else {
                        continuation.yield(Arrival(value: value, descriptor: nil))
                    }
                }
            } catch {
                Journal.report(name, error)
            }
        }
    }

    /// Sends a value; the frame is small, and a peer that does not read is given up by the channel's time limit.
    func send(_ value: some Encodable) throws { try channel.send(value) }

    /// Ends the conversation: the stream finishes and the other process sees the end too.
    func close() { channel.shutDown() }
}
