/// The kinds of findings that our detectors report. A kind is `area.what`; rules match it by name or by `area.*`.
package enum FindingKind {
    package static let fileChanged = "file.changed"
    /// Files are as approved again; recorded, no more.
    package static let fileRestored = "file.restored"
    /// The guard itself says that many files change at once; ``Correlation`` also concludes it from `file.changed`.
    package static let fileMassChange = "file.mass-change"
    package static let fileDecoyTouched = "file.decoy-touched"
    /// The watcher could not see for a while; the rescan that followed found no way to say what happened meanwhile.
    package static let watchBlind = "watch.blind"
    /// The approved baseline on disk has a root that no accept event names.
    package static let baselineTampered = "baseline.tampered"
    package static let ledgerTampered = "ledger.tampered"
    package static let serviceDown = "service.down"
    package static let serviceUp = "service.up"
    package static let diskLow = "disk.low"
    package static let diskNormal = "disk.normal"
    package static let backupFailed = "backup.failed"
    package static let backupIncomplete = "backup.incomplete"
    /// The newest usable snapshot of a job is older than the job's recovery point objective.
    package static let backupOverdue = "backup.overdue"
    package static let backupSucceeded = "backup.succeeded"
    package static let drillFailed = "drill.failed"
    package static let drillPassed = "drill.passed"
    /// A person reports something.
    package static let manual = "manual"
}
