internal import Platform

/// What is done with the entries of a snapshot on a walk through it.
protocol TreeVisitor {
    /// What the visitor keeps for a directory while its entries are walked.
    associatedtype Directory

    /// Called for a directory before its entries.
    ///
    /// - Parameter isSelected: False for one that is entered only because something below it may be selected.
    /// - Returns: nil when it is not to be entered.
    mutating func enter(_ node: Node, _ path: FilePath, in directory: Directory, isSelected: Bool) throws(RepositoryError) -> Directory?
    /// Called for each selected entry that is no directory.
    mutating func visit(_ node: Node, _ path: FilePath, in directory: Directory) throws(RepositoryError)
    /// Called after the entries of a directory.
    ///
    /// - Parameter nodes: Everything the directory has in the snapshot, unselected entries too; nil when that cannot be loaded.
    mutating func leave(_ directory: Directory, _ nodes: [Node]?) throws(RepositoryError)
    /// Called for an entry that is not walked: its name is no single path component, or its tree cannot be loaded.
    mutating func refuse(_ path: FilePath, _ reason: Phrase) throws(RepositoryError)
}

/// A walk through the trees of a snapshot, depth first, in the stored order, without recursion.
struct TreeTraversal {
    /// What a snapshot may nest at most: twice what a path of 4096 bytes can.
    static let depthLimit = 4096

    let repository: Repository
    var selection: PathSelection

    private struct Level<Directory> {
        let directory: Directory
        let path: FilePath
        let nodes: [Node]
        var next = 0
    }

    func run<Visitor: TreeVisitor>(
        _ root: Digest, at path: FilePath = "/", into directory: Visitor.Directory, _ visitor: inout Visitor
    ) throws(RepositoryError) {
        var components = path.components
        var levels = [Level(directory: directory, path: path, nodes: try repository.loadTree(root).nodes)]
        while let level = levels.last {
            guard level.next < level.nodes.count else {
                levels.removeLast()
                if !components.isEmpty && !levels.isEmpty { components.removeLast() }
                try visitor.leave(level.directory, level.nodes)
                continue
            }
            levels[levels.count - 1].next += 1
            let node = level.nodes[level.next]
            let path = level.path.appending(node.name)
            guard node.hasSafeName else {
                try visitor.refuse(
                    level.path.appending(node.name.isEmpty ? Array("?".utf8) : node.name),
                    Phrase(vi: "tên không hợp lệ, bị từ chối", en: "not a valid name, refused"))
                continue
            }
            components.append(node.name)
            let (isSelected, isEntered) = selection.select(components)
            if node.kind == .dir, isSelected || isEntered {
                if let inner = try visitor.enter(node, path, in: level.directory, isSelected: isSelected),
                    let nodes = try load(node, path, depth: levels.count, inner, &visitor)
                {
                    levels.append(Level(directory: inner, path: path, nodes: nodes))
                    continue
                }
            } else if node.kind != .dir, isSelected {
                try visitor.visit(node, path, in: level.directory)
            }
            components.removeLast()
        }
    }

    /// - Returns: nil when the directory has been left again, because its entries cannot be had.
    private func load<Visitor: TreeVisitor>(
        _ node: Node, _ path: FilePath, depth: Int, _ directory: Visitor.Directory, _ visitor: inout Visitor
    ) throws(RepositoryError) -> [Node]? {
        let reason: Phrase
        if depth >= Self.depthLimit {
            reason = Phrase(vi: "lồng quá sâu", en: "nested too deeply")
        } else if let subtree = node.subtree {
            do {
                return try repository.loadTree(subtree).nodes
            } catch {
                if error.code == .interrupted { throw error }
                reason = error.message
            }
        } else {
            reason = Phrase(vi: "thư mục không có nội dung trong bản sao lưu", en: "the snapshot has no content for this directory")
        }
        try visitor.refuse(path, reason)
        try visitor.leave(directory, nil)
        return nil
    }
}
