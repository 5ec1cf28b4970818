package import Platform

/// What `tag` does to the tags of a snapshot.
package enum TagChange: Sendable, Hashable {
    /// These and no others.
    case set([String])
    case change(adding: [String], removing: [String])

    /// - Returns: nil when nothing changes.
    func applied(to tags: [String]) -> [String]? {
        switch self {
        case .set(let new): return new == tags ? nil : new
        case .change(let adding, let removing):
            var result = tags
            for tag in adding where !result.contains(tag) { result.append(tag) }
            result.removeAll(where: removing.contains)
            return result == tags ? nil : result
        }
    }
}

/// A snapshot that was replaced by a changed one.
package struct ReplacedSnapshot: Sendable, Hashable {
    package let old: Digest
    package let new: Digest
}

extension Repository {
    /// Changes the tags of a snapshot: it gets another ID and remembers its first one as `original`.
    ///
    /// The caller holds an exclusive lock. The new file is durable before the old one goes.
    ///
    /// - Returns: nil when nothing changed.
    package func changeTags(of snapshot: Snapshot, _ change: TagChange) throws(RepositoryError) -> ReplacedSnapshot? {
        guard let tags = change.applied(to: snapshot.tags) else { return nil }
        var document = try loadSnapshotDocument(snapshot.id)
        document.setTags(tags)
        if snapshot.original == nil { document.setOriginal(snapshot.id) }
        let new = try saveSnapshotDocument(document)
        try removeReplaced(snapshot.id)
        return ReplacedSnapshot(old: snapshot.id, new: new)
    }
}
