import Ledger
import Platform
import TestSupport
import Testing

/// The hash of RFC 6962, section 2.1, written down as it stands there.
private func referenceRoot(_ leaves: ArraySlice<[UInt8]>) throws -> Digest {
    if leaves.isEmpty { return try SHA256.hash([]) }
    if leaves.count == 1, let leaf = leaves.first { return try SHA256.hash([0] + leaf) }
    var split = 1
    while split * 2 < leaves.count { split *= 2 }
    let middle = leaves.startIndex + split
    return try SHA256.hash([1] + referenceRoot(leaves[..<middle]).bytes + referenceRoot(leaves[middle...]).bytes)
}

/// A tree in memory, grown leaf by leaf.
private struct GrownTree {
    var frontier = MerkleFrontier()
    var nodes: [String: Digest] = [:]
    let leaves: [[UInt8]]
    var leafHashes: [Digest] = []

    init(_ count: Int) throws {
        leaves = (0..<count).map { Array("leaf \($0)".utf8) }
        var hasher = try MerkleHasher()
        for leaf in leaves {
            let hash = try hasher.leaf(leaf)
            leafHashes.append(hash)
            for node in try frontier.append(hash, &hasher) { nodes["\(node.level)/\(node.index)"] = node.hash }
        }
    }

    var tree: MerkleTree {
        MerkleTree(size: frontier.size) { level, index in try #require(nodes["\(level)/\(index)"]) }
    }
}

@Suite struct MerkleTests {
    @Test func `golden vectors of the empty tree, an empty leaf and three leaves`() throws {
        var hasher = try MerkleHasher()
        #expect(try hasher.empty().hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(try MerkleFrontier().root(&hasher) == hasher.empty())
        #expect(try hasher.leaf([]).hex == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
        var frontier = MerkleFrontier()
        for letter in ["a", "b", "c"] { _ = try frontier.append(hasher.leaf(Array(letter.utf8)), &hasher) }
        #expect(try frontier.root(&hasher).hex == "36642e73c2540ab121e3a6bf9545b0a24982cd830eb13d3cd19de3ce6c021ec1")
    }

    @Test func `roots of all sizes up to 65 are those of the definition`() throws {
        let grown = try GrownTree(65)
        var hasher = try MerkleHasher()
        for size in 0...65 {
            let expected = try referenceRoot(grown.leaves[..<size])
            #expect(try grown.tree.root(of: Int64(size), &hasher) == expected)
            #expect(try GrownTree(size).frontier.root(&hasher) == expected)
        }
    }

    @Test func `inclusion holds for every leaf of every size up to 65, and for nothing else`() throws {
        let grown = try GrownTree(65)
        var hasher = try MerkleHasher()
        for size in Int64(1)...65 {
            let root = try grown.tree.root(of: size, &hasher)
            for index in 0..<size {
                let hashes = try grown.tree.inclusionProof(of: index, in: size, &hasher)
                let leaf = grown.leafHashes[Int(index)]
                #expect(try MerkleProof.isIncluded(leaf, at: index, in: size, root: root, hashes: hashes, &hasher))
                let other = grown.leafHashes[Int((index + 1) % 65)]
                #expect(try !MerkleProof.isIncluded(other, at: index, in: size, root: root, hashes: hashes, &hasher))
                #expect(try !MerkleProof.isIncluded(leaf, at: index, in: size, root: root, hashes: hashes + [leaf], &hasher))
                #expect(try !MerkleProof.isIncluded(leaf, at: size, in: size, root: root, hashes: hashes, &hasher))
                if !hashes.isEmpty {
                    let short = Array(hashes.dropLast())
                    #expect(try !MerkleProof.isIncluded(leaf, at: index, in: size, root: root, hashes: short, &hasher))
                    #expect(try !MerkleProof.isIncluded(leaf, at: index ^ 1, in: size, root: root, hashes: hashes, &hasher))
                }
            }
        }
    }

    @Test func `consistency holds between all sizes up to 65, and with no other root`() throws {
        let grown = try GrownTree(65)
        var hasher = try MerkleHasher()
        for size in Int64(0)...65 {
            let root = try grown.tree.root(of: size, &hasher)
            for old in 0...size {
                let oldRoot = try grown.tree.root(of: old, &hasher)
                let hashes = try grown.tree.consistencyProof(from: old, to: size, &hasher)
                #expect(try MerkleProof.isConsistent(oldRoot, of: old, with: root, of: size, hashes: hashes, &hasher))
                #expect(try !MerkleProof.isConsistent(.zero, of: old, with: root, of: size, hashes: hashes, &hasher))
                #expect(try !MerkleProof.isConsistent(oldRoot, of: old, with: root, of: size, hashes: hashes + [root], &hasher))
                if old > 0 {
                    #expect(try !MerkleProof.isConsistent(oldRoot, of: old, with: .zero, of: size, hashes: hashes, &hasher))
                }
            }
        }
    }

    @Test func `places outside the tree are refused, not computed`() throws {
        let grown = try GrownTree(5)
        var hasher = try MerkleHasher()
        #expect(throws: ProofError.outOfRange) { try grown.tree.inclusionProof(of: 5, in: 5, &hasher) }
        #expect(throws: ProofError.outOfRange) { try grown.tree.inclusionProof(of: 0, in: 6, &hasher) }
        #expect(throws: ProofError.outOfRange) { try grown.tree.consistencyProof(from: 4, to: 3, &hasher) }
        #expect(try !MerkleProof.isIncluded(.zero, at: -1, in: 5, root: .zero, hashes: [], &hasher))
        #expect(try !MerkleProof.isConsistent(.zero, of: -1, with: .zero, of: .max, hashes: [], &hasher))
    }

    @Test func `random proofs are false`() throws {
        var random = SeededRandom(for: "ledger.proofs")
        var hasher = try MerkleHasher()
        for _ in 0..<2000 {
            let hashes = try (0..<random.number(0..<70)).map { _ in try #require(Digest(random.bytes(32))) }
            let size = Int64.random(in: 0...Int64.max, using: &random) >> Int64(random.number(0..<63))
            let index = Int64.random(in: 0...size, using: &random)
            let root = try #require(Digest(random.bytes(32)))
            #expect(try !MerkleProof.isIncluded(root, at: index, in: size, root: .zero, hashes: hashes, &hasher))
            #expect(try !MerkleProof.isConsistent(root, of: index, with: .zero, of: size, hashes: hashes, &hasher))
        }
    }
}
