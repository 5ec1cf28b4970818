package import Platform

/// What to back up, and how.
package struct BackupRequest: Sendable {
    /// Which snapshot changes are detected against. Files that it shows unchanged are not read again.
    package enum Parent: Sendable {
        /// The newest snapshot that ``ParentGroup`` allows.
        case newest
        /// None: every file is read.
        case none
        case snapshot(Snapshot)
    }

    /// What the newest snapshot must have in common with the new one to be its parent.
    package struct ParentGroup: Sendable, Hashable {
        package var host: Bool
        /// All paths of the new one.
        package var paths: Bool
        /// All tags of the new one.
        package var tags: Bool

        package init(host: Bool = true, paths: Bool = true, tags: Bool = false) {
            self.host = host
            self.paths = paths
            self.tags = tags
        }
    }

    /// Files and directories, absolute or relative to the working directory.
    package var sources: [FilePath]
    /// Entries whose content is produced, beside or instead of what lies in ``sources``.
    package var streams: [StreamSource]
    package var streamFailure: StreamFailure
    /// Marks a snapshot that lacks something with ``Snapshot/incompleteTag``.
    package var tagsIncomplete: Bool
    /// Patterns in restic's language; see ``PathPatterns``. They are recorded in the snapshot.
    package var excludes: [String]
    /// Further patterns, which are not recorded.
    package var unrecordedExcludes: [String] = []
    /// Patterns without regard to case.
    package var caselessExcludes: [String] = []
    package var markers: [EntrySelection.Marker] = []
    package var largestFileBytes: UInt64?
    package var tags: [String]
    package var hostname: String
    /// The time of the snapshot; the start of the run when nil.
    package var time: Timestamp?
    package var parent: Parent
    package var parentGroup = ParentGroup()
    /// Threads that read, hash, compress and encrypt files, 1...64; nil for one per processor.
    package var workerCount: Int?
    /// Directories on another file system than their source are stored empty, as mount points.
    package var staysOnFileSystem: Bool
    package var detection = ChangeDetection()
    /// Stores the time of the last access, which makes most directories differ each time.
    package var withAccessTime = false
    /// Saves no snapshot when its tree is that of the parent.
    package var skipsUnchanged = false
    /// Reads, cuts and compresses, but stores nothing and takes no lock.
    package var isDryRun = false

    package init(
        sources: [FilePath], streams: [StreamSource] = [], streamFailure: StreamFailure = .endsRun, tagsIncomplete: Bool = false,
        excludes: [String] = [], tags: [String] = [], hostname: String, time: Timestamp? = nil,
        parent: Parent = .newest, workerCount: Int? = nil, staysOnFileSystem: Bool = false
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

    /// - Throws: `.invalidArgument` for a malformed pattern.
    package func selection() throws(RepositoryError) -> EntrySelection {
        try EntrySelection(
            excludes: excludes + unrecordedExcludes, caselessExcludes: caselessExcludes, markers: markers, largestFileBytes: largestFileBytes)
    }
}
