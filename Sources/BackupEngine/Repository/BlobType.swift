package import Platform

/// What a blob holds. Identity in a repository is the pair (type, SHA-256 of the plaintext).
package enum BlobType: UInt8, Sendable, Hashable, CaseIterable {
    case data = 0
    case tree = 1

    /// The word in index files and messages.
    package var name: String {
        switch self {
        case .data: "data"
        case .tree: "tree"
        }
    }
}

/// Type and ID of one blob.
package struct BlobHandle: Sendable, Hashable {
    package let type: BlobType
    package let id: Digest

    package init(_ type: BlobType, _ id: Digest) {
        self.type = type
        self.id = id
    }
}

/// What became of a blob handed to ``Repository/storeBlob(_:_:_:)-(_,_,UnsafeRawBufferPointer)``.
package struct StoredBlob: Sendable, Hashable {
    /// False when the repository had the blob already, or another thread has just stored it.
    package let isNew: Bool
    /// Bytes added to a pack, encryption overhead included; 0 when not new.
    package let storedBytes: Int
}
