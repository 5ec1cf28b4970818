internal import CLinux
internal import Glibc

/// The signals the daemon's processes understand; raw values are the numbers of Linux on x86-64 and arm64.
package enum ProcessSignal: Int32, Sendable, Hashable, CaseIterable, Codable {
    case hangup = 1
    case interrupt = 2
    case kill = 9
    case user1 = 10
    case user2 = 12
    case terminate = 15
    case child = 17
}

/// Signals as readable events: blocked for the process, delivered through a signalfd.
///
/// Made before the second thread exists: later threads inherit the mask, earlier ones would still be interrupted.
/// Several pending signals of one kind arrive as one, so SIGCHLD means "reap all children", not "reap one".
package final class SignalWatcher: Sendable {
    /// One delivered signal.
    package struct Received: Sendable, Equatable {
        package let signal: ProcessSignal
        /// The sender; 0 for the kernel.
        package let senderPid: UInt32
        package let senderUid: UInt32
    }

    private let descriptorValue: FileDescriptor

    /// Readable when a signal is pending; for ``PollLoop``.
    package var descriptor: Int32 { descriptorValue.raw }

    /// Blocks `signals` and ignores SIGPIPE: a write to a closed pipe is an error value, not the end of the daemon.
    package init(_ signals: [ProcessSignal] = [.terminate, .interrupt, .hangup, .child]) throws(SystemError) {
        ignoreBrokenPipes()
        let numbers = signals.map(\.rawValue)
        descriptorValue = FileDescriptor(
            owning: try systemCall("signalfd") {
                unsafe numbers.withUnsafeBufferPointer { unsafe sentinel_signal_descriptor($0.baseAddress, Int32($0.count)) }
            })
    }

    /// The next pending signal, or nil when there is none. Never blocks.
    package func next() throws(SystemError) -> Received? {
        while true {
            var pid: UInt32 = 0
            var uid: UInt32 = 0
            do {
                let number = try systemCall("read signalfd") { unsafe sentinel_next_signal(descriptorValue.raw, &pid, &uid) }
                guard let signal = ProcessSignal(rawValue: number) else { continue }
                return Received(signal: signal, senderPid: pid, senderUid: uid)
            } catch {
                if error.number == EAGAIN { return nil }
                throw error
            }
        }
    }

    /// Waits for the next signal.
    ///
    /// - Returns: Nil when `timeoutSeconds` are over.
    package func wait(timeoutSeconds: Double? = nil) throws(SystemError) -> Received? {
        let deadline = timeoutSeconds.map { Deadline(afterSeconds: $0) }
        while true {
            if let received = try next() { return received }
            guard try waitUntilReady(descriptorValue.raw, for: .reading, until: deadline) else { return nil }
        }
    }

    /// Every signal from now on, read by a thread of its own that lives as long as the process. Call it once.
    package func stream() throws(SystemError) -> AsyncStream<ProcessSignal> {
        let (stream, continuation) = AsyncStream.makeStream(of: ProcessSignal.self, bufferingPolicy: .bufferingNewest(64))
        try OwnThread.start(name: "signals") { [self] in
            // A signalfd that cannot be read can only be our own mistake; the stream then ends, which ends the role.
            while let received = try? wait() { continuation.yield(received.signal) }
            continuation.finish()
        }
        return stream
    }
}
