package import Platform

/// What `check` found. A repository is sound when ``errors`` is empty.
package struct CheckReport: Sendable {
    /// One thing found, for a person to read.
    package struct Finding: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable, CaseIterable {
            // Errors: data is missing or damaged.
            case unreadableSnapshot, unreadableIndex, missingPack, wrongPackSize, missingBlob, damagedTree, damagedPack
            /// A key or lock file whose content is not what its name says.
            case damagedFile
            // Hints: nothing is lost.
            case orphanedPack, mixedPack, duplicateIndexEntry
        }
        package let kind: Kind
        package let message: Phrase
    }

    package private(set) var errors: [Finding] = []
    package private(set) var hints: [Finding] = []
    /// Findings beyond the bound of the lists: counted, not kept.
    package private(set) var omittedErrors = 0
    package private(set) var omittedHints = 0
    package internal(set) var snapshots = 0
    package internal(set) var indexes = 0
    package internal(set) var packs = 0
    package internal(set) var blobs = 0
    package internal(set) var trees = 0
    /// Packs read in full; 0 unless data was to be read.
    package internal(set) var packsRead = 0
    package internal(set) var bytesRead: UInt64 = 0
    /// Packs with an error, for repair.
    package internal(set) var damagedPacks: [Digest] = []
    /// Snapshot files that cannot be read, for repair.
    package internal(set) var damagedSnapshots: [Digest] = []
    package internal(set) var durationSeconds: Double = 0

    package var isSound: Bool { errors.isEmpty }
    package var errorCount: Int { errors.count + omittedErrors }
    /// The index lists something twice, or a part of it cannot be read.
    package var suggestsIndexRepair: Bool {
        errors.contains { $0.kind == .unreadableIndex } || hints.contains { $0.kind == .duplicateIndexEntry }
    }
    /// Packs hold what nobody needs, or are mixed.
    package var suggestsPrune: Bool { hints.contains { $0.kind == .orphanedPack || $0.kind == .mixedPack } }

    /// A repository that lost its disk has a finding per blob; nobody reads more than these.
    private static let keptFindings = 1000

    mutating func error(_ kind: Finding.Kind, _ vi: @autoclosure () -> String, _ en: @autoclosure () -> String) {
        if errors.count < Self.keptFindings {
            errors.append(Finding(kind: kind, message: Phrase(vi: vi(), en: en())))
        } else {
            omittedErrors += 1
        }
    }

    mutating func hint(_ kind: Finding.Kind, _ vi: @autoclosure () -> String, _ en: @autoclosure () -> String) {
        if hints.count < Self.keptFindings {
            hints.append(Finding(kind: kind, message: Phrase(vi: vi(), en: en())))
        } else {
            omittedHints += 1
        }
    }

    mutating func add(_ findings: [Finding]) {
        for finding in findings { error(finding.kind, finding.message.vi, finding.message.en) }
    }
}

/// How far `check` has come.
package struct CheckProgress: Sendable {
    package enum Stage: Sendable { case indexes, packs, trees, data }
    package let stage: Stage
    package let done: Int
    /// 0 when it is not known.
    package let total: Int
    /// While data is read.
    package var bytesDone: UInt64 = 0
    package var bytesTotal: UInt64 = 0
    package var secondsElapsed: Double = 0
}
