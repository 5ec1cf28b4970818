package import Platform

package final class Repository: Sendable {
    package let configuration: RepositoryConfiguration
    package let location: FilePath

    init(configuration: RepositoryConfiguration, location: FilePath) {
        self.configuration = configuration
        self.location = location
    }

    private static let pending = RepositoryError(.unsupported, Phrase(verbatim: "not linked yet"))

    /// Makes a repository of format 2.
    package static func create(at path: FilePath, password: [UInt8]) throws(RepositoryError) -> Repository { throw pending }
    /// Opens a repository.
    package static func open(at path: FilePath, password: [UInt8]) throws(RepositoryError) -> Repository { throw pending }
    package func loadIndex() throws(RepositoryError) { throw Self.pending }
    package func contains(_ type: BlobType, _ id: Digest) -> Bool { false }
    /// Plaintext size of a blob without reading it; nil when the index does not have it.
    package func blobSize(_ type: BlobType, _ id: Digest) -> Int? { nil }
    package func loadBlob(_ type: BlobType, _ id: Digest) throws(RepositoryError) -> [UInt8] { throw Self.pending }
    /// Stores a blob unless the repository has it. `id` must be SHA-256 of `plaintext`. Thread-safe.
    @unsafe package func storeBlob(_ type: BlobType, _ id: Digest, _ plaintext: UnsafeRawBufferPointer) throws(RepositoryError) -> StoredBlob {
        throw Self.pending
    }
    package func storeBlob(_ type: BlobType, _ id: Digest, _ plaintext: [UInt8]) throws(RepositoryError) -> StoredBlob {
        throw Self.pending
    }
    package func flush() throws(RepositoryError) { throw Self.pending }
    package func listSnapshots() throws(RepositoryError) -> [Snapshot] { throw Self.pending }
    package func saveSnapshot(_ snapshot: Snapshot) throws(RepositoryError) -> Digest { throw Self.pending }
    /// `reference`: "latest", or the first digits of an ID.
    package func findSnapshot(_ reference: String, filter: SnapshotFilter = .all) throws(RepositoryError) -> Snapshot {
        throw Self.pending
    }
    package func lock(exclusive: Bool) throws(RepositoryError) -> RepositoryLock { throw Self.pending }
    package func check(readData: Bool, progress: (CheckProgress) -> Void) throws(RepositoryError) -> CheckReport {
        throw Self.pending
    }
}

package final class RepositoryLock: Sendable {
    /// Throws when the lock was lost.
    package func verify() throws(RepositoryError) {}
    package func release() {}
}
