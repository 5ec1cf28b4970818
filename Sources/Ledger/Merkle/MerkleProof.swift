package import Platform

/// Checking proofs (RFC 9162, sections 2.1.3.2 and 2.1.4.2). Both say false for every malformed proof.
package enum MerkleProof {
    /// True when `hashes` leads from `leafHash` at `index` to `root` of a tree of `size` leaves.
    package static func isIncluded(
        _ leafHash: Digest, at index: Int64, in size: Int64, root: Digest, hashes: [Digest], _ hasher: inout MerkleHasher
    ) throws(CryptoError) -> Bool {
        guard index >= 0, index < size else { return false }
        var position = index
        var last = size - 1
        var hash = leafHash
        for sibling in hashes {
            if last == 0 { return false }
            if position & 1 == 1 || position == last {
                hash = try hasher.node(sibling, hash)
                while position & 1 == 0 && position != 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                hash = try hasher.node(hash, sibling)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && hash == root
    }

    /// True when `hashes` shows that the tree of `oldSize` leaves under `oldRoot` begins the one of `size` leaves under `root`.
    package static func isConsistent(
        _ oldRoot: Digest, of oldSize: Int64, with root: Digest, of size: Int64, hashes: [Digest], _ hasher: inout MerkleHasher
    ) throws(CryptoError) -> Bool {
        guard oldSize >= 0, oldSize <= size else { return false }
        if oldSize == size { return hashes.isEmpty && oldRoot == root }
        if oldSize == 0 { return try hasher.empty() == oldRoot && hashes.isEmpty }
        var path = hashes[...]
        // A complete old tree is itself the first hash of the way.
        if oldSize.nonzeroBitCount == 1 { path = [oldRoot] + path }
        guard let first = path.popFirst() else { return false }
        var position = oldSize - 1
        var last = size - 1
        while position & 1 == 1 {
            position >>= 1
            last >>= 1
        }
        var old = first
        var new = first
        for sibling in path {
            if last == 0 { return false }
            if position & 1 == 1 || position == last {
                old = try hasher.node(sibling, old)
                new = try hasher.node(sibling, new)
                while position & 1 == 0 && position != 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                new = try hasher.node(new, sibling)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && old == oldRoot && new == root
    }
}
