internal import BackupEngine
internal import Glibc
internal import Platform

/// Ctrl-C during long work: the first asks it to stop in order, the second ends the program at once.
final class Interruption: Sendable {
    let flag = CancellationFlag()

    init() {
        do {
            let signals = try SignalWatcher([.interrupt, .terminate])
            try OwnThread.start(name: "signals") { [flag] in
                while let received = try? signals.wait(timeoutSeconds: nil) {
                    if flag.isCancelled { _exit(128 + received.signal.rawValue) }
                    flag.cancel()
                }
            }
        } catch {
            // Without the watcher Ctrl-C ends the program as for any other: the repository is safe either way.
            return
        }
    }
}
