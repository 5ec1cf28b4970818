package import Platform

/// One entry met on a walk through a snapshot.
package struct WalkedEntry: Sendable {
    /// Inside the snapshot.
    package let path: FilePath
    package let node: Node
    /// The tree that holds the entry.
    package let tree: Digest
}

/// A walk through the trees of a snapshot in their order, a directory before its entries, without recursion.
package struct SnapshotWalk {
    /// What to do with a directory after it was shown.
    package enum Step: Sendable {
        case enter, pass
        /// Ends the walk.
        case stop
    }

    private let repository: Repository

    /// - Parameter repository: Its index has been loaded.
    package init(repository: Repository) { self.repository = repository }

    /// Walks everything below a tree.
    ///
    /// - Parameters:
    ///   - visit: Called for each entry; the answer counts for directories, and `.stop` for all.
    ///   - unreadable: Called for a tree that cannot be had; what it throws ends the walk. Without it the error itself does.
    /// - Throws: What the closures throw, and `.corrupt` for a nesting that no file system has.
    package func run(
        _ root: Digest, at path: FilePath = "/", _ visit: (WalkedEntry) throws(RepositoryError) -> Step,
        unreadable: ((FilePath, Digest, RepositoryError) throws(RepositoryError) -> Void)? = nil
    ) throws(RepositoryError) {
        struct Level {
            let path: FilePath
            let tree: Digest
            let nodes: [Node]
            var next = 0
        }
        func level(_ tree: Digest, _ path: FilePath) throws(RepositoryError) -> Level? {
            do throws(RepositoryError) {
                return Level(path: path, tree: tree, nodes: try repository.loadTree(tree).nodes)
            } catch {
                guard let unreadable else { throw error }
                try unreadable(path, tree, error)
                return nil
            }
        }
        guard let first = try level(root, path) else { return }
        var levels = [first]
        while let last = levels.indices.last {
            guard levels[last].next < levels[last].nodes.count else {
                levels.removeLast()
                continue
            }
            let node = levels[last].nodes[levels[last].next]
            levels[last].next += 1
            let path = levels[last].path.appending(node.name)
            switch try visit(WalkedEntry(path: path, node: node, tree: levels[last].tree)) {
            case .stop: return
            case .pass: continue
            case .enter: break
            }
            guard node.kind == .dir, node.hasSafeName, let subtree = node.subtree else { continue }
            if levels.count >= TreeTraversal.depthLimit {
                throw .corrupt(Phrase(vi: "'\(path)' lồng quá sâu", en: "'\(path)' is nested too deeply"))
            }
            if let inner = try level(subtree, path) { levels.append(inner) }
        }
    }
}
