package import Platform

/// One blob inside a pack, as headers and index files describe it.
package struct PackEntry: Sendable, Hashable {
    package let type: BlobType
    package let id: Digest
    /// First byte in the pack.
    package let offset: UInt32
    /// Stored bytes, IV and MAC included.
    package let length: UInt32
    /// Size of the plaintext; 0 when the blob is stored without compression.
    package let uncompressedLength: UInt32

    package init(type: BlobType, id: Digest, offset: UInt32, length: UInt32, uncompressedLength: UInt32) {
        self.type = type
        self.id = id
        self.offset = offset
        self.length = length
        self.uncompressedLength = uncompressedLength
    }

    var handle: BlobHandle { BlobHandle(type, id) }
    /// Size of the plaintext in either case.
    var plaintextLength: Int { uncompressedLength == 0 ? max(0, Int(length) - Sealing.overhead) : Int(uncompressedLength) }
    var headerEntryBytes: Int { uncompressedLength == 0 ? PackHeader.plainEntryBytes : PackHeader.compressedEntryBytes }
}
