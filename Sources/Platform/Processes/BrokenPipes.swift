internal import Glibc

private let ignored: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

/// Makes a write to a closed pipe or socket fail with EPIPE instead of ending the process. Children are not affected: spawning resets it.
package func ignoreBrokenPipes() { _ = ignored }
