package import Platform

/// A complete subtree: 2^`level` leaves, from leaf `index` · 2^`level` on.
package struct MerkleNode: Sendable, Hashable {
    package let level: Int
    package let index: Int64
    package let hash: Digest
}

/// The right edge of a growing tree: one complete subtree for each bit of its size. A plain value, so it can be put back.
package struct MerkleFrontier: Sendable, Hashable {
    /// Leaves so far.
    package private(set) var size: Int64
    /// Roots of the complete subtrees, the largest first.
    package private(set) var peaks: [Digest]

    /// The empty tree.
    package init() {
        size = 0
        peaks = []
    }

    /// - Returns: nil unless there is one peak for each bit of `size`.
    package init?(size: Int64, peaks: [Digest]) {
        guard size >= 0, size.nonzeroBitCount == peaks.count else { return nil }
        self.size = size
        self.peaks = peaks
    }

    /// Adds a leaf.
    ///
    /// - Returns: Every subtree that this leaf completes, the leaf itself first.
    package mutating func append(_ leafHash: Digest, _ hasher: inout MerkleHasher) throws(CryptoError) -> [MerkleNode] {
        var nodes = [MerkleNode(level: 0, index: size, hash: leafHash)]
        var hash = leafHash
        var level = 0
        var remaining = peaks
        while size >> level & 1 == 1 {
            hash = try hasher.node(remaining.removeLast(), hash)
            level += 1
            nodes.append(MerkleNode(level: level, index: size >> level, hash: hash))
        }
        remaining.append(hash)
        peaks = remaining
        size += 1
        return nodes
    }

    /// The root of the tree.
    package func root(_ hasher: inout MerkleHasher) throws(CryptoError) -> Digest {
        guard var result = peaks.last else { return try hasher.empty() }
        for peak in peaks.dropLast().reversed() { result = try hasher.node(peak, result) }
        return result
    }
}
