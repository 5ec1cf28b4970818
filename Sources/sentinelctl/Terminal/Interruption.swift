internal import BackupEngine
internal import Glibc

/// Ctrl-C during long work: the first asks it to stop in order, the second ends the program at once.
final class Interruption: Sendable {
    /// One for the process: a signal handler can reach nothing else, and whatever waits for a server or a lock looks at it.
    static let raised = CancellationFlag()

    var flag: CancellationFlag { Self.raised }

    init() {
        // Made before a handler can ask for it.
        _ = Self.raised.isCancelled
        for number in [SIGINT, SIGTERM] {
            // Handlers, not a signalfd: threads that exist already would still take the signal and die of it.
            let former = signal(number) { number in
                if Interruption.raised.isCancelled { _exit(128 + number) }
                Interruption.raised.cancel()
            }
            // What nohup or a shell's '&' had ignored stays ignored.
            if unsafe unsafeBitCast(former, to: Int.self) == 1 { _ = signal(number, SIG_IGN) }
        }
    }
}
