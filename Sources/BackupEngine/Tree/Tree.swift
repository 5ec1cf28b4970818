package import Platform

/// The entries of one directory.
package struct Tree: Sendable, Equatable {
    /// In the order of the stored tree; ours are sorted by the bytes of the names, foreign ones may not be.
    package var nodes: [Node]

    package init(nodes: [Node] = []) { self.nodes = nodes }

    /// Decodes a tree blob; see ``TreeDecoder`` for what is tolerated and what is bounded.
    package init(decoding bytes: [UInt8]) throws(TreeFormatError) {
        var decoder = try TreeDecoder(bytes)
        nodes = []
        while let node = try decoder.next() { nodes.append(node) }
    }

    /// The bytes to store, nodes sorted by name; nil when a name occurs twice.
    package func encoded() -> [UInt8]? {
        var encoder = TreeEncoder()
        for node in nodes.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) where !encoder.append(node) { return nil }
        return encoder.finish()
    }
}

extension Repository {
    /// Loads a tree.
    ///
    /// - Throws: `.missing` or `.corrupt` when no readable copy is there, `.corrupt` when its JSON is malformed.
    package func loadTree(_ id: Digest) throws(RepositoryError) -> Tree {
        let bytes = try loadBlob(.tree, id)
        do {
            return try Tree(decoding: bytes)
        } catch {
            throw .corrupt(
                Phrase(vi: "cây \(id.short): \(error.message.vi)", en: "tree \(id.short): \(error.message.en)"), cause: error)
        }
    }
}
