internal import Platform

/// Where one copy of a blob lies, in the compact form of the index in memory: 48 bytes.
struct BlobRecord: Sendable, Equatable {
    let id: Digest
    /// Number of the pack in ``BlobIndex/packs``.
    let pack: UInt32
    let offset: UInt32
    let length: UInt32
    let uncompressedLength: UInt32
}

/// An open hash table of blob records by ID, several records per ID allowed. Two arrays, no object per blob.
struct BlobTable: Sendable {
    private(set) var records: ContiguousArray<BlobRecord> = []
    /// Numbers of records plus one; 0 is an empty slot. A power of two in size, at most three quarters full.
    private var slots: ContiguousArray<UInt32> = []

    /// The hash is keyed by process: names chosen to collide here cannot be prepared.
    private func firstSlot(_ id: Digest) -> Int { id.hashValue & (slots.count - 1) }

    /// Adds a record unless exactly this one is there.
    ///
    /// - Returns: False for an exact duplicate.
    mutating func insert(_ record: BlobRecord) -> Bool {
        if (records.count + 1) * 4 > slots.count * 3 { grow() }
        var slot = firstSlot(record.id)
        while slots[slot] != 0 {
            if records[Int(slots[slot]) - 1] == record { return false }
            slot = (slot + 1) & (slots.count - 1)
        }
        records.append(record)
        slots[slot] = UInt32(records.count)
        return true
    }

    private mutating func grow() {
        slots = ContiguousArray(repeating: 0, count: max(1024, slots.count * 2))
        for (number, record) in records.enumerated() {
            var slot = firstSlot(record.id)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(number + 1)
        }
    }

    /// The first record of a blob.
    func first(_ id: Digest) -> BlobRecord? { firstNumber(id).map { records[$0] } }

    /// Where in ``records`` the first record of a blob stands: one number for all copies of a blob.
    func firstNumber(_ id: Digest) -> Int? {
        if slots.isEmpty { return nil }
        var slot = firstSlot(id)
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if records[number].id == id { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// All records of a blob, in the order they were added.
    func all(_ id: Digest) -> [BlobRecord] {
        if slots.isEmpty { return [] }
        var found: [BlobRecord] = []
        var slot = firstSlot(id)
        while slots[slot] != 0 {
            let record = records[Int(slots[slot]) - 1]
            if record.id == id { found.append(record) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return found
    }
}
