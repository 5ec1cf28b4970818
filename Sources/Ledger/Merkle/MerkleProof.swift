package import Platform

/// Proofs of RFC 6962 (section 2.1) over a tree whose complete subtrees can be looked up.
package struct MerkleTree {
    /// Leaves in the tree.
    package let size: Int64
    private let node: (_ level: Int, _ index: Int64) throws -> Digest

    /// - Parameter node: The hash of a complete subtree: 2^level leaves, from leaf index · 2^level on.
    package init(size: Int64, node: @escaping (_ level: Int, _ index: Int64) throws -> Digest) {
        self.size = size
        self.node = node
    }

    /// The root of the first `size` leaves.
    package func root(of size: Int64, _ hasher: inout MerkleHasher) throws -> Digest {
        try requireSize(size)
        return size == 0 ? try hasher.empty() : try hash(0..<size, &hasher)
    }

    /// The hashes beside the way from leaf `index` to the root of the first `size` leaves, from the leaf up.
    package func inclusionProof(of index: Int64, in size: Int64, _ hasher: inout MerkleHasher) throws -> [Digest] {
        try requireSize(size)
        guard index >= 0, index < size else { throw ProofError.outOfRange }
        var range: Range<Int64> = 0..<size
        var result: [Digest] = []
        while range.count > 1 {
            let middle = split(range)
            if index < middle {
                result.append(try hash(middle..<range.upperBound, &hasher))
                range = range.lowerBound..<middle
            } else {
                result.append(try hash(range.lowerBound..<middle, &hasher))
                range = middle..<range.upperBound
            }
        }
        return result.reversed()
    }

    /// The hashes that show that the first `old` leaves of the first `size` leaves are what they were. Empty when `old` is 0 or `size`.
    package func consistencyProof(from old: Int64, to size: Int64, _ hasher: inout MerkleHasher) throws -> [Digest] {
        try requireSize(size)
        guard old >= 0, old <= size else { throw ProofError.outOfRange }
        if old == 0 || old == size { return [] }
        var range: Range<Int64> = 0..<size
        var result: [Digest] = []
        // The old tree itself is known to the verifier as long as it is the left part of every range passed.
        var isKnown = true
        while old != range.upperBound {
            let middle = split(range)
            if old <= middle {
                result.append(try hash(middle..<range.upperBound, &hasher))
                range = range.lowerBound..<middle
            } else {
                result.append(try hash(range.lowerBound..<middle, &hasher))
                range = middle..<range.upperBound
                isKnown = false
            }
        }
        if !isKnown { result.append(try hash(range, &hasher)) }
        return result.reversed()
    }

    private func requireSize(_ size: Int64) throws {
        if size < 0 || size > self.size { throw ProofError.outOfRange }
    }

    private func hash(_ range: Range<Int64>, _ hasher: inout MerkleHasher) throws -> Digest {
        let count = range.upperBound - range.lowerBound
        // Ranges come from splitting at powers of two, so one whose length is a power of two is a complete subtree.
        if count.nonzeroBitCount == 1 {
            let level = count.trailingZeroBitCount
            return try node(level, range.lowerBound >> Int64(level))
        }
        let middle = split(range)
        let left = try hash(range.lowerBound..<middle, &hasher)
        return try hasher.node(left, hash(middle..<range.upperBound, &hasher))
    }

    /// The largest power of two below the length, after the start.
    private func split(_ range: Range<Int64>) -> Int64 {
        let count = range.upperBound - range.lowerBound
        return range.lowerBound + 1 << Int64(63 - (count - 1).leadingZeroBitCount)
    }
}

/// A question that no proof answers.
package enum ProofError: Error, Equatable {
    /// An index or size outside the tree.
    case outOfRange
}

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
