/// Opens an incident by hand.
package struct OpenIncident: Codable, Sendable {
    package var title: String
    /// `low`, `medium`, `high` or `critical`.
    package var severity: String
    package var playbook: String?
    package var asset: String?
    package var note: String?

    package init(title: String, severity: String, playbook: String?, asset: String?, note: String?) {
        self.title = title
        self.severity = severity
        self.playbook = playbook
        self.asset = asset
        self.note = note
    }
}

/// One thing a person does to an incident.
package struct IncidentAction: Codable, Sendable {
    package enum Verb: String, Codable, Sendable, CaseIterable { case note, assign, resolve, close, reopen }
    package var verb: Verb
    package var note: String?
    /// Who takes over, for `assign`: a name of `team.people`.
    package var assignee: String?

    package init(verb: Verb, note: String? = nil, assignee: String? = nil) {
        self.verb = verb
        self.note = note
        self.assignee = assignee
    }
}

/// What a person does with a playbook step.
package struct StepAction: Codable, Sendable {
    package enum Verb: String, Codable, Sendable, CaseIterable { case start, done, skip }
    package var verb: Verb
    package var note: String?
    /// The branch taken when a step has several successors.
    package var next: String?

    package init(verb: Verb, note: String? = nil, next: String? = nil) {
        self.verb = verb
        self.note = note
        self.next = next
    }
}

/// Accepts observed changes as the new approved state.
package struct AcceptChanges: Codable, Sendable {
    /// Paths, each with everything below it; base64 of the bytes, for names that are no UTF-8. Empty means all.
    package var pathsBase64: [String]
    package var note: String
    /// True when there is no approved state yet and this makes the first one.
    package var isBaseline: Bool

    package init(pathsBase64: [String], note: String, isBaseline: Bool) {
        self.pathsBase64 = pathsBase64
        self.note = note
        self.isBaseline = isBaseline
    }
}

/// Erases one free-text field of one event; two people must ask for it.
package struct RedactField: Codable, Sendable {
    package var sequence: Int64
    package var field: String
    package var reason: String

    package init(sequence: Int64, field: String, reason: String) {
        self.sequence = sequence
        self.field = field
        self.reason = reason
    }
}

/// Holds the snapshots of jobs because of an incident.
package struct PlaceHold: Codable, Sendable {
    package var incident: String
    /// Names of backup jobs; empty means all.
    package var jobs: [String]
    package var reason: String?

    package init(incident: String, jobs: [String], reason: String?) {
        self.incident = incident
        self.jobs = jobs
        self.reason = reason
    }
}

/// Ends a hold on snapshots.
package struct ReleaseHold: Codable, Sendable {
    package var id: String
    package var reason: String

    package init(id: String, reason: String) {
        self.id = id
        self.reason = reason
    }
}

/// Forgets snapshots of a repository of the configuration.
package struct ForgetSnapshots: Codable, Sendable {
    /// First digits of their IDs; empty: whatever the jobs' policies no longer keep.
    package var snapshots: [String]
    package var prunes: Bool
    package var isDryRun: Bool

    package init(snapshots: [String], prunes: Bool = false, isDryRun: Bool = false) {
        self.snapshots = snapshots
        self.prunes = prunes
        self.isDryRun = isDryRun
    }
}

/// Removes unused data from a repository of the configuration.
package struct PruneRepository: Codable, Sendable {
    /// Forgets by the policies first.
    package var forgets: Bool
    package var isDryRun: Bool

    package init(forgets: Bool, isDryRun: Bool = false) {
        self.forgets = forgets
        self.isDryRun = isDryRun
    }
}

/// A person's word about snapshots that do not look right.
package struct JudgeSnapshots: Codable, Sendable {
    /// First digits of their IDs; empty: all of the job that wait.
    package var snapshots: [String]
    package var isGood: Bool
    package var note: String?

    package init(snapshots: [String], isGood: Bool, note: String?) {
        self.snapshots = snapshots
        self.isGood = isGood
        self.note = note
    }
}

/// Says that the caller is about to work on a repository past the daemon.
package struct BreakGlass: Codable, Sendable {
    package var command: String
    package var repository: String
    package var reason: String
    package var snapshots: [String]

    package init(command: String, repository: String, reason: String, snapshots: [String]) {
        self.command = command
        self.repository = repository
        self.reason = reason
        self.snapshots = snapshots
    }
}
