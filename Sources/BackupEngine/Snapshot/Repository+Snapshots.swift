package import Platform

extension Repository {
    /// Every snapshot, and the files that are none although they should be.
    package func readSnapshots() throws(RepositoryError) -> (snapshots: [Snapshot], unreadable: [(id: Digest, error: RepositoryError)]) {
        var snapshots: [Snapshot] = []
        var unreadable: [(id: Digest, error: RepositoryError)] = []
        for file in try store.backend.list(.snapshot) {
            do throws(RepositoryError) {
                snapshots.append(try loadSnapshot(file.id))
            } catch {
                unreadable.append((file.id, error))
            }
        }
        snapshots.sort { ($0.time, $0.id) < ($1.time, $1.id) }
        return (snapshots, unreadable)
    }

    /// Every snapshot, oldest first.
    ///
    /// - Throws: When one cannot be read; ``readSnapshots()`` gives the others.
    package func listSnapshots() throws(RepositoryError) -> [Snapshot] {
        let (snapshots, unreadable) = try readSnapshots()
        if let first = unreadable.first { throw first.error }
        return snapshots
    }

    /// One snapshot by its full ID.
    package func loadSnapshot(_ id: Digest) throws(RepositoryError) -> Snapshot {
        let bytes = try store.loadDocument(.snapshot, id)
        do throws(JSONError) {
            return try SnapshotFile.decode(bytes, id: id)
        } catch {
            throw .corrupt(
                Phrase(vi: "snapshot \(id.short): \(error.message.vi)", en: "snapshot \(id.short): \(error.message.en)"), cause: error)
        }
    }

    /// Makes a snapshot durable, after everything it needs.
    ///
    /// - Returns: Its ID.
    package func saveSnapshot(_ snapshot: Snapshot) throws(RepositoryError) -> Digest {
        try flush()
        let id = try store.saveDocument(.snapshot, SnapshotFile.encode(snapshot))
        try reach("snapshot.published")
        return id
    }

    /// Finds one snapshot.
    ///
    /// - Parameters:
    ///   - reference: `latest`, or the first digits of an ID.
    ///   - filter: What `latest` looks at; an ID finds its snapshot in any case.
    /// - Throws: `.missing` when nothing matches, `.invalidArgument` when several IDs begin so.
    package func findSnapshot(_ reference: String, filter: SnapshotFilter = .all) throws(RepositoryError) -> Snapshot {
        if reference == "latest" {
            guard let newest = try listSnapshots().last(where: filter.matches) else {
                throw RepositoryError(.missing, Phrase(vi: "không có snapshot nào phù hợp", en: "no snapshot matches"))
            }
            return newest
        }
        let prefix = reference.lowercased()
        let matches = try store.backend.list(.snapshot).map(\.id).filter { !prefix.isEmpty && $0.hex.hasPrefix(prefix) }
        guard let first = matches.first else {
            throw RepositoryError(
                .missing,
                Phrase(
                    vi: "không có snapshot '\(escapedForDisplay(reference))'", en: "there is no snapshot '\(escapedForDisplay(reference))'"),
                hint: Phrase(vi: "liệt kê bằng 'sentinelctl repo snapshots'", en: "list them with 'sentinelctl repo snapshots'"))
        }
        guard matches.count == 1 else {
            let list = matches.prefix(5).map(\.short).joined(separator: ", ")
            throw RepositoryError(
                .invalidArgument,
                Phrase(vi: "'\(reference)' chỉ đến nhiều snapshot: \(list)", en: "'\(reference)' means several snapshots: \(list)"),
                hint: Phrase(vi: "gõ thêm chữ số của mã", en: "give more digits of the ID"))
        }
        return try loadSnapshot(first)
    }

    /// The snapshots that a command is about: those named, each once and in that order, or all that match.
    ///
    /// - Parameters:
    ///   - references: `latest` (of those that match), or the first digits of IDs; all that match when empty.
    ///   - filter: With IDs alone it would decide nothing, which is refused.
    /// - Throws: See ``findSnapshot(_:filter:)``; `.invalidArgument` for a filter beside IDs.
    package func findSnapshots(_ references: [String], filter: SnapshotFilter = .all) throws(RepositoryError) -> [Snapshot] {
        if references.isEmpty { return try listSnapshots().filter(filter.matches) }
        if !filter.isEmpty, !references.contains("latest") {
            throw RepositoryError(
                .invalidArgument,
                Phrase(vi: "đã nêu mã bản sao lưu: không dùng cùng bộ lọc", en: "explicit snapshot IDs are given: a filter has no effect"),
                hint: Phrase(vi: "bỏ --host, --tag, --path, hoặc bỏ các mã", en: "leave out --host, --tag, --path, or the IDs"))
        }
        var found: [Snapshot] = []
        for reference in references {
            let snapshot = try findSnapshot(reference, filter: filter)
            if !found.contains(where: { $0.id == snapshot.id }) { found.append(snapshot) }
        }
        return found
    }
}
