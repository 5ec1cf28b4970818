package import Platform

/// The three hashes of RFC 6962, section 2.1, with one SHA-256 context for all of them.
package struct MerkleHasher: ~Copyable {
    private var sha: SHA256

    package init() throws(CryptoError) { sha = try SHA256() }

    /// Root of the tree without leaves: SHA-256 of nothing.
    package mutating func empty() throws(CryptoError) -> Digest { try sha.finish() }

    /// SHA-256(0x00 ‖ data).
    package mutating func leaf(_ data: [UInt8]) throws(CryptoError) -> Digest {
        try sha.update([0x00])
        try sha.update(data)
        return try sha.finish()
    }

    /// SHA-256(0x01 ‖ left ‖ right).
    package mutating func node(_ left: Digest, _ right: Digest) throws(CryptoError) -> Digest {
        var bytes: [UInt8] = [0x01]
        bytes.reserveCapacity(1 + 2 * Digest.byteCount)
        bytes += left.bytes
        bytes += right.bytes
        try sha.update(bytes)
        return try sha.finish()
    }
}

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
