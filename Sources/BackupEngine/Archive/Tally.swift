internal import Platform

/// What one thread has counted since it last told the others: counters behind a lock would be fought over for every file.
struct Tally {
    var sums = SnapshotSummary(backupStart: Timestamp(seconds: 0), backupEnd: Timestamp(seconds: 0))
    /// Bytes of files that are read or found unchanged, those of unfinished files included; for the progress.
    var bytesSeen: UInt64 = 0

    mutating func count(_ stored: StoredBlob, _ type: BlobType, plaintextBytes: Int) {
        if !stored.isNew { return }
        switch type {
        case .data: sums.dataBlobs += 1
        case .tree: sums.treeBlobs += 1
        }
        sums.dataAdded += UInt64(plaintextBytes)
        sums.dataAddedPacked += UInt64(stored.storedBytes)
    }

    mutating func countFile(_ change: ArchiveRun.Change, bytes: UInt64) {
        switch change {
        case .new: sums.filesNew += 1
        case .changed: sums.filesChanged += 1
        case .unmodified: sums.filesUnmodified += 1
        }
        sums.totalFilesProcessed += 1
        sums.totalBytesProcessed += bytes
    }

    mutating func countDirectory(_ change: ArchiveRun.Change) {
        switch change {
        case .new: sums.dirsNew += 1
        case .changed: sums.dirsChanged += 1
        case .unmodified: sums.dirsUnmodified += 1
        }
    }
}

extension SnapshotSummary {
    /// Adds the counters of another; the times stay.
    mutating func add(_ other: SnapshotSummary) {
        filesNew += other.filesNew
        filesChanged += other.filesChanged
        filesUnmodified += other.filesUnmodified
        dirsNew += other.dirsNew
        dirsChanged += other.dirsChanged
        dirsUnmodified += other.dirsUnmodified
        dataBlobs += other.dataBlobs
        treeBlobs += other.treeBlobs
        dataAdded += other.dataAdded
        dataAddedPacked += other.dataAddedPacked
        totalFilesProcessed += other.totalFilesProcessed
        totalBytesProcessed += other.totalBytesProcessed
    }
}

/// What one entry added to the repository.
struct Added: Sendable {
    var bytes: UInt64 = 0
    var storedBytes: UInt64 = 0

    mutating func add(_ other: Added) {
        bytes += other.bytes
        storedBytes += other.storedBytes
    }
}

extension SnapshotSummary {
    func added(since earlier: SnapshotSummary) -> Added {
        Added(bytes: dataAdded - earlier.dataAdded, storedBytes: dataAddedPacked - earlier.dataAddedPacked)
    }
}
