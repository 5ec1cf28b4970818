package import Platform

/// The kinds of files in a repository.
package enum FileType: String, Sendable, Hashable, CaseIterable {
    case pack = "data"
    case index
    case snapshot = "snapshots"
    case key = "keys"
    case lock = "locks"

    /// The word for people.
    var label: String {
        switch self {
        case .pack: "pack"
        case .index: "index"
        case .snapshot: "snapshot"
        case .key: "key"
        case .lock: "lock"
        }
    }
}

/// One stored file.
package struct StoredFile: Sendable, Hashable {
    /// SHA-256 of the content, which is the name.
    package let id: Digest
    package let sizeBytes: UInt64

    package init(id: Digest, sizeBytes: UInt64) {
        self.id = id
        self.sizeBytes = sizeBytes
    }
}

/// Where the files of a repository lie. Blocking; every method may be called from any thread.
///
/// A file appears whole or not at all, and once a method that writes has returned it survives a power cut.
/// Errors are `.missing` for a file that is not there, `.storage` for everything else, with the cause.
package protocol Backend: Sendable {
    /// For people: a path or an address without credentials.
    var description: String { get }
    /// How many requests at once it answers best: writers keep so many files in flight. 2 for a directory, 5 over a network, as in restic.
    var connections: Int { get }

    /// Makes the empty places for all types.
    func create() throws(RepositoryError)

    /// The sealed file `config`.
    func loadConfiguration(limit: Int) throws(RepositoryError) -> [UInt8]
    /// - Throws: `.exists` when there is one already.
    func saveConfiguration(_ bytes: [UInt8]) throws(RepositoryError)

    /// Everything of one type; names that are no IDs are skipped.
    func list(_ type: FileType) throws(RepositoryError) -> [StoredFile]
    /// A whole file of at most `limit` bytes.
    func load(_ type: FileType, _ id: Digest, limit: Int) throws(RepositoryError) -> [UInt8]
    /// A part of a file, all of `buffer`.
    ///
    /// - Throws: `.corrupt` when the file is shorter.
    func read(
        _ type: FileType, _ id: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(RepositoryError)
    /// A part of a pack that holds trees, which are read again and again; storage that keeps copies at hand serves them from there.
    func readTree(_ pack: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(RepositoryError)
    /// Stores a file under `id`, which must be SHA-256 of `bytes`.
    func save(_ type: FileType, _ id: Digest, _ bytes: [UInt8]) throws(RepositoryError)
    /// Begins a file whose name is not known yet; see ``Upload``.
    func openUpload(_ type: FileType) throws(RepositoryError) -> any Upload
    /// Removes a file. A missing one is not an error.
    func remove(_ type: FileType, _ id: Digest) throws(RepositoryError)
    /// Seconds since a file was stored, by the clock of the storage and no other; nil when the storage cannot tell.
    func age(of type: FileType, _ id: Digest) throws(RepositoryError) -> Double?
}

extension Backend {
    package var connections: Int { 2 }
    package func age(of type: FileType, _ id: Digest) throws(RepositoryError) -> Double? { nil }

    package func readTree(_ pack: Digest, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(RepositoryError) {
        try unsafe read(.pack, pack, offset: offset, into: buffer)
    }
}
