package import Platform

/// What `prune` did beside what was planned.
package struct PruneReport: Sendable {
    /// Packs that could not be removed; the next prune tries again.
    package internal(set) var unremovedPacks: [(id: Digest, error: RepositoryError)] = []
    package internal(set) var packsRemoved = 0
}

extension Repository {
    /// Finds out what can be removed and what must be rewritten. Changes nothing.
    ///
    /// The caller holds an exclusive lock, or wants to see a plan only. Loads the index.
    ///
    /// - Parameters:
    ///   - ignoring: Snapshots that count as removed.
    ///   - progress: Called on the calling thread.
    /// - Throws: `.corrupt` when a snapshot, tree or blob that is in use cannot be found: then nothing may be removed.
    package func planPrune(
        _ options: PruneOptions, ignoring: Set<Digest> = [], cancellation: CancellationFlag = CancellationFlag(),
        progress: (PruneProgress) -> Void = { _ in }
    ) throws(RepositoryError) -> PrunePlan {
        if configuration.version < 2, options.repacksUncompressed {
            throw RepositoryError(
                .unsupported, Phrase(vi: "kho định dạng 1 không nén", en: "compression needs a repository of format 2"))
        }
        if let bytes = options.smallPackBytes, bytes > UInt64(writing.packSizeBytes) {
            throw RepositoryError(
                .invalidArgument,
                Phrase(
                    vi: "cỡ gói nhỏ vượt cỡ gói \(writing.packSizeBytes) byte",
                    en: "the size of small packs exceeds the pack size of \(writing.packSizeBytes) bytes"))
        }
        var roots: [Digest] = []
        for file in try store.backend.list(.snapshot) where !ignoring.contains(file.id) { roots.append(try loadSnapshot(file.id).tree) }
        try loadIndex()
        let index = index.current()
        let used = try UsedBlobSearch(self, index, cancellation).find(from: roots) { progress(PruneProgress(stage: .trees, done: $0, total: 0)) }
        var planner = PrunePlanner(options: options, version: configuration.version, index: index, used: used)
        return try planner.plan(try store.backend.list(.pack))
    }

    /// Carries out a plan: new packs, then their index, then the old index files go, and the old packs last.
    ///
    /// At any moment everything that a snapshot needs is stored and indexed; a run that dies is completed by the next one.
    /// Afterwards the index must be loaded again.
    ///
    /// - Parameters:
    ///   - lock: The exclusive lock that was held since before the plan; verified before each removal.
    ///   - progress: Called on the calling thread.
    /// - Throws: `.corrupt` when a blob that must move has no whole copy: then no pack has been removed that is in use.
    package func prune(
        _ plan: consuming PrunePlan, lock: RepositoryLock, cancellation: CancellationFlag = CancellationFlag(),
        progress: (PruneProgress) -> Void = { _ in }
    ) throws(RepositoryError) -> PruneReport {
        var report = PruneReport()
        try removePacks(plan.unreferencedPacks, stage: "prune.unreferenced-removed", lock, &report, cancellation) { _, _ in }
        if !plan.repackPacks.isEmpty {
            // A writer of its own: the index in memory, which the plan shares, must not grow while blobs move.
            let transfer = BlobTransfer(
                source: self, sourceIndex: plan.index, target: self,
                writer: PackWriter(store: store, index: SharedIndex(), packSizeBytes: writing.packSizeBytes),
                compressesPlain: configuration.version >= 2 && plan.options.repacksUncompressed, cancellation: cancellation)
            let jobs = Self.jobs(plan)
            _ = try transfer.run(jobs) { progress(PruneProgress(stage: .repacking, done: $0, total: $1)) }
            try reach("prune.repacked")
        }
        let leaving = plan.removePacks + plan.repackPacks
        let unnamed = Set(leaving).union(plan.lostPacks)
        let recovers = plan.options.recoversFullStorage
        if recovers {
            try removeIndexesAndPacks(plan, leaving, lock, &report, progress)
        } else if !unnamed.isEmpty {
            var rewriter = IndexRewriter(store: store) { () throws(RepositoryError) in try lock.verify() }
            try rewriter.rewrite(try store.backend.list(.index), removing: unnamed) { progress(PruneProgress(stage: .indexes, done: $0, total: $1)) }
            try rewriter.finish()
            try removePacks(leaving, stage: "prune.pack-removed", lock, &report, cancellation) {
                progress(PruneProgress(stage: .removing, done: $0, total: $1))
            }
        }
        index.removeAll()
        return report
    }

    private func removePacks(
        _ packs: [Digest], stage: StaticString, _ lock: RepositoryLock, _ report: inout PruneReport, _ cancellation: CancellationFlag,
        progress: (Int, Int) -> Void
    ) throws(RepositoryError) {
        for (number, pack) in packs.enumerated() {
            try cancellation.check()
            try lock.verify()
            do throws(RepositoryError) {
                try store.backend.remove(.pack, pack)
                report.packsRemoved += 1
            } catch {
                // A pack too many does no harm: it is in no index, and the next prune finds it.
                report.unremovedPacks.append((pack, error))
            }
            try reach(stage)
            progress(number + 1, packs.count)
        }
    }

    /// For a storage without a free byte: everything goes first, and the index comes back from memory.
    private func removeIndexesAndPacks(
        _ plan: borrowing PrunePlan, _ leaving: [Digest], _ lock: RepositoryLock, _ report: inout PruneReport,
        _ progress: (PruneProgress) -> Void
    ) throws(RepositoryError) {
        let gone = Set(leaving).union(plan.lostPacks)
        let entries = plan.index.entriesByPack()
        var rewriter = IndexRewriter(store: store) { () throws(RepositoryError) in try lock.verify() }
        for file in try store.backend.list(.index) {
            try lock.verify()
            try store.backend.remove(.index, file.id)
        }
        // From here on there is no way back: a cancellation would leave a repository without an index.
        try removePacks(leaving, stage: "prune.pack-removed", lock, &report, CancellationFlag()) {
            progress(PruneProgress(stage: .removing, done: $0, total: $1))
        }
        for (number, pack) in plan.index.packs.enumerated() where !gone.contains(pack) { try rewriter.add(pack, entries[number]) }
        try rewriter.finish()
    }

    /// What to read out of the packs to be repacked: each blob once, from the first of them that has it.
    private static func jobs(_ plan: borrowing PrunePlan) -> [BlobTransfer.Job] {
        var places: [Int: Int] = [:]
        let numbers = Dictionary(uniqueKeysWithValues: plan.index.packs.enumerated().map { ($1, $0) })
        var lists = [[PackEntry]](repeating: [], count: plan.repackPacks.count)
        for (place, pack) in plan.repackPacks.enumerated() {
            if let number = numbers[pack] { places[number] = place }
        }
        var kept = plan.kept
        for type in BlobType.allCases {
            let table = plan.index.table(type)
            for record in table.records {
                guard let place = places[Int(record.pack)], let first = table.firstNumber(record.id), kept[type, first] == 1 else { continue }
                kept[type, first] = 0
                lists[place].append(PackEntry(record, type))
            }
        }
        return zip(plan.repackPacks, lists).compactMap { pack, entries in
            entries.isEmpty ? nil : BlobTransfer.Job(pack: pack, entries: entries.sorted { $0.offset < $1.offset })
        }
    }
}
