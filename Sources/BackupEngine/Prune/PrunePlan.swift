package import Platform

/// What `prune` will do. Making it changes nothing; it is carried out once, under the lock it was made under.
package struct PrunePlan: Sendable {
    package internal(set) var statistics = PruneStatistics()
    /// Packs in no index: removed first.
    package internal(set) var unreferencedPacks: [Digest] = []
    /// Packs whose used blobs move into new packs.
    package internal(set) var repackPacks: [Digest] = []
    /// Packs without a used blob.
    package internal(set) var removePacks: [Digest] = []
    /// Packs that the index names, that are not there, and that nobody needs.
    package internal(set) var lostPacks: [Digest] = []

    let options: PruneOptions
    /// The index that the plan is about.
    let index: BlobIndex
    /// 1 for blobs that must be copied out of the packs to be repacked, because no kept pack has them.
    var kept: UsedBlobs

    /// True when there is nothing to do.
    package var isEmpty: Bool { unreferencedPacks.isEmpty && repackPacks.isEmpty && removePacks.isEmpty && lostPacks.isEmpty }
}

/// Decides pack by pack, by restic's rules; see `PlanPrune` there and docs/format.md.
struct PrunePlanner {
    private let options: PruneOptions
    private let version: Int
    private let index: BlobIndex
    private var used: UsedBlobs
    private var packs: [PackUse]
    private var statistics = PruneStatistics()

    /// What is known about a pack from the index.
    private struct PackUse {
        enum Content { case none, data, trees, mixed }
        var content = Content.none
        var hasUncompressed = false
        var usedBlobs: UInt32 = 0
        var unusedBlobs: UInt32 = 0
        /// Of the unused ones: used blobs of which another copy may be kept.
        var duplicateBlobs: UInt32 = 0
        /// With the header, IVs and MACs.
        var usedBytes: UInt64 = 0
        var unusedBytes: UInt64 = 0
        var isListed = false

        var bytes: UInt64 { usedBytes + unusedBytes }
    }

    private struct Candidate {
        let number: Int
        let mustCompress: Bool
    }

    private static let smallestPackBytes: UInt64 = 4 << 20
    /// Fewer small packs than this are left alone: else a repository with one short pack would be repacked for ever.
    private static let smallPackCount = 10

    init(options: PruneOptions, version: Int, index: BlobIndex, used: UsedBlobs) {
        self.options = options
        self.version = version
        self.index = index
        self.used = used
        packs = [PackUse](repeating: PackUse(), count: index.packs.count)
    }

    /// - Throws: `.corrupt` when the storage lacks a pack that is needed, or has it in another size.
    mutating func plan(_ stored: [StoredFile]) throws(RepositoryError) -> PrunePlan {
        countCopies()
        describePacks()
        chooseCopies()
        var plan = PrunePlan(options: options, index: index, kept: used)
        let target = smallPackLimit()
        let numbers = Dictionary(uniqueKeysWithValues: index.packs.enumerated().map { ($1, $0) })
        var candidates: [Candidate] = []
        var small: [Candidate] = []
        for file in stored {
            guard let number = numbers[file.id] else {
                plan.unreferencedPacks.append(file.id)
                statistics.bytes.unreferenced += file.sizeBytes
                continue
            }
            packs[number].isListed = true
            try judge(number, file, target, &plan, &candidates, &small)
        }
        try findLostPacks(&plan)
        if small.count < Self.smallPackCount {
            statistics.packs.keep += small.count
        } else {
            candidates += small
        }
        chooseRepacks(candidates, target, &plan)
        statistics.packs.unreferenced = plan.unreferencedPacks.count
        statistics.packs.repack = plan.repackPacks.count
        statistics.packs.remove = plan.removePacks.count
        if version < 2 { statistics.bytes.uncompressed = 0 }
        keepOnlyMoved(&plan)
        plan.statistics = statistics
        return plan
    }

    /// Turns the marks into numbers of copies: 1 for one, up to 255.
    private mutating func countCopies() {
        for type in BlobType.allCases {
            let table = index.table(type)
            for (number, record) in table.records.enumerated() {
                guard let first = table.firstNumber(record.id), first != number, used[type, first] > 0 else { continue }
                // Saturated, the choice among the copies may be less than the best, and nothing else.
                if used[type, first] < .max { used[type, first] += 1 }
            }
        }
    }

    private mutating func describePacks() {
        for number in packs.indices { packs[number].usedBytes = UInt64(Sealing.overhead + PackHeader.lengthFieldBytes) }
        for type in BlobType.allCases {
            let table = index.table(type)
            for record in table.records {
                let isCompressed = record.uncompressedLength != 0
                let length = UInt64(record.length)
                let copies = table.firstNumber(record.id).map { used[type, $0] } ?? 0
                let pack = Int(record.pack)
                packs[pack].usedBytes += UInt64(isCompressed ? PackHeader.compressedEntryBytes : PackHeader.plainEntryBytes)
                let content: PackUse.Content = type == .data ? .data : .trees
                packs[pack].content = [.none, content].contains(packs[pack].content) ? content : .mixed
                if !isCompressed { packs[pack].hasUncompressed = true }
                switch copies {
                case 0:
                    packs[pack].unusedBlobs += 1
                    packs[pack].unusedBytes += length
                    statistics.blobs.unused += 1
                    statistics.bytes.unused += length
                case 1:
                    packs[pack].usedBlobs += 1
                    packs[pack].usedBytes += length
                    statistics.blobs.used += 1
                    statistics.bytes.used += length
                default:
                    packs[pack].unusedBlobs += 1
                    packs[pack].duplicateBlobs += 1
                    packs[pack].unusedBytes += length
                    statistics.blobs.duplicate += 1
                    statistics.bytes.duplicate += length
                }
            }
        }
    }

    /// Of blobs with several copies, declares one used: one in a pack that is needed anyway or consists of such copies alone
    /// (what a prune that was cut short had rewritten), else the last one.
    private mutating func chooseCopies() {
        // Between the passes: more than 1 copies to come, or 0 for "the next copy is the last"; 1 when one was chosen.
        for type in BlobType.allCases {
            let table = index.table(type)
            // A zero also marks unused blobs, so the last copies are remembered apart.
            var isLast = Set<Int>()
            for record in table.records {
                guard let first = table.firstNumber(record.id) else { continue }
                let copies = used[type, first]
                if copies <= 1 && !isLast.contains(first) { continue }
                let pack = Int(record.pack)
                let length = UInt64(record.length)
                let use = packs[pack]
                if use.usedBlobs > 0 || use.duplicateBlobs == use.unusedBlobs || isLast.contains(first) {
                    packs[pack].usedBytes += length
                    packs[pack].usedBlobs += 1
                    packs[pack].unusedBytes -= length
                    packs[pack].unusedBlobs -= 1
                    statistics.blobs.used += 1
                    statistics.bytes.used += length
                    statistics.blobs.duplicate -= 1
                    statistics.bytes.duplicate -= length
                    used[type, first] = 1
                    isLast.remove(first)
                } else {
                    used[type, first] = copies - 1
                    if copies - 1 == 1 { isLast.insert(first) }
                }
            }
        }
    }

    private func smallPackLimit() -> UInt64 {
        if let bytes = options.smallPackBytes { return bytes }
        let sizes = packs.map(\.bytes).sorted()
        guard !sizes.isEmpty else { return 0 }
        return max(Self.smallestPackBytes, sizes[sizes.count * 3 / 100]) * 4 / 5
    }

    private mutating func judge(
        _ number: Int, _ file: StoredFile, _ target: UInt64, _ plan: inout PrunePlan, _ candidates: inout [Candidate],
        _ small: inout [Candidate]
    ) throws(RepositoryError) {
        let pack = packs[number]
        if pack.bytes != file.sizeBytes, pack.usedBlobs > 0 {
            throw RepositoryError(
                .corrupt,
                Phrase(
                    vi: "pack \(file.id.hex) dài \(file.sizeBytes) byte, chỉ mục ghi \(pack.bytes)",
                    en: "pack \(file.id.hex) has \(file.sizeBytes) bytes, the index says \(pack.bytes)"),
                hint: Phrase(vi: "chạy 'sentinelctl repo repair index'", en: "run 'sentinelctl repo repair index'"))
        }
        if pack.usedBlobs == 0 {
            statistics.packs.unused += 1
        } else if pack.unusedBlobs == 0 {
            statistics.packs.used += 1
        } else {
            statistics.packs.partlyUsed += 1
        }
        if pack.hasUncompressed { statistics.bytes.uncompressed += pack.bytes }
        let mustCompress = version >= 2 && pack.hasUncompressed && (pack.content == .trees || options.repacksUncompressed)
        if pack.usedBlobs == 0 {
            plan.removePacks.append(file.id)
            statistics.blobs.remove += Int(pack.unusedBlobs)
            statistics.bytes.remove += pack.unusedBytes
        } else if options.repacksCacheableOnly, pack.content == .data {
            statistics.packs.keep += 1
        } else if pack.unusedBlobs == 0, pack.content != .mixed, !mustCompress {
            if file.sizeBytes >= target {
                statistics.packs.keep += 1
            } else {
                small.append(Candidate(number: number, mustCompress: false))
            }
        } else {
            candidates.append(Candidate(number: number, mustCompress: mustCompress))
        }
    }

    private mutating func findLostPacks(_ plan: inout PrunePlan) throws(RepositoryError) {
        var needed: [Digest] = []
        for (number, pack) in packs.enumerated() where !pack.isListed {
            if pack.usedBlobs > 0 {
                needed.append(index.packs[number])
                continue
            }
            plan.lostPacks.append(index.packs[number])
            statistics.blobs.remove += Int(pack.unusedBlobs)
            statistics.bytes.remove += pack.unusedBytes
        }
        guard let first = needed.first else { return }
        throw RepositoryError(
            .corrupt,
            Phrase(
                vi: "thiếu \(needed.count) pack đang được dùng, như \(first.hex)",
                en: "\(needed.count) packs in use are missing, such as \(first.hex)"),
            hint: Phrase(
                vi: "chạy 'sentinelctl repo check', rồi 'repo repair index' và 'repo repair snapshots'",
                en: "run 'sentinelctl repo check', then 'repo repair index' and 'repo repair snapshots'"))
    }

    /// Trees and mixed packs first, then short packs, then those with the largest unused share, until little enough is unused.
    private mutating func chooseRepacks(_ candidates: [Candidate], _ target: UInt64, _ plan: inout PrunePlan) {
        let ordered = candidates.sorted { left, right in
            let (one, other) = (packs[left.number], packs[right.number])
            if (one.content == .data) != (other.content == .data) { return one.content != .data }
            if (one.bytes < target) != (other.bytes < target) { return one.bytes < target }
            return one.unusedBytes.multipliedFullWidth(by: other.usedBytes) > other.unusedBytes.multipliedFullWidth(by: one.usedBytes)
        }
        let tolerated = options.unusedLimit.bytes(used: statistics.bytes.used)
        let limit = options.recoversFullStorage ? 0 : options.repackLimitBytes
        for candidate in ordered {
            let pack = packs[candidate.number]
            let isUnlimited = pack.content != .data || candidate.mustCompress
            let isClean = statistics.bytes.remainingUnused < tolerated && pack.bytes >= target
            if statistics.bytes.repack + pack.bytes >= limit || !isUnlimited && isClean {
                statistics.packs.keep += 1
                continue
            }
            plan.repackPacks.append(index.packs[candidate.number])
            statistics.blobs.repack += Int(pack.unusedBlobs + pack.usedBlobs)
            statistics.bytes.repack += pack.bytes
            statistics.blobs.repackRemove += Int(pack.unusedBlobs)
            statistics.bytes.repackRemove += pack.unusedBytes
            if pack.hasUncompressed { statistics.bytes.uncompressed -= pack.bytes }
        }
    }

    /// What a kept pack has need not be copied.
    private func keepOnlyMoved(_ plan: inout PrunePlan) {
        guard !plan.repackPacks.isEmpty else {
            plan.kept = UsedBlobs(BlobIndex())
            return
        }
        plan.kept = used
        let leaving = Set(plan.repackPacks).union(plan.removePacks).union(plan.lostPacks)
        let isLeaving = index.packs.map(leaving.contains)
        for type in BlobType.allCases {
            let table = index.table(type)
            for record in table.records where !isLeaving[Int(record.pack)] {
                if let first = table.firstNumber(record.id) { plan.kept[type, first] = 0 }
            }
        }
    }
}
