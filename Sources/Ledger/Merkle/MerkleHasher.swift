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
