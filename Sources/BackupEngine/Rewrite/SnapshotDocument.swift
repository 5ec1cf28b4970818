internal import Platform

/// A snapshot file that is to be changed: everything that is not changed stays as it was written.
struct SnapshotDocument {
    private var members: JSONMembers

    private static let order = [
        "time", "parent", "tree", "paths", "hostname", "username", "uid", "gid", "excludes", "tags", "original", "program_version", "summary",
    ]

    init(_ bytes: [UInt8]) throws(TreeFormatError) { members = try JSONMembers(bytes) }

    var bytes: [UInt8] { members.bytes }

    private mutating func set(_ name: String, _ write: (inout JSONText) -> Void) {
        var text = JSONText()
        write(&text)
        members.set(name, text.bytes, order: Self.order)
    }

    /// No tags is no member.
    mutating func setTags(_ tags: [String]) {
        if tags.isEmpty { members.set("tags", nil, order: Self.order) } else { set("tags") { $0.strings(tags) } }
    }

    mutating func setOriginal(_ id: Digest) { set("original") { $0.digest(id) } }
    mutating func setTree(_ id: Digest) { set("tree") { $0.digest(id) } }
    mutating func setHostname(_ name: String) { set("hostname") { $0.string(name) } }
    mutating func setTime(_ moment: Timestamp) { set("time") { $0.time(moment) } }
    mutating func removeParent() { members.set("parent", nil, order: Self.order) }

    /// Sets the two sums of the summary that a rewrite changes; makes a summary without a past when there is none.
    mutating func setTotals(files: UInt64, bytes: UInt64) throws(TreeFormatError) {
        guard let present = members["summary"], !present.elementsEqual("null".utf8) else {
            var summary = SnapshotSummary(backupStart: Node.unsetTime, backupEnd: Node.unsetTime)
            summary.totalFilesProcessed = files
            summary.totalBytesProcessed = bytes
            return set("summary") { SnapshotFile.encode(summary, to: &$0) }
        }
        var summary = try JSONMembers(present)
        summary.set("total_files_processed", Array(String(files).utf8), order: [])
        summary.set("total_bytes_processed", Array(String(bytes).utf8), order: [])
        members.set("summary", summary.bytes, order: Self.order)
    }
}

extension Repository {
    /// The file of a snapshot, to be changed.
    func loadSnapshotDocument(_ id: Digest) throws(RepositoryError) -> SnapshotDocument {
        let bytes = try store.loadDocument(.snapshot, id)
        do throws(TreeFormatError) {
            return try SnapshotDocument(bytes)
        } catch {
            throw .corrupt(Phrase(vi: "snapshot \(id.short) bị hỏng", en: "snapshot \(id.short) is damaged"), cause: error)
        }
    }

    /// Stores a changed snapshot file, after everything it refers to.
    ///
    /// - Returns: Its ID.
    func saveSnapshotDocument(_ document: SnapshotDocument) throws(RepositoryError) -> Digest {
        try flush()
        let bytes = document.bytes
        do throws(JSONError) {
            _ = try SnapshotFile.decode(bytes, id: .zero)
        } catch {
            throw .corrupt(Phrase(vi: "snapshot mới không đọc lại được", en: "the changed snapshot does not read back"), cause: error)
        }
        let id = try store.saveDocument(.snapshot, bytes)
        try reach("rewrite.snapshot-saved")
        return id
    }

    /// Removes the file that a changed snapshot replaces.
    func removeReplaced(_ id: Digest) throws(RepositoryError) {
        try store.backend.remove(.snapshot, id)
        try reach("rewrite.snapshot-removed")
    }
}
