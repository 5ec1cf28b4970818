package import Platform

/// A snapshot as people name it on the command line: `latest` or the first digits of an ID, and after a colon a directory inside it.
package struct SnapshotReference: Sendable, Hashable {
    package let snapshot: String
    /// `/` for all of it.
    package let subfolder: FilePath

    package init(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        snapshot = String(parts.first ?? "")
        // Anchored, so that no `..` leads above the root of the snapshot.
        subfolder = FilePath(bytes: Array("/".utf8) + Array((parts.count > 1 ? parts[1] : "").utf8)).normalised
    }
}

extension Repository {
    /// The snapshots that a command is about: those named, in their order, or all that the filter lets through, oldest first.
    ///
    /// - Parameter references: As in ``SnapshotReference``; `latest` means the newest one that the filter lets through.
    /// - Throws: `.missing`, `.invalidArgument`, and for an unreadable snapshot file among all, its error.
    package func selectSnapshots(_ references: [String], filter: SnapshotFilter) throws(RepositoryError) -> [Snapshot] {
        if references.isEmpty { return try listSnapshots().filter(filter.matches) }
        var result: [Snapshot] = []
        for reference in references {
            let snapshot = try findSnapshot(reference, filter: filter)
            if !result.contains(where: { $0.id == snapshot.id }) { result.append(snapshot) }
        }
        return result
    }
}
