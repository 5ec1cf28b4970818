internal import Platform

/// What the configuration in force says about responding: routes, jobs, people, playbooks. A value, so that one decision
/// never sees half of a reload.
package struct ResponsePolicy: Sendable {
    package let configuration: Configuration
    package let playbooks: PlaybookLibrary

    package init(configuration: Configuration, playbooks: PlaybookLibrary) {
        self.configuration = configuration
        self.playbooks = playbooks
    }

    /// The playbook for findings of `kind`; nil when none names it.
    func playbook(forTrigger kind: String) -> Playbook? {
        playbooks.playbooks.first { $0.triggers.contains(kind) }
    }

    /// Jobs whose snapshots hold something of the tree at `root`: sources in it, or around it.
    func jobs(covering root: FilePath) -> [String] {
        configuration.backup.jobs.filter { job in
            job.sources.contains { source in source.paths.contains { $0.isBelow(root) || root.isBelow($0) } }
        }.map(\.name)
    }

    /// Channels that hear of an incident of this severity, each once.
    func channels(for severity: Severity) -> [String] {
        var result: [String] = []
        for route in configuration.notify.routes where route.minimumSeverity <= severity {
            for channel in route.channels where !result.contains(channel) { result.append(channel) }
        }
        return result
    }
}
