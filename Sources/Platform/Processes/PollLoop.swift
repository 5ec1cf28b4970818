internal import Glibc

/// The loop of a single-threaded process: descriptors and timers, one handler at a time.
///
/// Not thread-safe, on purpose: everything happens on the thread that calls ``run()``.
package final class PollLoop {
    /// Names a timer for ``cancel(_:)``.
    package struct TimerID: Hashable, Sendable { fileprivate let value: Int }

    private struct Timer {
        var deadline: Deadline
        var repeatSeconds: Double?
        var handler: () throws -> Void
    }

    private var handlers: [Int32: () throws -> Void] = [:]
    private var timers: [TimerID: Timer] = [:]
    private var lastTimer = 0
    private var isStopped = false

    package init() {}

    /// Calls `handler` whenever `descriptor` is readable, closed or broken. It must read, or the loop turns without rest.
    package func watch(_ descriptor: Int32, _ handler: @escaping () throws -> Void) { handlers[descriptor] = handler }

    /// Call it before the descriptor is closed: its number may come back as another file.
    package func unwatch(_ descriptor: Int32) { handlers[descriptor] = nil }

    /// Calls `handler` once after `seconds`, or again and again with `repeats`.
    @discardableResult
    package func schedule(afterSeconds seconds: Double, repeats: Bool = false, _ handler: @escaping () throws -> Void) -> TimerID {
        lastTimer += 1
        let id = TimerID(value: lastTimer)
        timers[id] = Timer(
            deadline: Deadline(afterSeconds: seconds), repeatSeconds: repeats ? max(seconds, 0.001) : nil, handler: handler)
        return id
    }

    package func cancel(_ timer: TimerID) { timers[timer] = nil }

    /// Makes ``run()`` return after the current handler.
    package func stop() { isStopped = true }

    /// Serves descriptors and timers until ``stop()``.
    ///
    /// - Throws: What a handler throws, and `SystemError` from poll.
    package func run() throws {
        isStopped = false
        while !isStopped { try turn(timeoutSeconds: nil) }
    }

    /// Waits once, at most `timeoutSeconds` (nil: until something happens), and serves what is due.
    package func turn(timeoutSeconds: Double?) throws {
        let limit = timeoutSeconds.map { Deadline(afterSeconds: $0) }
        let next = [limit, timers.values.map(\.deadline).min()].compactMap { $0 }.min()
        var entries = handlers.keys.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let timeout = next?.remainingMilliseconds ?? -1
        let count = unsafe poll(&entries, nfds_t(entries.count), timeout)
        if count < 0 {
            // A signal outside the signalfd's set; the caller's loop comes back.
            if errno == EINTR { return }
            throw SystemError("poll", errno)
        }
        for entry in entries where entry.revents != 0 && !isStopped {
            // A handler may have stopped watching a later descriptor.
            try handlers[entry.fd]?()
        }
        try serveTimers()
    }

    private func serveTimers() throws {
        let due = timers.filter { $0.value.deadline.isPast }.sorted { $0.value.deadline < $1.value.deadline }
        for (id, timer) in due where !isStopped && timers[id] != nil {
            if let seconds = timer.repeatSeconds {
                timers[id]?.deadline = Deadline(afterSeconds: seconds)
            } else {
                timers[id] = nil
            }
            try timer.handler()
        }
    }
}
