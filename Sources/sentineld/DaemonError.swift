internal import Platform

/// Why the daemon cannot start or go on.
struct DaemonError: ExplainedError {
    let message: Phrase
    let hint: Phrase?
    /// True when starting again would only fail again.
    var isPermanent = true
}
