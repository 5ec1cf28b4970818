internal import BackupEngine
internal import Platform

/// One snapshot as it lies in a repository, small enough to travel by the thousand.
package struct SnapshotFacts: Codable, Sendable, Equatable {
    package var id: String
    /// `original ?? id`: the name that survives new tags.
    package var original: String
    package var tree: String
    /// What the snapshot says of itself; anybody who can write to the repository can forge it.
    package var takenMilliseconds: Int64
    package var host: String
    /// By its `job:NAME` tag.
    package var job: String?
    package var isIncomplete: Bool
    package var files: Int64
    package var bytes: Int64
    /// New data before and after compression.
    package var added: Int64
    package var stored: Int64

    package init(
        id: String, original: String, tree: String, takenMilliseconds: Int64, host: String = "", job: String? = nil,
        isIncomplete: Bool = false, files: Int64 = 0, bytes: Int64 = 0, added: Int64 = 0, stored: Int64 = 0
    ) {
        self.id = id
        self.original = original
        self.tree = tree
        self.takenMilliseconds = takenMilliseconds
        self.host = host
        self.job = job
        self.isIncomplete = isIncomplete
        self.files = files
        self.bytes = bytes
        self.added = added
        self.stored = stored
    }

    init(_ snapshot: Snapshot) {
        let prefix = BackupOrder.tag(for: "")
        self.init(
            id: snapshot.id.hex, original: snapshot.originalID.hex, tree: snapshot.tree.hex,
            takenMilliseconds: snapshot.time.millisecondsSinceEpoch, host: snapshot.hostname,
            job: snapshot.tags.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) },
            isIncomplete: snapshot.tags.contains(Snapshot.incompleteTag))
        guard let summary = snapshot.summary else { return }
        files = Int64(clamping: summary.totalFilesProcessed)
        bytes = Int64(clamping: summary.totalBytesProcessed)
        added = Int64(clamping: summary.dataAdded)
        stored = Int64(clamping: summary.dataAddedPacked)
    }
}

/// A lock without a holder that was removed.
package struct LockFacts: Codable, Sendable, Equatable {
    package var id: String
    package var host: String
    package var pid: Int64
    /// `holderGone` or `unrefreshed`.
    package var reason: String

    init(_ lock: RemovedLock) {
        id = lock.id.hex
        host = lock.hostname
        pid = Int64(clamping: lock.pid)
        reason = lock.reason.rawValue
    }
}

/// How full the file system of a local repository is.
package struct SpaceFacts: Codable, Sendable, Equatable {
    package var freeBytes: Int64
    package var totalBytes: Int64

    package init(freeBytes: Int64, totalBytes: Int64) {
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
    }

    /// nil where it cannot be asked: the backup itself will say what is wrong.
    init?(of directory: FilePath) {
        guard let space = try? FileSystemSpace.of(directory) else { return nil }
        self.init(freeBytes: Int64(clamping: space.freeBytes), totalBytes: Int64(clamping: space.totalBytes))
    }
}

/// What the job process saw in a repository while it worked there. Everything that the record concludes comes from this.
package struct RepositoryObservation: Codable, Sendable, Equatable {
    package var repository: String
    /// The random identity in `config`: another one is another repository.
    package var repositoryID: String
    /// Every snapshot file, by ID.
    package var snapshots: [String]
    /// Those that the ledger did not know yet, as far as they can be read.
    package var unknown: [SnapshotFacts]
    /// Snapshot files that do not open.
    package var unreadable: Int
    package var keys: [String]
    /// Locks without a holder that were removed.
    package var locksRemoved: [LockFacts]
    package var space: SpaceFacts?
    /// True when only ``unknown`` says something: the repository could not be listed.
    package var isPartial = false

    /// New snapshots read at one visit: a listing must not take hours because somebody filled the repository with files.
    static let readLimit = 5000

    package init(
        repository: String, repositoryID: String, snapshots: [String], unknown: [SnapshotFacts], unreadable: Int = 0,
        keys: [String] = [], locksRemoved: [LockFacts] = [], space: SpaceFacts? = nil
    ) {
        self.repository = repository
        self.repositoryID = repositoryID
        self.snapshots = snapshots
        self.unknown = unknown
        self.unreadable = unreadable
        self.keys = keys
        self.locksRemoved = locksRemoved
        self.space = space
    }

    /// Looks at a repository.
    ///
    /// - Parameter known: IDs of snapshots that need not be read again.
    init(
        _ reference: RepositoryReference, _ repository: Repository, known: Set<String>, locksRemoved: [LockFacts]
    ) throws(RepositoryError) {
        let ids = try repository.snapshotIDs()
        var unknown: [SnapshotFacts] = []
        var unreadable = 0
        for id in ids.filter({ !known.contains($0.hex) }).prefix(Self.readLimit) {
            do throws(RepositoryError) {
                unknown.append(SnapshotFacts(try repository.loadSnapshot(id)))
            } catch {
                // Gone between listing and reading is no damage; the next listing will say so.
                if error.code != .missing { unreadable += 1 }
            }
        }
        self.init(
            repository: reference.name, repositoryID: repository.configuration.id, snapshots: ids.map(\.hex), unknown: unknown,
            unreadable: unreadable, keys: try repository.keyIDs().map(\.hex), locksRemoved: locksRemoved,
            space: reference.directory.flatMap { SpaceFacts(of: $0) })
    }
}
