package import Platform

/// What `rewrite` changes about snapshots.
package struct RewriteRequest: Sendable {
    /// What matches is left out.
    package var excludes: [String] = []
    /// Patterns that do not tell upper from lower case.
    package var caseInsensitiveExcludes: [String] = []
    package var newHostname: String?
    package var newTime: Timestamp?
    /// Adds the sums of files and bytes where a snapshot has none.
    package var addsSummary = false
    /// Removes the old snapshot; else it stays, and the new one has the tag `rewrite`.
    package var forgetsOld = false
    package var isDryRun = false

    package init() {}

    package var isEmpty: Bool {
        excludes.isEmpty && caseInsensitiveExcludes.isEmpty && newHostname == nil && newTime == nil && !addsSummary
    }
}

/// What became of one snapshot.
package enum RewriteOutcome: Sendable, Hashable {
    case unchanged
    /// Only planned.
    case wouldChange
    /// The new ID; nil for a snapshot of which nothing is left and that was removed.
    case changed(Digest?)
    /// Replaced, but somebody holds the old one, which stays.
    case changedAndHeld(Digest?, Phrase)
}

/// Rewrites snapshots one after the other, remembering the directories that they share.
package struct SnapshotRewriter {
    private let repository: Repository
    private let request: RewriteRequest
    private let excludes: PathPatterns
    private let lowercaseExcludes: PathPatterns
    private var trees: TreeRewriter

    /// - Parameter repository: With its index loaded; exclusively locked when old snapshots shall go.
    /// - Throws: `.invalidArgument` when nothing is to be changed, or a pattern is malformed.
    package init(
        _ repository: Repository, _ request: RewriteRequest, cancellation: CancellationFlag = CancellationFlag()
    ) throws(RepositoryError) {
        if request.isEmpty {
            throw RepositoryError(
                .invalidArgument, Phrase(vi: "không có gì để thay đổi", en: "nothing to do: no excludes and no new metadata given"),
                hint: Phrase(
                    vi: "dùng --exclude, --new-host, --new-time hoặc --snapshot-summary",
                    en: "use --exclude, --new-host, --new-time or --snapshot-summary"))
        }
        self.repository = repository
        self.request = request
        excludes = try PathPatterns(request.excludes)
        lowercaseExcludes = try PathPatterns(request.caseInsensitiveExcludes.map { $0.lowercased() })
        trees = TreeRewriter(repository, isStoring: !request.isDryRun, dependsOnPath: true, cancellation: cancellation)
    }

    /// Rewrites one snapshot.
    ///
    /// - Parameters:
    ///   - excluded: Called for each path that is left out of a directory seen for the first time.
    ///   - willRemove: Asked before the old snapshot goes; when it is held both stay.
    /// - Throws: `.corrupt` when a tree cannot be read.
    package mutating func rewrite(
        _ snapshot: Snapshot, excluded: (FilePath) -> Void = { _ in }, willRemove: RemovalGuard = { _ in .allowed }
    ) throws(RepositoryError) -> RewriteOutcome {
        var tree = snapshot.tree
        var totals: (files: UInt64, bytes: UInt64)?
        if !excludes.isEmpty || !lowercaseExcludes.isEmpty || request.addsSummary {
            let (patterns, lowercasePatterns) = (excludes, lowercaseExcludes)
            let result = try trees.rewrite(snapshot.tree) { _, path in
                guard Self.isExcluded(path, patterns, lowercasePatterns) else { return .keep }
                excluded(path.reduce(FilePath("/")) { $0.appending($1) })
                return .drop
            } failed: { (error, _) throws(RepositoryError) in
                throw error
            }
            tree = result.tree ?? snapshot.tree
            let isStale = snapshot.summary.map { $0.totalFilesProcessed != result.files || $0.totalBytesProcessed != result.bytes }
            if isStale ?? request.addsSummary || tree != snapshot.tree { totals = (result.files, result.bytes) }
        }
        guard tree != snapshot.tree || totals != nil || request.newHostname != nil || request.newTime != nil else { return .unchanged }
        if request.isDryRun { return .wouldChange }
        var document = try repository.loadSnapshotDocument(snapshot.id)
        document.setOriginal(snapshot.id)
        document.setTree(tree)
        if let totals, snapshot.summary != nil || request.addsSummary {
            do throws(TreeFormatError) {
                try document.setTotals(files: totals.files, bytes: totals.bytes)
            } catch {
                throw .corrupt(Phrase(vi: "snapshot \(snapshot.id.short) bị hỏng", en: "snapshot \(snapshot.id.short) is damaged"), cause: error)
            }
        }
        if let time = request.newTime { document.setTime(time) }
        if let hostname = request.newHostname { document.setHostname(hostname) }
        return try repository.replace(snapshot, by: document, tag: "rewrite", forgetsOld: request.forgetsOld, willRemove)
    }

    private static func isExcluded(_ path: [[UInt8]], _ patterns: PathPatterns, _ lowercase: PathPatterns) -> Bool {
        if !patterns.isEmpty && patterns.matches(path) { return true }
        return !lowercase.isEmpty && lowercase.matches(path.map { Array(String(decoding: $0, as: UTF8.self).lowercased().utf8) })
    }
}

extension Repository {
    /// Stores a changed snapshot; then removes the old one, unless it stays beside a new one that is marked by a tag.
    func replace(
        _ snapshot: Snapshot, by document: SnapshotDocument, tag: String, forgetsOld: Bool, _ willRemove: RemovalGuard
    ) throws(RepositoryError) -> RewriteOutcome {
        var document = document
        var objection: Phrase?
        if forgetsOld, case .held(let reason) = try willRemove(snapshot) { objection = reason }
        let removesOld = forgetsOld && objection == nil
        if !removesOld, !snapshot.tags.contains(tag) { document.setTags(snapshot.tags + [tag]) }
        let new = try saveSnapshotDocument(document)
        if removesOld { try removeReplaced(snapshot.id) }
        return objection.map { .changedAndHeld(new, $0) } ?? .changed(new)
    }
}
