package import Platform

/// What to back up, and how.
package struct BackupRequest: Sendable {
    /// Which snapshot changes are detected against. Files that it shows unchanged are not read again.
    package enum Parent: Sendable {
        /// The newest snapshot of the same host and the same paths.
        case newest
        /// None: every file is read.
        case none
        case snapshot(Snapshot)
    }

    /// Files and directories, absolute or relative to the working directory.
    package var sources: [FilePath]
    /// Entries whose content is produced, beside or instead of what lies in ``sources``.
    package var streams: [StreamSource]
    package var streamFailure: StreamFailure
    /// Marks a snapshot that lacks something with ``Snapshot/incompleteTag``.
    package var tagsIncomplete: Bool
    /// Patterns in restic's language; see ``PathPatterns``.
    package var excludes: [String]
    package var tags: [String]
    package var hostname: String
    /// The time of the snapshot; the start of the run when nil.
    package var time: Timestamp?
    package var parent: Parent
    /// Threads that read, hash, compress and encrypt files, 1...64.
    package var workerCount: Int
    /// Directories on another file system than their source are stored empty, as mount points.
    package var staysOnFileSystem: Bool

    package init(
        sources: [FilePath], streams: [StreamSource] = [], streamFailure: StreamFailure = .endsRun, tagsIncomplete: Bool = false,
        excludes: [String] = [], tags: [String] = [], hostname: String, time: Timestamp? = nil,
        parent: Parent = .newest, workerCount: Int = 2, staysOnFileSystem: Bool = false
    ) {
        self.sources = sources
        self.streams = streams
        self.streamFailure = streamFailure
        self.tagsIncomplete = tagsIncomplete
        self.excludes = excludes
        self.tags = tags
        self.hostname = hostname
        self.time = time
        self.parent = parent
        self.workerCount = workerCount
        self.staysOnFileSystem = staysOnFileSystem
    }
}
