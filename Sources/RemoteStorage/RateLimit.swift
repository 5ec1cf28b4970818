internal import Platform
internal import Synchronization

/// Spreads bytes over time, shared by all connections: each piece is told how long to wait.
final class RateLimit: Sendable {
    /// A piece of a body; small enough that the wait for one is short.
    let pieceBytes: Int
    private let bytesPerSecond: Double
    /// When the bytes given so far are through, in monotonic nanoseconds.
    private let booked = Mutex<UInt64>(0)

    init(bytesPerSecond: Int) {
        self.bytesPerSecond = Double(max(bytesPerSecond, 1))
        pieceBytes = min(max(bytesPerSecond / 4, 1024), 256 << 10)
    }

    /// Books `bytes`.
    ///
    /// - Returns: Seconds until they may pass.
    func delaySeconds(for bytes: Int, now: UInt64 = Monotonic.nanoseconds()) -> Double {
        booked.withLock { booked in
            let start = max(booked, now)
            booked = start + UInt64(Double(bytes) / bytesPerSecond * 1e9)
            return Double(start - now) / 1e9
        }
    }
}
