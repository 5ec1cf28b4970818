internal import Platform

/// The entries that a directory had in the parent snapshot.
struct PreviousTree {
    private var nodes: [Node]
    private var next = 0

    init(_ tree: Tree) {
        nodes = tree.nodes
        // Foreign writers may not have sorted; the searches below rely on it.
        let isSorted = zip(nodes, nodes.dropFirst()).allSatisfy { $0.name.lexicographicallyPrecedes($1.name) }
        if !isSorted { nodes.sort { $0.name.lexicographicallyPrecedes($1.name) } }
    }

    /// The node of this name. Names must be asked for in ascending order: each call starts where the last one ended.
    mutating func find(_ name: [UInt8]) -> Node? {
        while next < nodes.count {
            if nodes[next].name == name { return nodes[next] }
            if !nodes[next].name.lexicographicallyPrecedes(name) { return nil }
            next += 1
        }
        return nil
    }
}

extension Node {
    /// True when nothing says that the content changed since this node was stored: type, size, mtime, ctime and inode are the same.
    func isUnchanged(_ status: FileStatus) -> Bool {
        kind == .file && status.kind == .file && size == status.sizeBytes && modified == status.modified
            && changed == status.changed && inode == status.inode
    }
}
