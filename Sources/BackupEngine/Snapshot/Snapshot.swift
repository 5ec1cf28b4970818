package import Platform

/// One backup: a moment, where it came from, and the root tree.
///
/// The fields are those of restic's snapshot files, in their order; see "Trees and Data" in restic's design document.
package struct Snapshot: Sendable, Hashable {
    /// SHA-256 of the stored file; zero until the snapshot has been saved.
    package var id: Digest
    /// Start of the backup.
    package var time: Timestamp
    /// Seconds east of UTC recorded with ``time``; retention computes days and weeks in it.
    package var utcOffsetSeconds: Int
    /// The snapshot that changes were detected against.
    package var parent: Digest?
    /// The root tree.
    package var tree: Digest
    /// Absolute paths that were backed up.
    package var paths: [String]
    package var hostname: String
    package var username: String
    package var uid: UInt32
    package var gid: UInt32
    package var excludes: [String]
    package var tags: [String]
    /// The first ID of a snapshot that has since been rewritten (new tags, other content).
    package var original: Digest?
    package var programVersion: String
    package var summary: SnapshotSummary?

    /// A snapshot to be saved. The offset is that of this process's zone at `time`.
    package init(
        time: Timestamp, parent: Digest? = nil, tree: Digest, paths: [String], hostname: String, username: String,
        uid: UInt32, gid: UInt32, excludes: [String] = [], tags: [String] = [], original: Digest? = nil,
        programVersion: String = Snapshot.writerVersion, summary: SnapshotSummary? = nil
    ) {
        id = .zero
        self.time = time
        utcOffsetSeconds = CivilTime(local: time).offsetSeconds
        self.parent = parent
        self.tree = tree
        self.paths = paths
        self.hostname = hostname
        self.username = username
        self.uid = uid
        self.gid = gid
        self.excludes = excludes
        self.tags = tags
        self.original = original
        self.programVersion = programVersion
        self.summary = summary
    }

    /// What this program writes into `program_version`.
    package static let writerVersion = "sentinel 0.1.0"

    /// The name a snapshot keeps through changes of its tags: the first ID it had.
    package var originalID: Digest { original ?? id }

    /// ``time`` in RFC 3339 with the offset that was recorded, as the snapshot file has it.
    package var timeText: String {
        var civil = CivilTime(utc: time.adding(seconds: Int64(utcOffsetSeconds)))
        civil.offsetSeconds = utcOffsetSeconds
        return civil.rfc3339
    }

    /// True when the snapshot has all of these tags. As in restic an empty tag means "no tags at all".
    package func hasTags(_ list: [String]) -> Bool {
        for tag in list {
            if tag.isEmpty && tags.isEmpty { return true }
            if !tags.contains(tag) { return false }
        }
        return true
    }
}

/// Counters of the backup that made a snapshot, as restic 0.17 and later record them.
package struct SnapshotSummary: Sendable, Hashable {
    package var backupStart: Timestamp
    package var backupEnd: Timestamp
    package var filesNew: UInt64 = 0
    package var filesChanged: UInt64 = 0
    package var filesUnmodified: UInt64 = 0
    package var dirsNew: UInt64 = 0
    package var dirsChanged: UInt64 = 0
    package var dirsUnmodified: UInt64 = 0
    /// New data blobs stored.
    package var dataBlobs: UInt64 = 0
    /// New tree blobs stored.
    package var treeBlobs: UInt64 = 0
    /// Plaintext bytes of new blobs.
    package var dataAdded: UInt64 = 0
    /// Bytes those blobs take in packs.
    package var dataAddedPacked: UInt64 = 0
    package var totalFilesProcessed: UInt64 = 0
    package var totalBytesProcessed: UInt64 = 0

    package init(backupStart: Timestamp, backupEnd: Timestamp) {
        self.backupStart = backupStart
        self.backupEnd = backupEnd
    }
}

/// Which snapshots a search looks at. Empty lists match everything.
package struct SnapshotFilter: Sendable, Hashable {
    /// The hostname must be one of these.
    package var hosts: [String]
    /// All of these must be among the paths of a snapshot.
    package var paths: [String]
    /// One of these lists must match; a list matches when all its tags are there (`[""]`: a snapshot without tags).
    package var tagLists: [[String]]

    package init(hosts: [String] = [], paths: [String] = [], tagLists: [[String]] = []) {
        self.hosts = hosts
        self.paths = paths
        self.tagLists = tagLists
    }

    package static let all = SnapshotFilter()

    /// True when it matches every snapshot.
    package var isEmpty: Bool { hosts.isEmpty && paths.isEmpty && tagLists.isEmpty }

    package func matches(_ snapshot: Snapshot) -> Bool {
        (hosts.isEmpty || hosts.contains(snapshot.hostname))
            && paths.allSatisfy(snapshot.paths.contains)
            && (tagLists.isEmpty || tagLists.contains(where: snapshot.hasTags))
    }
}
