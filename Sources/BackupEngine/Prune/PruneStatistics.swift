/// What `prune` finds and will do; names and sums are restic's.
package struct PruneStatistics: Sendable, Hashable {
    package struct Blobs: Sendable, Hashable {
        package internal(set) var used = 0
        package internal(set) var duplicate = 0
        package internal(set) var unused = 0
        package internal(set) var repack = 0
        /// Unused blobs and duplicates in the packs to be repacked.
        package internal(set) var repackRemove = 0
        package internal(set) var remove = 0

        package var total: Int { used + unused + duplicate }
        package var removeTotal: Int { remove + repackRemove }
        package var remaining: Int { total - removeTotal }
    }

    package struct Bytes: Sendable, Hashable {
        package internal(set) var used: UInt64 = 0
        package internal(set) var duplicate: UInt64 = 0
        package internal(set) var unused: UInt64 = 0
        /// Packs in no index.
        package internal(set) var unreferenced: UInt64 = 0
        /// Packs with blobs that were stored without compression, after pruning.
        package internal(set) var uncompressed: UInt64 = 0
        package internal(set) var repack: UInt64 = 0
        package internal(set) var repackRemove: UInt64 = 0
        package internal(set) var remove: UInt64 = 0

        package var total: UInt64 { used + duplicate + unused + unreferenced }
        package var removeTotal: UInt64 { remove + repackRemove + unreferenced }
        package var remaining: UInt64 { total - removeTotal }
        package var remainingUnused: UInt64 { duplicate + unused - remove - repackRemove }
    }

    package struct Packs: Sendable, Hashable {
        package internal(set) var used = 0
        package internal(set) var unused = 0
        package internal(set) var partlyUsed = 0
        package internal(set) var unreferenced = 0
        package internal(set) var keep = 0
        package internal(set) var repack = 0
        package internal(set) var remove = 0

        package var total: Int { used + partlyUsed + unused + unreferenced }
        package var removeTotal: Int { unreferenced + remove }
    }

    package internal(set) var blobs = Blobs()
    package internal(set) var bytes = Bytes()
    package internal(set) var packs = Packs()
}

/// How far `prune` has come.
package struct PruneProgress: Sendable {
    package enum Stage: Sendable { case trees, repacking, indexes, removing }
    package let stage: Stage
    package let done: Int
    /// 0 when it is not known.
    package let total: Int
}
