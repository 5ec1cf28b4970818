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
    /// The backup stopped because its repository's file system reached the floor.
    package static let backupFloor = "backup.floor"
    /// A snapshot lost most of its content or of its compressibility; a person must say what it is.
    package static let snapshotImplausible = "snapshot.implausible"
    /// A snapshot was taken while an alarm is open. Recorded; the alarm itself is the incident.
    package static let snapshotSuspect = "snapshot.suspect"
    /// Nothing waits for a person's word any more.
    package static let snapshotsSettled = "snapshot.settled"
    /// Snapshots that a hold protects are gone, and not by us.
    package static let snapshotVanished = "snapshot.vanished"
    /// Other snapshots are gone, and not by us: stock restic may have forgotten them. Recorded.
    package static let snapshotRemoved = "snapshot.removed"
    /// A key file that the record does not know: a new password for everything in the repository.
    package static let repositoryKeyAdded = "repository.key-added"
    /// At the place of a repository lies another one.
    package static let repositoryReplaced = "repository.replaced"
    /// By the trend of its free space a repository will soon be full.
    package static let repositoryFilling = "repository.filling"
    package static let repositoryRoomy = "repository.roomy"
    package static let upkeepFailed = "upkeep.failed"
    package static let upkeepSucceeded = "upkeep.succeeded"
    /// Somebody deleted past the daemon.
    package static let glassBroken = "glass.broken"
    package static let drillFailed = "drill.failed"
    package static let drillPassed = "drill.passed"
    /// A person reports something.
    package static let manual = "manual"
}
