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
