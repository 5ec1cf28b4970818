package import Platform

/// Looks into snapshots: what `ls` and `find` show.
package struct TreeWalker: Sendable {
    private let repository: Repository

    package init(repository: Repository) { self.repository = repository }

    /// Walks a snapshot in the order of its trees: a directory comes before its entries.
    ///
    /// The caller has loaded the index. Trees that cannot be loaded end the walk: a list that lacks entries must not look complete.
    ///
    /// - Parameters:
    ///   - path: Only this entry and what lies below it; everything for `/`.
    ///   - isRecursive: False for one level below `path`.
    ///   - visit: Called once per entry with its path inside the snapshot.
    /// - Throws: `.missing` when the snapshot has no `path`, what the repository throws, and what `visit` throws.
    package func list(
        _ snapshot: Snapshot, below path: FilePath = "/", isRecursive: Bool = true,
        _ visit: (FilePath, Node) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        let path = path.normalised
        var tree = snapshot.tree
        if !path.components.isEmpty {
            let node = try self.node(at: path, in: snapshot)
            try visit(path, node)
            guard node.kind == .dir, let subtree = node.subtree else { return }
            tree = subtree
        }
        // No TreeVisitor: `visit` does not escape, and a value that kept it would.
        var levels = [(path: path, nodes: try repository.loadTree(tree).nodes, next: 0)]
        while let level = levels.last {
            guard level.next < level.nodes.count else {
                levels.removeLast()
                continue
            }
            levels[levels.count - 1].next += 1
            let node = level.nodes[level.next]
            let path = level.path.appending(node.name)
            try visit(path, node)
            if isRecursive, node.kind == .dir, node.hasSafeName, let subtree = node.subtree {
                if levels.count >= TreeTraversal.depthLimit {
                    throw .corrupt(Phrase(vi: "'\(path)' lồng quá sâu", en: "'\(path)' is nested too deeply"))
                }
                levels.append((path: path, nodes: try repository.loadTree(subtree).nodes, next: 0))
            }
        }
    }

    /// The entry at a path inside the snapshot.
    ///
    /// - Throws: `.missing` when there is none.
    package func node(at path: FilePath, in snapshot: Snapshot) throws(RepositoryError) -> Node {
        var tree: Digest? = snapshot.tree
        var found: Node?
        for component in path.normalised.components {
            found = try tree.flatMap { (id) throws(RepositoryError) -> Node? in
                try repository.loadTree(id).nodes.first { $0.name == component }
            }
            guard let node = found else { break }
            tree = node.kind == .dir ? node.subtree : nil
        }
        guard let found else {
            throw RepositoryError(
                .missing, Phrase(vi: "bản sao lưu \(snapshot.id.short) không có '\(path)'", en: "snapshot \(snapshot.id.short) has no '\(path)'"))
        }
        return found
    }

    /// The tree of a directory inside the snapshot; its root for `/`.
    ///
    /// - Throws: `.missing` when there is no such entry, or when it is no directory.
    package func tree(at path: FilePath, in snapshot: Snapshot) throws(RepositoryError) -> Digest {
        if path.normalised.components.isEmpty { return snapshot.tree }
        let node = try node(at: path, in: snapshot)
        guard node.kind == .dir, let subtree = node.subtree else {
            throw RepositoryError(
                .missing,
                Phrase(
                    vi: "'\(path)' trong bản sao lưu \(snapshot.id.short) không phải thư mục",
                    en: "'\(path)' in snapshot \(snapshot.id.short) is not a directory"))
        }
        return subtree
    }

    /// The content of a file, blob by blob.
    ///
    /// - Throws: What the repository throws for a blob that is missing or damaged, and what `emit` throws.
    package func readContent(
        of node: Node, _ emit: ([UInt8]) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        for id in node.content ?? [] { try emit(try repository.loadBlob(.data, id)) }
    }
}
