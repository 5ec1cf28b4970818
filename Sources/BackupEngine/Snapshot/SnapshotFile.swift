internal import Platform

/// Snapshot files: JSON in the order and with the omissions of restic; see "Trees and Data" in restic's design document.
enum SnapshotFile {
    static func encode(_ snapshot: Snapshot) -> [UInt8] {
        var text = JSONText()
        text.beginObject()
        text.key("time")
        text.time(snapshot.time, utcOffsetSeconds: snapshot.utcOffsetSeconds)
        if let parent = snapshot.parent {
            text.key("parent")
            text.digest(parent)
        }
        text.key("tree")
        text.digest(snapshot.tree)
        text.key("paths")
        text.strings(snapshot.paths)
        if !snapshot.hostname.isEmpty {
            text.key("hostname")
            text.string(snapshot.hostname)
        }
        if !snapshot.username.isEmpty {
            text.key("username")
            text.string(snapshot.username)
        }
        if snapshot.uid != 0 {
            text.key("uid")
            text.number(UInt64(snapshot.uid))
        }
        if snapshot.gid != 0 {
            text.key("gid")
            text.number(UInt64(snapshot.gid))
        }
        if !snapshot.excludes.isEmpty {
            text.key("excludes")
            text.strings(snapshot.excludes)
        }
        if !snapshot.tags.isEmpty {
            text.key("tags")
            text.strings(snapshot.tags)
        }
        if let original = snapshot.original {
            text.key("original")
            text.digest(original)
        }
        if !snapshot.programVersion.isEmpty {
            text.key("program_version")
            text.string(snapshot.programVersion)
        }
        if let summary = snapshot.summary {
            text.key("summary")
            encode(summary, to: &text)
        }
        text.endObject()
        return text.bytes
    }

    /// The counters of a summary: their names, in restic's order.
    private static var counters: [(name: StaticString, field: WritableKeyPath<SnapshotSummary, UInt64>)] {
        [
            ("files_new", \.filesNew), ("files_changed", \.filesChanged), ("files_unmodified", \.filesUnmodified),
            ("dirs_new", \.dirsNew), ("dirs_changed", \.dirsChanged), ("dirs_unmodified", \.dirsUnmodified),
            ("data_blobs", \.dataBlobs), ("tree_blobs", \.treeBlobs), ("data_added", \.dataAdded),
            ("data_added_packed", \.dataAddedPacked), ("total_files_processed", \.totalFilesProcessed),
            ("total_bytes_processed", \.totalBytesProcessed),
        ]
    }

    static func encode(_ summary: SnapshotSummary, to text: inout JSONText) {
        text.beginObject()
        text.key("backup_start")
        encode(summary.backupStart, to: &text)
        text.key("backup_end")
        encode(summary.backupEnd, to: &text)
        for counter in counters {
            text.key(counter.name)
            text.number(summary[keyPath: counter.field])
        }
        text.endObject()
    }

    /// A time that was never set is written in UTC, as Go does.
    private static func encode(_ time: Timestamp, to text: inout JSONText) {
        if time == Node.unsetTime { text.time(time, utcOffsetSeconds: 0) } else { text.time(time) }
    }

    /// Reads a snapshot. Unknown fields are ignored; a snapshot without time or tree is refused.
    static func decode(_ bytes: [UInt8], id: Digest) throws(JSONError) -> Snapshot {
        var reader = try JSONReader(bytes, limit: ObjectStore.documentLimitBytes)
        var snapshot = Snapshot(
            time: Timestamp(seconds: 0), tree: .zero, paths: [], hostname: "", username: "", uid: 0, gid: 0, programVersion: "")
        snapshot.id = id
        var (hasTime, hasTree) = (false, false)
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.isNull() { continue }
            if reader.keyIs("time") {
                (snapshot.time, snapshot.utcOffsetSeconds) = try reader.time()
                hasTime = true
            } else if reader.keyIs("parent") {
                snapshot.parent = try reader.digest()
            } else if reader.keyIs("tree") {
                snapshot.tree = try reader.digest()
                hasTree = true
            } else if reader.keyIs("paths") {
                snapshot.paths = try reader.strings()
            } else if reader.keyIs("hostname") {
                snapshot.hostname = try reader.string()
            } else if reader.keyIs("username") {
                snapshot.username = try reader.string()
            } else if reader.keyIs("uid") {
                snapshot.uid = try reader.unsigned32()
            } else if reader.keyIs("gid") {
                snapshot.gid = try reader.unsigned32()
            } else if reader.keyIs("excludes") {
                snapshot.excludes = try reader.strings()
            } else if reader.keyIs("tags") {
                snapshot.tags = try reader.strings()
            } else if reader.keyIs("original") {
                snapshot.original = try reader.digest()
            } else if reader.keyIs("program_version") {
                snapshot.programVersion = try reader.string()
            } else if reader.keyIs("summary") {
                snapshot.summary = try decodeSummary(&reader)
            } else {
                try reader.skipValue()
            }
        }
        try reader.end()
        guard hasTime, hasTree else { throw reader.failure("a snapshot with time and tree") }
        return snapshot
    }

    private static func decodeSummary(_ reader: inout JSONReader) throws(JSONError) -> SnapshotSummary {
        var summary = SnapshotSummary(backupStart: Timestamp(seconds: 0), backupEnd: Timestamp(seconds: 0))
        try reader.beginObject()
        while try reader.nextMember() {
            if reader.keyIs("backup_start") {
                (summary.backupStart, _) = try reader.time()
            } else if reader.keyIs("backup_end") {
                (summary.backupEnd, _) = try reader.time()
            } else if let counter = counters.first(where: { reader.keyIs($0.name) }) {
                summary[keyPath: counter.field] = try reader.unsigned()
            } else {
                try reader.skipValue()
            }
        }
        return summary
    }
}
