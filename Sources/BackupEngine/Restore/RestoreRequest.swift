package import Platform

/// What of a snapshot to restore, and how.
package struct RestoreOptions: Sendable {
    /// Only these, patterns as in ``PathPatterns`` over paths inside the snapshot; everything when empty.
    package var include: [String]
    /// Not these.
    package var exclude: [String]
    /// Reads every restored file back from the disk afterwards and compares content and metadata with the snapshot.
    package var verifies: Bool
    /// Leaves runs of zeros out of the files: they read the same and take no space.
    package var makesSparseFiles: Bool
    /// Threads that load, decrypt, decompress and write, 1...64.
    package var workerCount: Int

    package init(
        include: [String] = [], exclude: [String] = [], verifies: Bool = false, makesSparseFiles: Bool = false,
        workerCount: Int = 2
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

    package var filesRestored: UInt64 = 0
    package var directoriesRestored: UInt64 = 0
    /// Symbolic links, pipes and devices.
    package var othersRestored: UInt64 = 0
    /// Second and further names of a file.
    package var hardLinksRestored: UInt64 = 0
    package var bytesRestored: UInt64 = 0
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
}

/// How far a restore has come.
package struct RestoreProgress: Sendable {
    package enum Stage: Sendable { case restoring, verifying }
    package let stage: Stage
    package let filesDone: UInt64
    package let bytesDone: UInt64
    package let failures: Int
    /// The directory being worked on, inside the snapshot.
    package let current: FilePath
    package let secondsElapsed: Double
}
