package import Platform

/// Where everything lies on disk: the table of the design, once for the system and once for `--state DIR`.
package struct StateLayout: Sendable, Equatable {
    /// True for the installed service, false for a directory that an ordinary user runs from.
    package let isSystem: Bool
    package let configuration: FilePath
    /// Ledger, baseline, history, batches, evidence.
    package let state: FilePath
    package let keys: FilePath
    package let socket: FilePath
    /// In order of rising precedence.
    package let playbooks: [FilePath]
    /// Private scratch directory of drills.
    package let scratch: FilePath

    package static let system = StateLayout(
        isSystem: true, configuration: "/etc/sentinel/sentinel.yaml", state: "/var/lib/sentinel",
        keys: "/var/lib/sentinel/keys", socket: "/run/sentinel/control.sock",
        playbooks: ["/usr/share/sentinel/playbooks", "/etc/sentinel/playbooks"], scratch: "/var/lib/sentinel/drills")

    /// Measurements.
    package var history: FilePath { state / "history.db" }
    /// Names and identities of the repositories, for commands that run while the daemon does not.
    package var repositories: FilePath { state / "repositories.json" }
    /// Notes of work that was done past the daemon.
    package var brokenGlass: FilePath { state / "broken-glass" }

    /// The layout below one directory.
    package static func directory(_ directory: FilePath) -> StateLayout {
        StateLayout(
            isSystem: false, configuration: directory / "sentinel.yaml", state: directory, keys: directory / "keys",
            socket: directory / "control.sock", playbooks: [directory / "playbooks"], scratch: directory / "drills")
    }
}
