/// Kinds of the events that the incident core writes. The subject of all `incident.` and `playbook.` events is the
/// incident's number, so that one query gives an incident's whole history.
package enum EventKind {
    package static let findingRecorded = "finding.recorded"
    package static let incidentOpened = "incident.opened"
    /// A finding joined an incident; carries the finding's sequence, key and condition.
    package static let incidentFinding = "incident.finding"
    /// An incident became worse, or one of another rule.
    package static let incidentEscalated = "incident.escalated"
    package static let incidentNoted = "incident.noted"
    package static let incidentAssigned = "incident.assigned"
    package static let incidentResolved = "incident.resolved"
    package static let incidentClosed = "incident.closed"
    package static let incidentReopened = "incident.reopened"
    package static let playbookAttached = "playbook.attached"
    package static let stepStarted = "playbook.step-started"
    package static let stepFinished = "playbook.step-finished"
    package static let stepSkipped = "playbook.step-skipped"
    package static let holdPlaced = "hold.placed"
    package static let holdReleased = "hold.released"
    package static let baselineAccepted = "baseline.accepted"
    package static let notificationQueued = "notification.queued"
    package static let notificationSent = "notification.sent"
    package static let notificationFailed = "notification.failed"
    package static let jobStarted = "job.started"
    package static let jobFinished = "job.finished"
    package static let drillFinished = "drill.finished"
    /// A repository was seen for the first time, or another one in its place. The subject of all `repository.`, `snapshot.`
    /// and `upkeep.` events is the repository's name.
    package static let repositoryEnrolled = "repository.enrolled"
    /// Key files came or went.
    package static let repositoryKeys = "repository.keys"
    /// The lock of a dead process was removed.
    package static let repositoryLockRemoved = "repository.lock-removed"
    /// A snapshot entered the record: its receipt.
    package static let snapshotReceived = "snapshot.received"
    package static let snapshotApproved = "snapshot.approved"
    package static let snapshotRejected = "snapshot.rejected"
    /// Decided and permitted, then deleted.
    package static let snapshotForgotten = "snapshot.forgotten"
    /// Snapshots that a listing no longer has although nobody here forgot them.
    package static let snapshotsGone = "snapshot.gone"
    /// Snapshots that a listing has again.
    package static let snapshotsBack = "snapshot.back"
    package static let upkeepFinished = "upkeep.finished"
    /// Somebody worked past the daemon.
    package static let glassBroken = "glass.broken"
    /// A person was refused something; written by the control socket.
    package static let accessRefused = "access.refused"
}
