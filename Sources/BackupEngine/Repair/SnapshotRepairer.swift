package import Platform

/// Takes what cannot be read any more out of snapshots, so that the rest of them can be used and checked again.
///
/// Trees that cannot be read become empty directories, blobs that are in no index leave their files, and wrong file sizes are put
/// right. The index must be right before: see ``Repository/repairIndex(readsAllPacks:lock:cancellation:progress:)``.
package struct SnapshotRepairer {
    private let repository: Repository
    private let forgetsOld: Bool
    private let isDryRun: Bool
    private var trees: TreeRewriter

    /// One thing that was taken out or put right.
    package enum Finding: Sendable, Hashable {
        case unreadableDirectory(FilePath)
        case missingContent(FilePath)
        case wrongSize(FilePath)
        case invalidType(FilePath)
    }

    /// - Parameter repository: With its index loaded and, unless nothing is to be changed, exclusively locked.
    package init(_ repository: Repository, forgetsOld: Bool, isDryRun: Bool, cancellation: CancellationFlag = CancellationFlag()) {
        self.repository = repository
        self.forgetsOld = forgetsOld
        self.isDryRun = isDryRun
        trees = TreeRewriter(repository, isStoring: !isDryRun, dependsOnPath: false, cancellation: cancellation)
    }

    /// Repairs one snapshot. The new one has the tag `repaired` unless the old one goes.
    ///
    /// - Parameters:
    ///   - found: Called for each finding in a directory that was not seen in an earlier snapshot.
    ///   - willRemove: Asked before the old snapshot goes.
    /// - Returns: `.changed(nil)` for a snapshot whose root is gone: it is removed when old ones go, else left.
    package mutating func repair(
        _ snapshot: Snapshot, found: (Finding) -> Void = { _ in }, willRemove: RemovalGuard = { _ in .allowed }
    ) throws(RepositoryError) -> RewriteOutcome {
        let repository = repository
        let result = try trees.rewrite(snapshot.tree) { entry, path in
            func report(_ finding: (FilePath) -> Finding) { found(finding(Self.path(path))) }
            if !entry.hasValidKind {
                report(Finding.invalidType)
                return .drop
            }
            guard entry.isFile else { return .keep }
            var content: [Digest] = []
            var size: UInt64 = 0
            for blob in entry.content ?? [] {
                guard let length = repository.blobSize(.data, blob) else { continue }
                content.append(blob)
                size += UInt64(length)
            }
            if content.count != entry.content?.count {
                report(Finding.missingContent)
            } else if size != entry.size {
                report(Finding.wrongSize)
            } else {
                return .keep
            }
            return .replace(content: content, size: size)
        } failed: { (_, path) throws(RepositoryError) in
            found(.unreadableDirectory(Self.path(path)))
            return path.isEmpty ? nil : RawTree.empty
        }
        guard let tree = result.tree else { return try removeEmpty(snapshot, willRemove) }
        if tree == snapshot.tree { return .unchanged }
        if isDryRun { return .wouldChange }
        var document = try repository.loadSnapshotDocument(snapshot.id)
        document.setOriginal(snapshot.id)
        document.setTree(tree)
        return try repository.replace(snapshot, by: document, tag: "repaired", forgetsOld: forgetsOld, willRemove)
    }

    private static func path(_ components: [[UInt8]]) -> FilePath { components.reduce(FilePath("/")) { $0.appending($1) } }

    /// A snapshot of which nothing can be read.
    private func removeEmpty(_ snapshot: Snapshot, _ willRemove: RemovalGuard) throws(RepositoryError) -> RewriteOutcome {
        if isDryRun { return .wouldChange }
        guard forgetsOld else { return .changed(nil) }
        if case .held(let reason) = try willRemove(snapshot) { return .changedAndHeld(nil, reason) }
        try repository.removeReplaced(snapshot.id)
        return .changed(nil)
    }
}

extension Repository {
    /// Removes a snapshot file that cannot be read, and so neither listed nor held.
    ///
    /// - Throws: `.invalidArgument` when it can be read after all.
    package func removeUnreadableSnapshot(_ id: Digest) throws(RepositoryError) {
        do throws(RepositoryError) {
            _ = try loadSnapshot(id)
        } catch {
            if error.code != .corrupt { throw error }
            return try removeReplaced(id)
        }
        throw RepositoryError(
            .invalidArgument, Phrase(vi: "snapshot \(id.short) đọc được, không phải tệp hỏng", en: "snapshot \(id.short) can be read"))
    }
}
