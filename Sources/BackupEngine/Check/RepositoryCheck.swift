internal import Platform

/// One examination of a repository, with an index of its own read from disk.
struct RepositoryCheck {
    private let store: ObjectStore
    private let options: CheckOptions
    private let cancellation: CancellationFlag
    private var report = CheckReport()
    private var index = BlobIndex()

    init(store: ObjectStore, options: CheckOptions, cancellation: CancellationFlag) {
        self.store = store
        self.options = options
        self.cancellation = cancellation
    }

    mutating func run(_ progress: (CheckProgress) -> Void) throws(RepositoryError) -> CheckReport {
        let began = Monotonic.nanoseconds()
        // Snapshots before indexes before packs: a backup that ends in between is then seen not at all or whole.
        let roots = try readSnapshots()
        try examineSmallFiles(.key)
        try examineSmallFiles(.lock)
        try readIndexes(progress)
        try cancellation.check()
        var packs = try comparePacks()
        progress(CheckProgress(stage: .packs, done: report.packs, total: report.packs))
        let trees = try walkTrees(roots, progress)
        if options.isFiltered {
            let used = Set(trees.usedPacks.map { index.packs[Int($0)] })
            packs.removeAll { !used.contains($0.file.id) }
        }
        packs = options.readData.select(from: packs)
        if !packs.isEmpty { try readPacks(packs, progress) }
        report.durationSeconds = Double(Monotonic.nanoseconds() - began) / 1e9
        return report
    }

    private var threadCount: Int {
        if options.workerCount > 0 { return min(64, options.workerCount) }
        return min(16, max(ThreadPriority.processorCount, store.backend.connections))
    }

    /// Keys and locks are plain or small; that their content is what their names say is all there is to check.
    private mutating func examineSmallFiles(_ type: FileType) throws(RepositoryError) {
        // An empty lock is one whose writer died at the wrong moment; restic passes over it, too.
        for file in try store.backend.list(type) where !(type == .lock && file.sizeBytes == 0) {
            do throws(RepositoryError) {
                if try store.isIntact(type, file.id) { continue }
                report.error(
                    .damagedFile, "\(type.label) \(file.id.hex): nội dung không khớp tên (SHA-256)",
                    "\(type.label) \(file.id.hex): the content does not match the name (SHA-256)")
            } catch {
                // Locks come and go.
                if error.code == .missing && type == .lock { continue }
                report.error(
                    .damagedFile, "\(type.label) \(file.id.hex): \(error.message.vi)", "\(type.label) \(file.id.hex): \(error.message.en)")
            }
        }
    }

    /// The root trees of all snapshots that can be read.
    private mutating func readSnapshots() throws(RepositoryError) -> [(tree: Digest, snapshot: Digest)] {
        var roots: [(tree: Digest, snapshot: Digest)] = []
        let files = try store.backend.list(.snapshot)
        for id in options.snapshots where !files.contains(where: { $0.id == id }) {
            throw RepositoryError(.missing, Phrase(vi: "không có snapshot \(id.short)", en: "there is no snapshot \(id.short)"))
        }
        for file in files {
            if !options.snapshots.isEmpty && !options.snapshots.contains(file.id) { continue }
            do {
                let snapshot = try SnapshotFile.decode(try store.loadDocument(.snapshot, file.id), id: file.id)
                if let filter = options.filter, options.snapshots.isEmpty, !filter.matches(snapshot) { continue }
                report.snapshots += 1
                roots.append((snapshot.tree, file.id))
            } catch {
                report.snapshots += 1
                report.damagedSnapshots.append(file.id)
                let reason = Self.explained(error)
                report.error(
                    .unreadableSnapshot, "snapshot \(file.id.hex): \(reason.vi)", "snapshot \(file.id.hex): \(reason.en)")
            }
        }
        return roots
    }

    private static func explained(_ error: any Error) -> Phrase {
        (error as? any ExplainedError)?.message ?? Phrase(verbatim: "\(error)")
    }

    private mutating func readIndexes(_ progress: (CheckProgress) -> Void) throws(RepositoryError) {
        let files = try store.backend.list(.index)
        for file in files {
            report.indexes += 1
            var duplicates = 0
            do {
                let bytes = try store.loadDocument(.index, file.id, limit: IndexFile.sizeLimitBytes)
                try IndexFile.decode(bytes) { pack, entries in duplicates += index.insert(pack: pack, entries) }
            } catch {
                let reason = Self.explained(error)
                report.error(.unreadableIndex, "chỉ mục \(file.id.hex): \(reason.vi)", "index \(file.id.hex): \(reason.en)")
            }
            if duplicates > 0 {
                report.hint(
                    .duplicateIndexEntry, "chỉ mục \(file.id.short) lặp lại \(duplicates) blob đã có",
                    "index \(file.id.short) repeats \(duplicates) blobs")
            }
            progress(CheckProgress(stage: .indexes, done: report.indexes, total: files.count))
        }
        report.blobs = index.blobCount
    }

    /// Compares the pack files with what the indexes say about them.
    ///
    /// - Returns: Packs that are there and indexed, with their blobs in the order of offsets.
    private mutating func comparePacks() throws(RepositoryError) -> [IndexedPack] {
        var files: [Digest: StoredFile] = [:]
        for file in try store.backend.list(.pack) { files[file.id] = file }
        report.packs = files.count
        var present: [IndexedPack] = []
        for (id, entries) in zip(index.packs, index.entriesByPack()) {
            if Set(entries.map(\.type)).count > 1, store.configuration.version >= 2 {
                report.hint(.mixedPack, "pack \(id.short) trộn dữ liệu và cây", "pack \(id.short) mixes data and trees")
            }
            guard let file = files.removeValue(forKey: id) else {
                report.error(.missingPack, "thiếu pack \(id.hex)", "pack \(id.hex) is missing")
                report.damagedPacks.append(id)
                continue
            }
            let expected = PackHeader.packSize(of: entries)
            if file.sizeBytes != expected {
                report.error(
                    .wrongPackSize, "pack \(id.hex) dài \(file.sizeBytes) byte, cần \(expected)",
                    "pack \(id.hex) has \(file.sizeBytes) bytes, expected \(expected)")
                report.damagedPacks.append(id)
            }
            present.append(IndexedPack(file: file, entries: entries))
        }
        if options.isShared { return present }
        for id in files.keys.sorted() {
            report.hint(.orphanedPack, "pack \(id.hex) không nằm trong chỉ mục nào", "pack \(id.hex) is in no index")
        }
        return present
    }

    /// Loads every tree once, and makes sure that the index has what it refers to.
    private mutating func walkTrees(
        _ roots: [(tree: Digest, snapshot: Digest)], _ progress: (CheckProgress) -> Void
    ) throws(RepositoryError) -> TreeCheck.Result {
        var trees: [Digest] = []
        for root in roots {
            if index.first(BlobHandle(.tree, root.tree)) != nil {
                trees.append(root.tree)
            } else {
                report.error(
                    .missingBlob, "snapshot \(root.snapshot.short): thiếu cây gốc \(root.tree.hex)",
                    "snapshot \(root.snapshot.short): root tree \(root.tree.hex) is missing")
            }
        }
        let check = TreeCheck(store, index, roots: trees, recordsPacks: options.isFiltered, cancellation: cancellation)
        let result = try check.run(threads: threadCount, progress)
        report.trees = result.trees
        report.add(result.findings)
        return result
    }

    private mutating func readPacks(_ packs: [IndexedPack], _ progress: (CheckProgress) -> Void) throws(RepositoryError) {
        let result = try PackReading.run(store, packs, threads: threadCount, cancellation: cancellation, progress)
        report.packsRead = result.packs
        report.bytesRead = result.bytes
        for (pack, phrases) in result.problems {
            for phrase in phrases {
                report.error(.damagedPack, "pack \(pack.hex): \(phrase.vi)", "pack \(pack.hex): \(phrase.en)")
            }
            if !report.damagedPacks.contains(pack) { report.damagedPacks.append(pack) }
        }
    }
}
