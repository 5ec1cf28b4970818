internal import Glibc

/// A process that this one started and must reap. Used by one thread.
package final class ChildProcess {
    package let pid: Int32
    /// How it ended; nil until ``poll()`` or ``wait(timeoutSeconds:)`` has seen it.
    package private(set) var status: ExitStatus?

    init(pid: Int32) { self.pid = pid }

    /// Reaps the child if it has ended. Never blocks.
    ///
    /// - Returns: How it ended, or nil while it runs.
    @discardableResult
    package func poll() throws(SystemError) -> ExitStatus? {
        if let status { return status }
        var raw: Int32 = 0
        let reaped = try systemCall("waitpid") { unsafe waitpid(pid, &raw, WNOHANG) }
        if reaped == pid { status = ExitStatus(waitStatus: raw) }
        return status
    }

    /// Waits for the end at most so long; nil: for ever.
    ///
    /// - Returns: How it ended, or nil when it still runs.
    package func wait(timeoutSeconds: Double? = nil) throws(SystemError) -> ExitStatus? {
        let deadline = timeoutSeconds.map { Deadline(afterSeconds: $0) }
        var pauseMicroseconds: UInt32 = 200
        while true {
            if let status = try poll() { return status }
            if let deadline, deadline.isPast { return nil }
            usleep(pauseMicroseconds)
            pauseMicroseconds = min(20_000, pauseMicroseconds * 2)
        }
    }

    /// Sends a signal; nothing happens when the child has been reaped, as its number may be another's by now.
    package func signal(_ signal: ProcessSignal) throws(SystemError) {
        if try poll() != nil { return }
        try systemCall("kill") { kill(pid, signal.rawValue) }
    }

    /// SIGTERM, then SIGKILL for a child that has not ended after `graceSeconds`.
    package func terminate(graceSeconds: Double) throws(SystemError) -> ExitStatus {
        try signal(.terminate)
        if let status = try wait(timeoutSeconds: graceSeconds) { return status }
        try signal(.kill)
        // Only a process stuck in the kernel survives this; the caller then hears of it instead of hanging.
        if let status = try wait(timeoutSeconds: 10) { return status }
        throw SystemError("kill", ETIMEDOUT, subject: String(pid))
    }
}
