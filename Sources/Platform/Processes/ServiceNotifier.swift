internal import Glibc

/// Messages to the service manager, as in sd_notify(3): one datagram of `NAME=value` lines to `NOTIFY_SOCKET`.
///
/// Without the variable every call returns false and does nothing.
package enum ServiceNotifier {
    /// The service answers; `Type=notify` waits for this.
    @discardableResult
    package static func ready(status: String? = nil) throws(SystemError) -> Bool {
        try send(["READY=1"] + statusLine(status))
    }

    /// The service begins to stop.
    @discardableResult
    package static func stopping(status: String? = nil) throws(SystemError) -> Bool {
        try send(["STOPPING=1"] + statusLine(status))
    }

    /// The configuration is being read again; ``ready(status:)`` ends this state.
    @discardableResult
    package static func reloading() throws(SystemError) -> Bool {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let microseconds = UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000
        return try send(["RELOADING=1", "MONOTONIC_USEC=\(microseconds)"])
    }

    /// One line for `systemctl status`.
    @discardableResult
    package static func status(_ text: String) throws(SystemError) -> Bool { try send(statusLine(text)) }

    /// Still alive; to be sent at least every half ``watchdogIntervalSeconds``.
    @discardableResult
    package static func watchdog() throws(SystemError) -> Bool { try send(["WATCHDOG=1"]) }

    /// After this time without ``watchdog()`` the service manager kills the service; nil when it does not watch this process.
    package static var watchdogIntervalSeconds: Double? {
        watchdogInterval(
            microseconds: environmentValue("WATCHDOG_USEC"), pid: environmentValue("WATCHDOG_PID"), ownPid: getpid())
    }

    static func watchdogInterval(microseconds: String?, pid: String?, ownPid: Int32) -> Double? {
        guard let microseconds, let value = UInt64(microseconds), value > 0 else { return nil }
        if let pid, Int32(pid) != ownPid { return nil }
        return Double(value) / 1e6
    }

    /// Sends `lines` as one datagram.
    ///
    /// - Parameter socket: An absolute path, or `@name` in the abstract namespace.
    /// - Returns: False when there is no socket to send to.
    @discardableResult
    static func send(_ lines: [String], to socket: String? = environmentValue("NOTIFY_SOCKET")) throws(SystemError) -> Bool {
        guard let name = socket, !name.isEmpty else { return false }
        guard name.hasPrefix("/") || name.hasPrefix("@") else {
            throw SystemError("sendto", EAFNOSUPPORT, subject: escapedForDisplay(name))
        }
        let address = try unixAddress(name)
        let descriptor = FileDescriptor(
            owning: try systemCall("socket") {
                Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            })
        let message = Array(lines.joined(separator: "\n").utf8)
        try systemCall("sendto") {
            unsafe message.withUnsafeBytes { bytes in
                unsafe address.withUnsafeBytes { address in
                    unsafe sendto(
                        descriptor.raw, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL),
                        address.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(address.count))
                }
            }
        }
        return true
    }

    /// The bytes of a `sockaddr_un`: the family, then the path. `@` stands for the NUL of an abstract name, which has no terminator.
    private static func unixAddress(_ name: String) throws(SystemError) -> [UInt8] {
        var path = Array(name.utf8)
        let isAbstract = path[0] == UInt8(ascii: "@")
        if isAbstract { path[0] = 0 } else { path.append(0) }
        if path.count > 108 { throw SystemError("sendto", ENAMETOOLONG, subject: escapedForDisplay(name)) }
        let family = UInt16(AF_UNIX)
        return unsafe withUnsafeBytes(of: family) { unsafe Array($0) } + path
    }

    /// A newline would begin another variable.
    private static func statusLine(_ text: String?) -> [String] {
        guard let text else { return [] }
        return ["STATUS=" + String(text.map { $0.isNewline ? " " : $0 })]
    }
}
