package import Platform

/// What of a snapshot to restore, and how.
package struct RestoreOptions: Sendable {
    /// What happens to files that are there already; the names and meanings are restic's.
    package enum Overwrite: String, Sendable, CaseIterable {
        /// They get the content of the snapshot; parts that have it already are not written again.
        case always
        /// The same, and a file of the same size and modification time is not even read.
        case ifChanged = "if-changed"
        /// Only those that are older than in the snapshot.
        case ifNewer = "if-newer"
        /// They stay as they are.
        case never
    }

    /// Only these, patterns as in ``PathPatterns`` over paths inside the snapshot; everything when empty.
    package var include: [String]
    /// Not these.
    package var exclude: [String]
    /// The same as ``include`` and ``exclude``, upper and lower case being equal.
    package var includeIgnoringCase: [String] = []
    package var excludeIgnoringCase: [String] = []
    /// Only what lies in this directory of the snapshot, which becomes the target itself.
    package var subfolder: FilePath = "/"
    package var overwrite = Overwrite.always
    /// Removes what lies in restored directories, is selected by the patterns and is not in the snapshot.
    package var deletes = false
    /// Writes nothing; the report says what would have been done.
    package var isDryRun = false
    /// Reads every restored file back from the disk afterwards and compares content and metadata with the snapshot.
    package var verifies: Bool
    /// Leaves runs of zeros out of the files: they read the same and take no space.
    package var makesSparseFiles: Bool
    /// Extended attributes to restore, by patterns over their names; all when empty.
    package var includeAttributes: [String] = []
    /// Extended attributes not to restore.
    package var excludeAttributes: [String] = []
    /// Returns only when everything is on the disk: a power cut afterwards takes nothing back.
    package var isDurable = true
    /// Threads that load, decrypt, decompress and write, 1...64; 0 for one per processor, or per connection of a remote repository.
    package var workerCount: Int

    package init(
        include: [String] = [], exclude: [String] = [], verifies: Bool = false, makesSparseFiles: Bool = false,
        workerCount: Int = 0
    ) {
        self.include = include
        self.exclude = exclude
        self.verifies = verifies
        self.makesSparseFiles = makesSparseFiles
        self.workerCount = workerCount
    }
}

/// What a restore did.
package struct RestoreReport: Sendable {
    /// A path inside the snapshot and what happened to it.
    package typealias Item = (path: FilePath, reason: Phrase)
    package static let listLimit = 10_000

    /// Everything that was selected, skipped files left out.
    package var entriesTotal: UInt64 = 0
    package var bytesTotal: UInt64 = 0
    /// Regular files whose content was written, the empty ones included.
    package var filesRestored: UInt64 = 0
    /// Those among them that were there before with other content.
    package var filesUpdated: UInt64 = 0
    package var directoriesRestored: UInt64 = 0
    /// Symbolic links, pipes and devices.
    package var othersRestored: UInt64 = 0
    /// Second and further names of a file.
    package var hardLinksRestored: UInt64 = 0
    /// Sizes of the files in ``filesRestored``.
    package var bytesRestored: UInt64 = 0
    /// Entries that were left as they are, or whose content was right already.
    package var filesSkipped: UInt64 = 0
    package var bytesSkipped: UInt64 = 0
    /// Entries that were removed because the snapshot does not have them.
    package var filesDeleted: UInt64 = 0
    /// Sockets, which no program restores.
    package var socketsSkipped: UInt64 = 0
    /// Owners, devices and attributes that only root may set; ignored for everybody else.
    package var metadataSkipped: UInt64 = 0
    package var filesVerified: UInt64 = 0
    package var bytesVerified: UInt64 = 0
    /// What is missing, incomplete or different from the snapshot; the first ``listLimit`` entries.
    package var failures: [Item] = []
    package var omittedFailures = 0
    package var durationSeconds: Double = 0

    package var isComplete: Bool { failures.isEmpty && omittedFailures == 0 }
    /// Entries of all kinds that were brought back.
    package var entriesRestored: UInt64 { filesRestored + directoriesRestored + othersRestored + hardLinksRestored }
}

/// How far a restore has come.
package struct RestoreProgress: Sendable {
    package enum Stage: Sendable { case restoring, verifying }
    package let stage: Stage
    package let filesDone: UInt64
    package let bytesDone: UInt64
    package let filesSkipped: UInt64
    package let bytesSkipped: UInt64
    package let filesDeleted: UInt64
    /// Entries and bytes of the whole restore, skipped ones included; 0 while it is not known.
    package let entriesTotal: UInt64
    package let bytesTotal: UInt64
    package let failures: Int
    /// The directory being worked on, inside the snapshot.
    package let current: FilePath
    package let secondsElapsed: Double

    /// 0...1.
    package var share: Double {
        if bytesTotal > 0 { return min(1, Double(bytesDone + bytesSkipped) / Double(bytesTotal)) }
        return entriesTotal > 0 ? min(1, Double(filesDone + filesSkipped) / Double(entriesTotal)) : 0
    }
}

/// One entry that a restore is done with, for those who want to see each.
package struct RestoredItem: Sendable {
    package enum Action: String, Sendable { case restored, updated, unchanged, deleted }
    package let action: Action
    /// Inside the snapshot.
    package let path: FilePath
    /// Bytes of content; 0 for everything but files.
    package let size: UInt64
}
