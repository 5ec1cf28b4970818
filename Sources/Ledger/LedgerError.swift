package import Platform

/// What the ledger refuses, or cannot do.
package struct LedgerError: ExplainedError {
    package enum Code: String, Sendable, CaseIterable {
        /// `ledger.db` is an SQLite file of another program.
        case foreignDatabase = "foreign-database"
        /// `ledger.db` is no SQLite file.
        case notADatabase = "not-a-database"
        /// `ledger.db` is shorter than it must be.
        case truncated
        /// SQLite, or a hash over the events, says that the content is damaged.
        case damaged
        /// There was a ledger here, and its file is gone.
        case lost
        /// A signed checkpoint names more events than the ledger has.
        case rolledBack = "rolled-back"
        /// A signed checkpoint names other events than the ledger has.
        case inconsistent
        /// The ledger was written under another key.
        case wrongKey = "wrong-key"
        /// The ledger was written under another origin.
        case wrongOrigin = "wrong-origin"
        /// The ledger belongs to another installation than the marker file beside it.
        case wrongLedger = "wrong-ledger"
        /// The ledger was written by a newer program.
        case unsupportedVersion = "unsupported-version"
        /// Another process has the ledger open.
        case locked
        /// More bodies wait for their commit than allowed.
        case overloaded
        /// The ledger is closed.
        case closed
        /// No space was left, even after the reserve was given back.
        case noSpace = "no-space"
        /// The disk or SQLite failed.
        case storage
        /// The header of an event is larger than ``Leaf/sizeLimitBytes``.
        case leafTooLarge = "leaf-too-large"
        /// A field of an event is not of the allowed form.
        case invalidEvent = "invalid-event"
        /// No such event, field, batch or checkpoint.
        case unknown
        /// Two persons are needed, or the text is already erased.
        case refused
        /// A note, key, checkpoint or proof that cannot be read.
        case malformed
        /// A signature or a proof that does not hold.
        case unauthentic
    }

    package let code: Code
    package let message: Phrase
    package let hint: Phrase?
    /// What went wrong below; nil when this error is the first one.
    package let cause: (any Error)?

    init(_ code: Code, _ message: Phrase, hint: Phrase? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }

    package var description: String {
        guard let cause else { return message.en }
        return "\(message.en): \(cause)"
    }
}
