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

/// What makes a file of the parent snapshot count as changed, besides its type, size and modification time.
package struct ChangeDetection: Sendable, Hashable {
    /// The change time of the inode; nobody can set it back, but some programs and file systems change it without need.
    package var comparesChangeTime: Bool
    /// The number of the inode; some network file systems make up another one at each mount.
    package var comparesInode: Bool

    package init(comparesChangeTime: Bool = true, comparesInode: Bool = true) {
        self.comparesChangeTime = comparesChangeTime
        self.comparesInode = comparesInode
    }

    /// True when nothing says that the content changed since `node` was stored.
    func isUnchanged(_ node: Node, _ status: FileStatus) -> Bool {
        node.kind == .file && status.kind == .file && node.size == status.sizeBytes && node.modified == status.modified
            && (!comparesChangeTime || node.changed == status.changed) && (!comparesInode || node.inode == status.inode)
    }
}

extension Node {
    /// True when every change of attributes or access lists since this node was stored would show: they all set the change time.
    func hasCurrentAttributes(_ status: FileStatus) -> Bool {
        changed == status.changed && inode == status.inode && deviceID == status.device && mode == FileMode(status)
    }
}
