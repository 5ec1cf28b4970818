internal import Platform

/// What is stored where: all index files together, and the packs published since.
struct BlobIndex: Sendable {
    private(set) var packs: ContiguousArray<Digest> = []
    private var packNumbers: [Digest: UInt32] = [:]
    /// Numbers of packs that are not what the index says; their blobs count as not stored.
    private var lostPacks: Set<UInt32> = []
    private var data = BlobTable()
    private var trees = BlobTable()
    /// Blobs that are being stored: in an open pack, or in one on its way to the disk.
    private var pending: Set<BlobHandle> = []

    /// Adds a pack with its blobs.
    ///
    /// - Returns: Number of blobs that were known at exactly this place.
    @discardableResult
    mutating func insert(pack: Digest, _ entries: [PackEntry]) -> Int {
        let number: UInt32
        if let known = packNumbers[pack] {
            number = known
        } else {
            number = UInt32(packs.count)
            packs.append(pack)
            packNumbers[pack] = number
        }
        var duplicates = 0
        for entry in entries {
            let record = BlobRecord(
                id: entry.id, pack: number, offset: entry.offset, length: entry.length,
                uncompressedLength: entry.uncompressedLength)
            let isNew = entry.type == .data ? data.insert(record) : trees.insert(record)
            if !isNew { duplicates += 1 }
            pending.remove(entry.handle)
        }
        return duplicates
    }

    /// The records of one type.
    func table(_ type: BlobType) -> BlobTable { type == .data ? data : trees }

    var blobCount: Int { data.records.count + trees.records.count }

    /// True when the blob is stored or on its way.
    func contains(_ handle: BlobHandle) -> Bool {
        isStored(handle) || !pending.isEmpty && pending.contains(handle)
    }

    private func isStored(_ handle: BlobHandle) -> Bool {
        guard let record = first(handle) else { return false }
        if lostPacks.isEmpty || !lostPacks.contains(record.pack) { return true }
        return all(handle).contains { !lostPacks.contains($0.pack) }
    }

    /// See ``SharedIndex/distrust(allBut:)``.
    mutating func distrust(allBut sizes: [Digest: UInt64]) -> Int {
        var expected = [UInt64](repeating: UInt64(PackHeader.lengthFieldBytes + Sealing.overhead), count: packs.count)
        for table in [data, trees] {
            for record in table.records {
                let entryBytes = record.uncompressedLength == 0 ? PackHeader.plainEntryBytes : PackHeader.compressedEntryBytes
                expected[Int(record.pack)] += UInt64(record.length) + UInt64(entryBytes)
            }
        }
        lostPacks = Set(packs.indices.filter { sizes[packs[$0]] != expected[$0] }.map { UInt32($0) })
        return lostPacks.count
    }

    func first(_ handle: BlobHandle) -> BlobRecord? {
        handle.type == .data ? data.first(handle.id) : trees.first(handle.id)
    }

    func all(_ handle: BlobHandle) -> [BlobRecord] {
        handle.type == .data ? data.all(handle.id) : trees.all(handle.id)
    }

    func packID(_ record: BlobRecord) -> Digest { packs[Int(record.pack)] }

    /// Claims a blob for the caller, who must store it.
    ///
    /// - Returns: False when the blob is stored, or claimed by somebody else.
    mutating func claim(_ handle: BlobHandle) -> Bool {
        if isStored(handle) { return false }
        return pending.insert(handle).inserted
    }

    mutating func giveUp(_ handle: BlobHandle) { pending.remove(handle) }

    /// Forgets what the index files said; what is being stored stays claimed.
    mutating func removeAll() {
        let claimed = pending
        self = BlobIndex()
        pending = claimed
    }

    /// The blobs of every pack, by pack number, each list in the order of offsets.
    func entriesByPack() -> [[PackEntry]] {
        var result = [[PackEntry]](repeating: [], count: packs.count)
        for type in BlobType.allCases {
            for record in table(type).records {
                result[Int(record.pack)].append(
                    PackEntry(
                        type: type, id: record.id, offset: record.offset, length: record.length,
                        uncompressedLength: record.uncompressedLength))
            }
        }
        for number in result.indices { result[number].sort { $0.offset < $1.offset } }
        return result
    }
}
