internal import Platform

/// What snapshots hold, counted in one of restic's four ways.
package struct SnapshotStatistics: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// What a restore of each snapshot would write.
        case restoreSize = "restore-size"
        /// Files with different content, each once.
        case filesByContents = "files-by-contents"
        /// Blobs, each once for every file and path that refers to it.
        case blobsPerFile = "blobs-per-file"
        /// Blobs as they are stored, each once.
        case rawData = "raw-data"
    }

    package private(set) var snapshots = 0
    package private(set) var files: UInt64 = 0
    package private(set) var blobs: UInt64 = 0
    package private(set) var bytes: UInt64 = 0
    /// With the overhead of encryption, as ``bytes`` in the mode for raw data; 0 in the others and in format 1.
    package private(set) var uncompressedBytes: UInt64 = 0
    private var compressedBlobBytes: UInt64 = 0
    private var compressedBlobUncompressedBytes: UInt64 = 0

    /// Of the compressed blobs; 0 when there is none.
    package var compressionRatio: Double {
        compressedBlobBytes == 0 ? 0 : Double(compressedBlobUncompressedBytes) / Double(compressedBlobBytes)
    }
    /// Percent of the data that is stored compressed.
    package var compressionProgress: Double {
        uncompressedBytes == 0 ? 0 : Double(compressedBlobUncompressedBytes) / Double(uncompressedBytes) * 100
    }
    /// Percent.
    package var spaceSaving: Double { uncompressedBytes == 0 ? 0 : (1 - Double(bytes) / Double(uncompressedBytes)) * 100 }

    private init() {}

    /// Counts.
    ///
    /// - Parameter repository: Its index has been loaded.
    /// - Throws: For a tree that cannot be had or a blob that is in no index: a sum that lacks something must not look complete.
    package static func count(
        _ snapshots: [Snapshot], in repository: Repository, _ mode: Mode, cancellation: CancellationFlag = CancellationFlag()
    ) throws(RepositoryError) -> SnapshotStatistics {
        var result = SnapshotStatistics()
        var seenTrees: Set<Digest> = []
        var usedBlobs: Set<BlobHandle> = []
        var contents: Set<[Digest]> = []
        var perFile: Set<FileBlob> = []
        var paths: Set<FilePath> = []
        for snapshot in snapshots {
            try cancellation.check()
            result.snapshots += 1
            if mode == .rawData {
                if !seenTrees.insert(snapshot.tree).inserted { continue }
                usedBlobs.insert(BlobHandle(.tree, snapshot.tree))
            }
            var linked: Set<FileIdentity> = []
            try SnapshotWalk(repository: repository).run(snapshot.tree) { (entry) throws(RepositoryError) in
                try cancellation.check()
                let node = entry.node
                switch mode {
                case .restoreSize:
                    result.files += 1
                    let isFirst =
                        node.links == 1 || node.kind == .dir || node.inode == 0
                        || linked.insert(FileIdentity(device: node.deviceID, inode: node.inode)).inserted
                    if isFirst { result.bytes += node.size }
                case .filesByContents:
                    if contents.insert(node.content ?? []).inserted {
                        result.files += 1
                        result.bytes += node.size
                    }
                case .blobsPerFile:
                    guard contents.insert(node.content ?? []).inserted else { break }
                    for id in node.content ?? [] {
                        guard perFile.insert(FileBlob(path: entry.path, blob: id)).inserted else { continue }
                        guard let size = repository.blobSize(.data, id) else { throw missing(id) }
                        if paths.insert(entry.path).inserted { result.files += 1 }
                        result.bytes += UInt64(size)
                        result.blobs += 1
                    }
                case .rawData:
                    for id in node.content ?? [] { usedBlobs.insert(BlobHandle(.data, id)) }
                    guard node.kind == .dir, let subtree = node.subtree else { break }
                    usedBlobs.insert(BlobHandle(.tree, subtree))
                    return seenTrees.insert(subtree).inserted ? .enter : .pass
                }
                return .enter
            }
        }
        for blob in usedBlobs { try result.add(blob, repository) }
        return result
    }

    private struct FileBlob: Hashable {
        let path: FilePath
        let blob: Digest
    }

    private static func missing(_ id: Digest) -> RepositoryError {
        RepositoryError(.missing, Phrase(vi: "kho thiếu khối \(id.short)", en: "the repository lacks blob \(id.short)"))
    }

    private mutating func add(_ blob: BlobHandle, _ repository: Repository) throws(RepositoryError) {
        guard let record = repository.index.locations(blob).first?.record else { throw Self.missing(blob.id) }
        blobs += 1
        bytes += UInt64(record.length)
        guard repository.configuration.version >= 2 else { return }
        let isCompressed = record.uncompressedLength != 0
        let plain = isCompressed ? UInt64(record.uncompressedLength) + UInt64(Sealing.overhead) : UInt64(record.length)
        uncompressedBytes += plain
        if isCompressed {
            compressedBlobBytes += UInt64(record.length)
            compressedBlobUncompressedBytes += plain
        }
    }
}
