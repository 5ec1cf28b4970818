package import Platform

/// What `check` found. A repository is sound when ``errors`` is empty.
package struct CheckReport: Sendable {
    /// One thing found, for a person to read.
    package struct Finding: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable, CaseIterable {
            // Errors: data is missing or damaged.
            case unreadableSnapshot, unreadableIndex, missingPack, wrongPackSize, missingBlob, damagedTree, damagedPack
            // Hints: nothing is lost.
            case orphanedPack, mixedPack, duplicateIndexEntry
        }
        package let kind: Kind
        package let message: Phrase
    }

    package var errors: [Finding] = []
    package var hints: [Finding] = []
    /// Findings beyond the bound of the lists: counted, not kept.
    package var omittedFindings = 0
    package var snapshots = 0
    package var indexes = 0
    package var packs = 0
    package var blobs = 0
    package var trees = 0
    /// Packs read in full; 0 unless data was to be read.
    package var packsRead = 0
    package var bytesRead: UInt64 = 0
    /// Packs with an error, for repair.
    package var damagedPacks: [Digest] = []

    package var isSound: Bool { errors.isEmpty }
}

/// How far `check` has come.
package struct CheckProgress: Sendable {
    package enum Stage: Sendable { case indexes, packs, trees, data }
    package let stage: Stage
    package let done: Int
    package let total: Int
}
