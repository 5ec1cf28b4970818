package import Platform

/// What `repair index` mended.
package struct IndexRepairReport: Sendable {
    /// Packs that no index named, or that it gave another size.
    package internal(set) var addedPacks: [Digest] = []
    /// Packs that the index named and that are not there.
    package internal(set) var missingPacks: [Digest] = []
    /// Packs whose header cannot be read: left where they are, in no index; the next prune removes them.
    package internal(set) var unreadablePacks: [(id: Digest, error: RepositoryError)] = []
    /// Index files that cannot be read: removed.
    package internal(set) var unreadableIndexes: [Digest] = []
    /// True when index files were written anew.
    package internal(set) var isChanged = false
}

extension Repository {
    /// Makes the index say what the packs hold.
    ///
    /// Headers are read of packs that are in no index or have another size than the index says; with `readsAllPacks` of all.
    /// New index files are durable before old ones go. The caller holds an exclusive lock; the index must be loaded anew afterwards.
    ///
    /// - Parameter progress: Called on the calling thread, with the number of packs whose header was read.
    package func repairIndex(
        readsAllPacks: Bool, lock: RepositoryLock, cancellation: CancellationFlag = CancellationFlag(),
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(RepositoryError) -> IndexRepairReport {
        var report = IndexRepairReport()
        var rewriter = IndexRewriter(store: store) { () throws(RepositoryError) in try lock.verify() }
        let files = try store.backend.list(.index)
        var readable: [StoredFile] = []
        var sizes: [Digest: UInt64] = [:]
        if readsAllPacks {
            for file in files { rewriter.discard(file.id) }
        } else {
            var known = BlobIndex()
            for file in files {
                do {
                    let bytes = try store.loadDocument(.index, file.id, limit: IndexFile.sizeLimitBytes)
                    var packs: [(Digest, [PackEntry])] = []
                    try IndexFile.decode(bytes) { pack, entries in packs.append((pack, entries)) }
                    for (pack, entries) in packs { known.insert(pack: pack, entries) }
                    readable.append(file)
                } catch let error as RepositoryError where error.code == .storage {
                    throw error
                } catch let error as RepositoryError where error.code == .missing {
                    continue
                } catch {
                    report.unreadableIndexes.append(file.id)
                    rewriter.discard(file.id)
                }
            }
            sizes = Self.packSizes(known)
        }
        var toRead: [StoredFile] = []
        var wrong: Set<Digest> = []
        for file in try store.backend.list(.pack) {
            if sizes.removeValue(forKey: file.id) != file.sizeBytes {
                toRead.append(file)
                wrong.insert(file.id)
            }
        }
        report.missingPacks = sizes.keys.sorted()
        wrong.formUnion(sizes.keys)
        for (number, file) in toRead.enumerated() {
            try cancellation.check()
            do throws(RepositoryError) {
                try rewriter.add(file.id, try store.loadPackHeader(file))
                report.addedPacks.append(file.id)
            } catch {
                if error.code == .storage { throw error }
                report.unreadablePacks.append((file.id, error))
            }
            progress(number + 1, toRead.count)
        }
        report.isChanged = readsAllPacks || !wrong.isEmpty || !report.unreadableIndexes.isEmpty
        if report.isChanged {
            try rewriter.rewrite(readable, removing: wrong)
            try rewriter.finish()
        }
        index.removeAll()
        return report
    }

    /// The sizes that packs must have by an index.
    private static func packSizes(_ index: BlobIndex) -> [Digest: UInt64] {
        var sizes = [UInt64](repeating: PackHeader.packSize(of: []), count: index.packs.count)
        for type in BlobType.allCases {
            for record in index.table(type).records {
                sizes[Int(record.pack)] += UInt64(record.length) + UInt64(PackEntry(record, type).headerEntryBytes)
            }
        }
        return Dictionary(uniqueKeysWithValues: zip(index.packs, sizes))
    }
}
