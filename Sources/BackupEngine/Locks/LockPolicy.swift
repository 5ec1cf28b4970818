package import Platform

/// How a repository object takes locks.
package struct LockPolicy: Sendable {
    /// How long to wait for locks of others to go; 0: fail at once.
    package var retrySeconds = 0.0
    /// Locks without a holder are removed when they are found, instead of standing in the way until a person comes.
    package var removesDead = true
    /// Told of each lock that was removed, from the thread that locks.
    package var onRemoved: (@Sendable (RemovedLock) -> Void)?
    /// Ends waiting for others.
    package var cancellation: CancellationFlag?
    /// Where processes of this machine note which locks they hold; nil for the standard places.
    package var recordDirectory: FilePath?
    var timing = LockTiming()

    package init() {}
}

/// A lock that had no holder and was removed.
package struct RemovedLock: Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable {
        /// A process of ours on this machine, since its last start, that is gone.
        case holderGone
        /// Nobody refreshed it for half an hour.
        case unrefreshed
    }

    package let id: Digest
    package let reason: Reason
    package let isExclusive: Bool
    package let hostname: String
    package let username: String
    package let pid: UInt64
    /// When its holder wrote it, by the holder's clock.
    package let time: Timestamp

    /// One line for a person.
    package var message: Phrase {
        let who = "PID \(pid) @ \(escapedForDisplay(hostname)) (\(escapedForDisplay(username)))"
        let since = CivilTime(local: time).display
        return switch reason {
        case .holderGone:
            Phrase(
                vi: "đã gỡ khóa \(id.short) của \(who) từ \(since): tiến trình giữ nó không còn",
                en: "removed lock \(id.short) of \(who) since \(since): its process is gone")
        case .unrefreshed:
            Phrase(
                vi: "đã gỡ khóa \(id.short) của \(who) từ \(since): hơn 30 phút không được làm mới",
                en: "removed lock \(id.short) of \(who) since \(since): not refreshed for more than 30 minutes")
        }
    }
}

/// Waits and limits of the lock protocol.
struct LockTiming: Sendable {
    /// Between writing the own lock and looking for others: two that start together see each other.
    var settleSeconds = 0.2
    var refreshSeconds = 300.0
    /// Without a refresh for this long others may soon take the lock for stale: writing must stop before they do.
    var lossSeconds = 1350.0
    /// A lock that stays the same while we look on for longer than any holder leaves it is not refreshed.
    var observationSeconds = 400.0
    /// Pauses between attempts to read a lock file that does not open.
    var unreadablePauseSeconds = [0.2, 1, 3]
    /// Between attempts to lock while others hold it; doubles up to the second.
    var retryPauseSeconds = 5.0
    var longestRetryPauseSeconds = 60.0
}
