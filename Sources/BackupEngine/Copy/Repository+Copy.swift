package import Platform

/// What became of a snapshot that was to be copied.
package enum CopyEvent: Sendable {
    /// The target has it already, under this ID.
    case present(Snapshot, as: Digest)
    case copied(Snapshot, as: Digest)
}

/// How far a copy has come.
package struct CopyProgress: Sendable {
    package let packsDone: Int
    package let packsTotal: Int
}

extension Repository {
    /// Copies snapshots from another repository into this one, with everything they need that is not here yet.
    ///
    /// Trees and blobs keep their content byte for byte; they are opened with the key of the source, verified, and sealed with
    /// ours. Several small snapshots share packs. A snapshot is saved after all it refers to; a run that dies leaves whole
    /// snapshots, and blobs that the next run finds.
    ///
    /// The caller holds shared locks of both.
    ///
    /// - Parameters:
    ///   - snapshots: Of `source`. Those that were copied before are recognised by `original`, and left alone.
    ///   - known: Snapshots here that count for that.
    ///   - progress: Called on the calling thread.
    /// - Throws: `.corrupt` when the source lacks a blob, or has no whole copy of it.
    package func copy(
        _ snapshots: [Snapshot], from source: Repository, known: SnapshotFilter = .all,
        cancellation: CancellationFlag = CancellationFlag(), progress: (CopyProgress) -> Void = { _ in },
        event: (CopyEvent) -> Void = { _ in }
    ) throws(RepositoryError) {
        var present: [Digest: [Snapshot]] = [:]
        for snapshot in try listSnapshots().filter(known.matches) {
            if let original = snapshot.original { present[original, default: []].append(snapshot) }
            present[snapshot.id, default: []].append(snapshot)
        }
        try source.loadIndex()
        try loadIndex()
        var gathering = CopyGathering(source: source, target: self, cancellation: cancellation)
        var batch: [Snapshot] = []
        for (number, snapshot) in snapshots.enumerated() {
            if let copy = present[snapshot.originalID]?.first(where: { Self.isSame($0, snapshot) }) {
                event(.present(snapshot, as: copy.id))
            } else {
                try gathering.add(snapshot.tree)
                batch.append(snapshot)
            }
            guard gathering.bytes >= CopyGathering.batchBytes || number == snapshots.count - 1, !batch.isEmpty else { continue }
            let transfer = BlobTransfer(
                source: source, sourceIndex: gathering.index, target: self, writer: writer, cancellation: cancellation)
            _ = try transfer.run(gathering.takeJobs()) { progress(CopyProgress(packsDone: $0, packsTotal: $1)) }
            for snapshot in batch { event(.copied(snapshot, as: try saveCopy(of: snapshot, from: source))) }
            batch = []
        }
    }

    private func saveCopy(of snapshot: Snapshot, from source: Repository) throws(RepositoryError) -> Digest {
        var document = try source.loadSnapshotDocument(snapshot.id)
        // The parent is a snapshot of the other repository.
        document.removeParent()
        if snapshot.original == nil { document.setOriginal(snapshot.id) }
        let id = try saveSnapshotDocument(document)
        try reach("copy.snapshot-saved")
        return id
    }

    /// True when two snapshots differ in nothing but ID, parent and original.
    private static func isSame(_ one: Snapshot, _ other: Snapshot) -> Bool {
        one.time == other.time && one.tree == other.tree && one.hostname == other.hostname && one.username == other.username
            && one.uid == other.uid && one.gid == other.gid && one.excludes == other.excludes
            && one.paths.count == other.paths.count && Set(one.paths) == Set(other.paths)
            && one.tags.count == other.tags.count && Set(one.tags) == Set(other.tags)
    }
}

/// Finds what the target lacks, tree by tree, and where the source has it.
private struct CopyGathering {
    let source: Repository
    let target: Repository
    let index: BlobIndex
    private let cancellation: CancellationFlag
    private var seen: UsedBlobs
    /// By number of the pack in the index of the source.
    private var entries: [UInt32: [PackEntry]] = [:]
    /// Stored bytes gathered and not yet copied.
    private(set) var bytes: UInt64 = 0

    /// Snapshots are saved when about so much was copied before them: a cut connection costs no more than this.
    static let batchBytes: UInt64 = 1 << 30

    init(source: Repository, target: Repository, cancellation: CancellationFlag) {
        self.source = source
        self.target = target
        self.cancellation = cancellation
        index = source.index.current()
        seen = UsedBlobs(index)
    }

    mutating func add(_ root: Digest) throws(RepositoryError) {
        var waiting: [Digest] = []
        if try add(BlobHandle(.tree, root)) { waiting.append(root) }
        while let tree = waiting.popLast() {
            try cancellation.check()
            let bytes = try source.loadBlob(.tree, tree)
            let references: TreeReferences
            do throws(TreeFormatError) {
                references = try TreeReferences(decoding: bytes)
            } catch {
                throw .corrupt(
                    Phrase(vi: "cây \(tree.short): \(error.message.vi)", en: "tree \(tree.short): \(error.message.en)"), cause: error)
            }
            for blob in references.data { _ = try add(BlobHandle(.data, blob)) }
            for subtree in references.subtrees where try add(BlobHandle(.tree, subtree)) { waiting.append(subtree) }
        }
    }

    /// - Returns: True for a blob that was not seen before.
    private mutating func add(_ handle: BlobHandle) throws(RepositoryError) -> Bool {
        let table = index.table(handle.type)
        guard let number = table.firstNumber(handle.id) else {
            throw RepositoryError(
                .corrupt,
                Phrase(
                    vi: "kho nguồn thiếu \(handle.type.name) \(handle.id.hex)", en: "the source has no \(handle.type.name) \(handle.id.hex)"),
                hint: Phrase(vi: "chạy 'sentinelctl repo check' trên kho nguồn", en: "run 'sentinelctl repo check' on the source"))
        }
        if seen[handle.type, number] != 0 { return false }
        seen[handle.type, number] = 1
        if !target.index.contains(handle) {
            let record = table.records[number]
            entries[record.pack, default: []].append(PackEntry(record, handle.type))
            bytes += UInt64(record.length)
        }
        return true
    }

    mutating func takeJobs() -> [BlobTransfer.Job] {
        let jobs = entries.sorted { $0.key < $1.key }.map { pack, entries in
            BlobTransfer.Job(pack: index.packs[Int(pack)], entries: entries.sorted { $0.offset < $1.offset })
        }
        entries = [:]
        bytes = 0
        return jobs
    }
}
