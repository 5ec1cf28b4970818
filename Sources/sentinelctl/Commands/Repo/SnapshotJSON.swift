internal import BackupEngine
internal import Platform

/// A snapshot as restic's `--json` shows it: the fields of its file, then `id` and `short_id`.
struct SnapshotJSON: Encodable {
    let time: String
    let parent: String?
    let tree: String
    let paths: [String]
    let hostname, username: String?
    let uid, gid: UInt32?
    let excludes, tags: [String]?
    let original: String?
    let program_version: String?
    let summary: Summary?
    let id, short_id: String

    struct Summary: Encodable {
        let backup_start, backup_end: String
        let files_new, files_changed, files_unmodified, dirs_new, dirs_changed, dirs_unmodified: UInt64
        let data_blobs, tree_blobs, data_added, data_added_packed, total_files_processed, total_bytes_processed: UInt64

        init(_ summary: SnapshotSummary) {
            backup_start = summary.backupStart.rfc3339Local
            backup_end = summary.backupEnd.rfc3339Local
            files_new = summary.filesNew
            files_changed = summary.filesChanged
            files_unmodified = summary.filesUnmodified
            dirs_new = summary.dirsNew
            dirs_changed = summary.dirsChanged
            dirs_unmodified = summary.dirsUnmodified
            data_blobs = summary.dataBlobs
            tree_blobs = summary.treeBlobs
            data_added = summary.dataAdded
            data_added_packed = summary.dataAddedPacked
            total_files_processed = summary.totalFilesProcessed
            total_bytes_processed = summary.totalBytesProcessed
        }
    }

    init(_ snapshot: Snapshot) {
        time = snapshot.timeText
        parent = snapshot.parent?.hex
        tree = snapshot.tree.hex
        paths = snapshot.paths
        hostname = snapshot.hostname.isEmpty ? nil : snapshot.hostname
        username = snapshot.username.isEmpty ? nil : snapshot.username
        uid = snapshot.uid == 0 ? nil : snapshot.uid
        gid = snapshot.gid == 0 ? nil : snapshot.gid
        excludes = snapshot.excludes.isEmpty ? nil : snapshot.excludes
        tags = snapshot.tags.isEmpty ? nil : snapshot.tags
        original = snapshot.original?.hex
        program_version = snapshot.programVersion.isEmpty ? nil : snapshot.programVersion
        summary = snapshot.summary.map(Summary.init)
        id = snapshot.id.hex
        short_id = snapshot.id.short
    }
}
