package import Platform

/// What a backup did.
package struct BackupReport: Sendable {
    /// A path and what happened to it. Lists of them keep the first ``listLimit`` only.
    package typealias Item = (path: FilePath, reason: Phrase)
    package static let listLimit = 10_000

    /// The snapshot as it was saved, its ID included.
    package var snapshot: Snapshot
    /// False after a dry run, and when the snapshot would have been the same as its parent and that was to be left out; its ID is zero then.
    package var isSaved: Bool
    /// Counters with the meaning of restic's summary.
    package var summary: SnapshotSummary
    /// Files and directories that the snapshot lacks, or holds without all their metadata, because they could not be read.
    package var unreadable: [Item]
    /// Entries that ``unreadable`` would hold were it not bounded.
    package var omittedUnreadable: Int
    /// Files that are in the snapshot but changed size while they were read: their content is a mixture of two moments.
    package var changedWhileRead: [Item]
    /// What went wrong without loss for this snapshot, such as a damaged parent.
    package var notes: [Phrase]
    package var durationSeconds: Double

    package var snapshotID: Digest { snapshot.id }
    /// False when something that was asked for is missing; restic's exit status is then 3.
    package var isComplete: Bool { unreadable.isEmpty && omittedUnreadable == 0 }
}
