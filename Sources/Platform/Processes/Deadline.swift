internal import Glibc

/// A point on the monotonic clock at which waiting ends.
package struct Deadline: Sendable, Hashable, Comparable {
    private let nanoseconds: UInt64

    /// - Parameter seconds: Negative and NaN mean now; anything beyond a century means a century.
    package init(afterSeconds seconds: Double) {
        let bounded = seconds > 0 ? min(seconds, 3.2e9) : 0
        nanoseconds = Monotonic.nanoseconds() + UInt64(bounded * 1e9)
    }

    package static func < (left: Deadline, right: Deadline) -> Bool { left.nanoseconds < right.nanoseconds }

    package var isPast: Bool { remainingSeconds <= 0 }

    package var remainingSeconds: Double {
        let now = Monotonic.nanoseconds()
        return nanoseconds > now ? Double(nanoseconds - now) / 1e9 : 0
    }

    /// The rest as poll(2) takes it, rounded up so that waiting once is enough.
    var remainingMilliseconds: Int32 { Int32(clamping: Int64((remainingSeconds * 1000).rounded(.up))) }
}

/// What to wait for on a descriptor.
package enum Readiness: Sendable { case reading, writing }

/// Waits until `descriptor` is ready; also true when its other end is closed or it is broken, as reading then says so.
///
/// - Returns: False when the deadline has passed.
package func waitUntilReady(
    _ descriptor: Int32, for readiness: Readiness, until deadline: Deadline?
) throws(SystemError) -> Bool {
    while true {
        var entry = pollfd(fd: descriptor, events: Int16(readiness == .reading ? POLLIN : POLLOUT), revents: 0)
        let timeout = deadline?.remainingMilliseconds ?? -1
        let count = try systemCall("poll") { unsafe poll(&entry, 1, timeout) }
        if count > 0 { return true }
        if let deadline, deadline.isPast { return false }
    }
}
