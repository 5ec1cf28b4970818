internal import Glibc

/// A moment in time: seconds since 1970-01-01T00:00:00Z, and nanoseconds (0..<1 000 000 000) after it.
package struct Timestamp: Hashable, Sendable, Comparable, Codable {
    package var seconds: Int64
    package var nanoseconds: Int32

    package init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The wall clock, now.
    package static func now() -> Timestamp {
        var value = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &value)
        return Timestamp(seconds: Int64(value.tv_sec), nanoseconds: Int32(value.tv_nsec))
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// Seconds from `earlier` to `self`; negative when `self` comes first.
    package func seconds(since earlier: Timestamp) -> Double {
        Double(seconds - earlier.seconds) + Double(nanoseconds - earlier.nanoseconds) / 1e9
    }

    package func adding(seconds: Int64) -> Timestamp {
        Timestamp(seconds: self.seconds &+ seconds, nanoseconds: nanoseconds)
    }

    /// Milliseconds since 1970, the unit of the ledger.
    package var millisecondsSinceEpoch: Int64 { seconds * 1000 + Int64(nanoseconds) / 1_000_000 }

    package init(millisecondsSinceEpoch value: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 1000)
        self =
            remainder < 0
            ? Timestamp(seconds: quotient - 1, nanoseconds: Int32(remainder + 1000) * 1_000_000)
            : Timestamp(seconds: quotient, nanoseconds: Int32(remainder) * 1_000_000)
    }
}

/// A time scale that only goes forward, for durations and time limits.
package enum Monotonic {
    /// Nanoseconds since an arbitrary start; goes on while the machine is suspended.
    package static func nanoseconds() -> UInt64 {
        var value = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &value)
        return UInt64(value.tv_sec) * 1_000_000_000 + UInt64(value.tv_nsec)
    }
}
