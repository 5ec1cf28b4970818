package import Platform

/// What went wrong with a baseline, a batch or a rule.
package struct IntegrityError: ExplainedError, Equatable {
    package enum Code: Sendable, Equatable {
        /// Bytes that are not what they say.
        case corrupt
        /// The rows do not give the root that was expected.
        case rootMismatch
        /// An accept event before this one is missing.
        case sequenceGap
        /// A rule that cannot be used.
        case invalidRule
        /// The database has a layout of a newer version.
        case unsupported
    }
    package let code: Code
    package let message: Phrase
    package let hint: Phrase?

    package static func corrupt(_ what: Phrase, _ detail: String) -> IntegrityError {
        IntegrityError(
            code: .corrupt, message: Phrase(vi: "\(what.vi) bị hỏng: \(detail)", en: "damaged \(what.en): \(detail)"), hint: nil)
    }

    package static func == (left: IntegrityError, right: IntegrityError) -> Bool {
        left.code == right.code && left.message == right.message
    }
}
