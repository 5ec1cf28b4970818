internal import Platform
private import Synchronization

/// One examination of a repository, with an index of its own read from disk.
struct RepositoryCheck {
    private let store: ObjectStore
    private var report = CheckReport()
    private var index = BlobIndex()

    init(store: ObjectStore) { self.store = store }

    mutating func run(readData: Bool, progress: (CheckProgress) -> Void) throws(RepositoryError) -> CheckReport {
        // Snapshots before indexes: a backup that ends in between is then seen not at all or whole.
        let roots = try readSnapshots()
        try readIndexes(progress)
        let packs = try comparePacks()
        progress(CheckProgress(stage: .packs, done: report.packs, total: report.packs))
        try walkTrees(roots, progress)
        if readData { try readPacks(packs, progress) }
        return report
    }

    /// The root trees of all snapshots that can be read.
    private mutating func readSnapshots() throws(RepositoryError) -> [(tree: Digest, snapshot: Digest)] {
        var roots: [(tree: Digest, snapshot: Digest)] = []
        for file in try store.backend.list(.snapshot) {
            report.snapshots += 1
            do {
                let snapshot = try SnapshotFile.decode(try store.loadDocument(.snapshot, file.id), id: file.id)
                roots.append((snapshot.tree, file.id))
            } catch {
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
    private mutating func comparePacks() throws(RepositoryError) -> [(file: StoredFile, entries: [PackEntry])] {
        var files: [Digest: StoredFile] = [:]
        for file in try store.backend.list(.pack) { files[file.id] = file }
        report.packs = files.count
        var present: [(file: StoredFile, entries: [PackEntry])] = []
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
            present.append((file, entries))
        }
        for id in files.keys.sorted() {
            report.hint(.orphanedPack, "pack \(id.hex) không nằm trong chỉ mục nào", "pack \(id.hex) is in no index")
        }
        return present
    }

    /// Loads every tree once, and makes sure that the index has what it refers to.
    private mutating func walkTrees(
        _ roots: [(tree: Digest, snapshot: Digest)], _ progress: (CheckProgress) -> Void
    ) throws(RepositoryError) {
        var seen: Set<Digest> = []
        var waiting: [Digest] = []
        for root in roots {
            guard index.first(BlobHandle(.tree, root.tree)) != nil else {
                report.error(
                    .missingBlob, "snapshot \(root.snapshot.short): thiếu cây gốc \(root.tree.hex)",
                    "snapshot \(root.snapshot.short): root tree \(root.tree.hex) is missing")
                continue
            }
            if seen.insert(root.tree).inserted { waiting.append(root.tree) }
            while let tree = waiting.popLast() {
                report.trees += 1
                do {
                    try examine(tree, &seen, &waiting)
                } catch {
                    let reason = Self.explained(error)
                    report.error(.damagedTree, "cây \(tree.hex): \(reason.vi)", "tree \(tree.hex): \(reason.en)")
                }
                if report.trees % 256 == 0 { progress(CheckProgress(stage: .trees, done: report.trees, total: 0)) }
            }
        }
        progress(CheckProgress(stage: .trees, done: report.trees, total: report.trees))
    }

    private mutating func examine(_ tree: Digest, _ seen: inout Set<Digest>, _ waiting: inout [Digest]) throws {
        var decoder = try TreeDecoder(try loadTree(tree))
        while let node = try decoder.next() {
            let place = "\(tree.short)/\(escapedForDisplay(node.name))"
            switch node.kind {
            case .dir:
                guard let subtree = node.subtree else {
                    report.error(.damagedTree, "\(place): thư mục không có cây", "\(place): directory without a tree")
                    continue
                }
                if index.first(BlobHandle(.tree, subtree)) == nil {
                    report.error(.missingBlob, "\(place): thiếu cây \(subtree.hex)", "\(place): tree \(subtree.hex) is missing")
                } else if seen.insert(subtree).inserted {
                    waiting.append(subtree)
                }
            case .file:
                guard let content = node.content else {
                    report.error(.damagedTree, "\(place): tệp không có nội dung", "\(place): file without content")
                    continue
                }
                for blob in content where index.first(BlobHandle(.data, blob)) == nil {
                    report.error(.missingBlob, "\(place): thiếu blob \(blob.hex)", "\(place): blob \(blob.hex) is missing")
                }
            case .irregular, .unknown:
                report.error(.damagedTree, "\(place): loại không hợp lệ", "\(place): invalid type")
            default: break
            }
            if node.name.isEmpty { report.error(.damagedTree, "\(place): tên rỗng", "\(place): empty name") }
        }
    }

    /// A tree from the first copy that is whole; a damaged copy beside a good one is found by reading the data.
    private func loadTree(_ id: Digest) throws(RepositoryError) -> [UInt8] {
        let handle = BlobHandle(.tree, id)
        var failure: RepositoryError?
        for record in index.all(handle) {
            do throws(RepositoryError) {
                return try store.loadBlob(handle, pack: index.packID(record), record)
            } catch {
                failure = error
            }
        }
        throw failure ?? RepositoryError(.missing, Phrase(vi: "không có trong chỉ mục", en: "in no index"))
    }

    // MARK: Reading the data

    private static let readerThreads = 2

    /// What the threads share.
    private struct Reading: Sendable {
        var next = 0
        var done = 0
        var bytes: UInt64 = 0
        var running = 0
        var problems: [(pack: Digest, phrases: [Phrase])] = []
        var failure: RepositoryError?
    }

    private mutating func readPacks(
        _ packs: [(file: StoredFile, entries: [PackEntry])], _ progress: (CheckProgress) -> Void
    ) throws(RepositoryError) {
        let reading = Monitor(Reading())
        var threads: [WorkerThread] = []
        do throws(SystemError) {
            for _ in 0..<Self.readerThreads {
                reading.change { $0.running += 1 }
                threads.append(
                    try WorkerThread(name: "check-read") { [store] in
                        Self.readLoop(store, packs, reading)
                        reading.change { $0.running -= 1 }
                    })
            }
        } catch {
            reading.change { $0.failure = .storage(error) }
        }
        var isRunning = true
        while isRunning {
            isRunning = reading.wait(seconds: 0.25) { $0.running <= Self.readerThreads - threads.count ? true : nil } == nil
            progress(CheckProgress(stage: .data, done: reading.read { $0.done }, total: packs.count))
        }
        for thread in threads { thread.join() }
        let result = reading.read { $0 }
        if let failure = result.failure { throw failure }
        report.packsRead = result.done
        report.bytesRead = result.bytes
        for (pack, phrases) in result.problems.sorted(by: { $0.pack < $1.pack }) {
            for phrase in phrases {
                report.error(.damagedPack, "pack \(pack.hex): \(phrase.vi)", "pack \(pack.hex): \(phrase.en)")
            }
            if !report.damagedPacks.contains(pack) { report.damagedPacks.append(pack) }
        }
    }

    private static func readLoop(
        _ store: ObjectStore, _ packs: [(file: StoredFile, entries: [PackEntry])], _ reading: Monitor<Reading>
    ) {
        do throws(RepositoryError) {
            var verifier = try PackVerifier(store: store)
            while true {
                let number: Int? = reading.change { state in
                    guard state.failure == nil, state.next < packs.count else { return nil }
                    state.next += 1
                    return state.next - 1
                }
                guard let number else { return }
                let pack = packs[number]
                let problems = verifier.problems(of: pack.file, indexed: pack.entries)
                reading.change { state in
                    state.done += 1
                    state.bytes += pack.file.sizeBytes
                    if !problems.isEmpty { state.problems.append((pack.file.id, problems)) }
                }
            }
        } catch {
            reading.change { $0.failure = error }
        }
    }
}
