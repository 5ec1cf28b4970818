package import Platform

/// What changed between two snapshots, as restic's `diff` counts it.
package struct DiffStatistics: Sendable, Equatable {
    /// What was added, or removed.
    package struct Side: Sendable, Equatable {
        package var files = 0
        package var directories = 0
        package var others = 0
        package var dataBlobs = 0
        package var treeBlobs = 0
        /// Plaintext bytes of the blobs.
        package var bytes: UInt64 = 0

        fileprivate mutating func add(_ node: Node) {
            switch node.kind {
            case .file: files += 1
            case .dir: directories += 1
            default: others += 1
            }
        }
    }
    package var changedFiles = 0
    package var added = Side()
    package var removed = Side()
}

/// One changed entry.
package struct DiffChange: Sendable, Equatable {
    /// Inside the snapshots; directories end in a slash.
    package let path: FilePath
    /// `+` added, `-` removed, `T` type changed, `M` content changed, `U` metadata changed; `?` behind `M`: the content changed although
    /// nothing else did, which is what a failing disk does.
    package let modifier: String
}

/// Compares the trees of two snapshots, walking only what differs.
package struct SnapshotDiff {
    private let repository: Repository
    /// Changes of metadata alone count, too.
    private let showsMetadata: Bool

    private var statistics = DiffStatistics()
    private var before: Set<BlobHandle> = []
    private var after: Set<BlobHandle> = []
    private var common: Set<BlobHandle> = []

    /// - Parameter repository: Its index has been loaded.
    package init(repository: Repository, showsMetadata: Bool) {
        self.repository = repository
        self.showsMetadata = showsMetadata
    }

    private struct Pair {
        let path: FilePath
        let old: [Node]
        let new: [Node]
        var nextOld = 0
        var nextNew = 0
    }

    /// - Parameters:
    ///   - report: Called for each change in the order of the trees.
    ///   - unreadable: Called for a directory whose trees cannot be had; the others are compared all the same.
    package mutating func run(
        _ old: Digest, _ new: Digest, _ report: (DiffChange) -> Void, unreadable: (FilePath, RepositoryError) -> Void
    ) throws(RepositoryError) -> DiffStatistics {
        before.insert(BlobHandle(.tree, old))
        after.insert(BlobHandle(.tree, new))
        var levels = [
            Pair(path: "/", old: try repository.loadTree(old).nodes, new: try repository.loadTree(new).nodes)
        ]
        while let last = levels.indices.last {
            let (left, right) = Self.next(&levels[last])
            guard let any = left ?? right else {
                levels.removeLast()
                continue
            }
            let path = levels[last].path.appending(any.name)
            if let left { Self.collect(left, &before) }
            if let right { Self.collect(right, &after) }
            if let left, let right {
                compare(left, right, path, report)
                guard left.kind == .dir, right.kind == .dir, let oldTree = left.subtree, let newTree = right.subtree else { continue }
                do throws(RepositoryError) {
                    if oldTree == newTree {
                        var blobs: Set<BlobHandle> = []
                        try walk(oldTree, path, &blobs) { _, _ in }
                        common.formUnion(blobs)
                    } else if levels.count < TreeTraversal.depthLimit {
                        levels.append(
                            Pair(path: path, old: try repository.loadTree(oldTree).nodes, new: try repository.loadTree(newTree).nodes))
                    }
                } catch {
                    unreadable(path, error)
                }
            } else {
                let isNew = right != nil
                let modifier = isNew ? "+" : "-"
                report(DiffChange(path: Self.shown(path, any), modifier: modifier))
                add(any, isNew)
                guard any.kind == .dir, let tree = any.subtree else { continue }
                do throws(RepositoryError) {
                    var blobs: Set<BlobHandle> = []
                    var nodes: [Node] = []
                    try walk(tree, path, &blobs) { path, node in
                        report(DiffChange(path: Self.shown(path, node), modifier: modifier))
                        nodes.append(node)
                    }
                    for node in nodes { add(node, isNew) }
                    if isNew { after.formUnion(blobs) } else { before.formUnion(blobs) }
                } catch {
                    unreadable(path, error)
                }
            }
        }
        let both = before.intersection(after)
        count(before.subtracting(both).subtracting(common), \.removed)
        count(after.subtracting(both).subtracting(common), \.added)
        return statistics
    }

    /// The next name in bytewise order, with what each side has under it.
    private static func next(_ pair: inout Pair) -> (Node?, Node?) {
        let left = pair.nextOld < pair.old.count ? pair.old[pair.nextOld] : nil
        let right = pair.nextNew < pair.new.count ? pair.new[pair.nextNew] : nil
        if let left, let right {
            if left.name == right.name {
                pair.nextOld += 1
                pair.nextNew += 1
                return (left, right)
            }
            if left.name.lexicographicallyPrecedes(right.name) {
                pair.nextOld += 1
                return (left, nil)
            }
            pair.nextNew += 1
            return (nil, right)
        }
        if left != nil { pair.nextOld += 1 }
        if right != nil { pair.nextNew += 1 }
        return (left, right)
    }

    private mutating func compare(_ left: Node, _ right: Node, _ path: FilePath, _ report: (DiffChange) -> Void) {
        var modifier = left.kind == right.kind ? "" : "T"
        if left.kind == .file && right.kind == .file && left.content != right.content {
            modifier += "M"
            statistics.changedFiles += 1
            var (one, other) = (left, right)
            one.content = nil
            other.content = nil
            if one == other { modifier += "?" }
        } else if showsMetadata && left != right {
            modifier += "U"
        }
        if !modifier.isEmpty { report(DiffChange(path: Self.shown(path, right), modifier: modifier)) }
    }

    private static func shown(_ path: FilePath, _ node: Node) -> FilePath {
        node.kind == .dir ? FilePath(bytes: path.bytes + [FilePath.slash]) : path
    }

    private mutating func add(_ node: Node, _ isNew: Bool) {
        if isNew { statistics.added.add(node) } else { statistics.removed.add(node) }
    }

    private static func collect(_ node: Node, _ blobs: inout Set<BlobHandle>) {
        switch node.kind {
        case .file: for id in node.content ?? [] { blobs.insert(BlobHandle(.data, id)) }
        case .dir: if let tree = node.subtree { blobs.insert(BlobHandle(.tree, tree)) }
        default: break
        }
    }

    private func walk(
        _ tree: Digest, _ path: FilePath, _ blobs: inout Set<BlobHandle>, _ visit: (FilePath, Node) -> Void
    ) throws(RepositoryError) {
        var found: Set<BlobHandle> = []
        try SnapshotWalk(repository: repository).run(tree, at: path) { (entry) throws(RepositoryError) in
            Self.collect(entry.node, &found)
            visit(entry.path, entry.node)
            return .enter
        }
        blobs.formUnion(found)
    }

    private mutating func count(_ blobs: Set<BlobHandle>, _ side: WritableKeyPath<DiffStatistics, DiffStatistics.Side>) {
        for blob in blobs {
            switch blob.type {
            case .data: statistics[keyPath: side].dataBlobs += 1
            case .tree: statistics[keyPath: side].treeBlobs += 1
            }
            statistics[keyPath: side].bytes += UInt64(repository.blobSize(blob.type, blob.id) ?? 0)
        }
    }
}
