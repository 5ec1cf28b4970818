package import Platform

/// Something that a ledger should not contain, or lacks.
package struct VerificationProblem: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// SQLite's own structure is damaged.
        case structure
        /// An event is missing, or stands at another place than its number says.
        case sequence
        /// A header is not in its canonical form, or its columns say something else.
        case leaf
        /// A node of the tree is not the hash of what lies below it, is missing, or is too many.
        case node
        /// A text does not fit its hash, is missing, or belongs to nothing.
        case payload
        /// A text is gone without a `ledger.redacted` event, or still there in spite of one.
        case redaction
        /// A checkpoint's signature is false, or it confirms other events.
        case checkpoint
        /// A batch file is missing or damaged.
        case batch
        /// The ledger is of another key or origin.
        case identity
    }

    package let kind: Kind
    /// The event it is about; nil when it is about none.
    package let sequence: Int64?
    /// What exactly, in English and escaped for display.
    package let detail: String

    package var message: Phrase {
        let place = sequence.map { " \($0)" } ?? ""
        let more = detail.isEmpty ? "" : ": \(detail)"
        return switch kind {
        case .structure: Phrase(vi: "cấu trúc cơ sở dữ liệu bị hỏng\(more)", en: "the structure of the database is damaged\(more)")
        case .sequence: Phrase(vi: "thiếu hoặc sai thứ tự sự kiện\(place)\(more)", en: "event\(place) is missing or out of order\(more)")
        case .leaf: Phrase(vi: "phần đầu của sự kiện\(place) bị sửa\(more)", en: "the header of event\(place) was changed\(more)")
        case .node: Phrase(vi: "cây băm không khớp sự kiện\(place)\(more)", en: "the hash tree does not fit event\(place)\(more)")
        case .payload: Phrase(vi: "văn bản của sự kiện\(place) bị sửa hoặc mất\(more)", en: "a text of event\(place) was changed or is missing\(more)")
        case .redaction:
            Phrase(vi: "việc xóa văn bản của sự kiện\(place) không đúng quy trình\(more)", en: "a text of event\(place) was not erased as recorded\(more)")
        case .checkpoint: Phrase(vi: "điểm chốt không khớp sổ cái\(more)", en: "a checkpoint does not fit the ledger\(more)")
        case .batch: Phrase(vi: "tệp lô của sự kiện\(place) bị mất hoặc hỏng\(more)", en: "the batch file of event\(place) is missing or damaged\(more)")
        case .identity: Phrase(vi: "sổ cái không thuộc khóa này\(more)", en: "the ledger does not belong to this key\(more)")
        }
    }
}

/// What a full verification found.
package struct VerificationReport: Sendable {
    /// Events whose leaf was hashed again.
    package internal(set) var events: Int64 = 0
    /// Texts whose hash was computed again.
    package internal(set) var texts = 0
    /// Texts that were erased, with an event that says so.
    package internal(set) var redactedTexts = 0
    /// Checkpoints whose signature and root hold, those given from outside included.
    package internal(set) var checkpoints = 0
    /// Batch files whose hash was computed again.
    package internal(set) var batches = 0
    /// The root over all leaves, computed again.
    package internal(set) var root: Digest = .zero
    /// The largest size that a sound checkpoint confirms; 0 when none does.
    package internal(set) var confirmedEvents: Int64 = 0
    /// The first ``problemLimit`` problems.
    package internal(set) var problems: [VerificationProblem] = []
    /// All problems.
    package internal(set) var problemCount = 0

    package static let problemLimit = 1000

    package var isIntact: Bool { problemCount == 0 }

    mutating func add(_ kind: VerificationProblem.Kind, _ sequence: Int64? = nil, _ detail: String = "") {
        problemCount += 1
        if problems.count < Self.problemLimit {
            problems.append(VerificationProblem(kind: kind, sequence: sequence, detail: escapedForDisplay(detail)))
        }
    }
}
