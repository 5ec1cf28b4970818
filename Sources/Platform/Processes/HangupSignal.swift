internal import Glibc

/// SIGHUP, the signal of a closed terminal, with which stock restic asks whether the holder of a lock lives.
package enum HangupSignal {
    /// Lets SIGHUP pass without effect, unless the process has its own idea of it. Children begin with the default action again,
    /// which they would not if it were ignored.
    package static func makeHarmless() {
        // The default action is the null pointer; anything else is put back.
        if let previous = signal(SIGHUP, { _ in }) { signal(SIGHUP, previous) }
    }
}
