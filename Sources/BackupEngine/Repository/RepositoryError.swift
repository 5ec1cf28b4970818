package import Platform

/// Why an operation on a repository, or a backup or restore through one, could not be carried out.
///
/// Compared by ``code`` alone in tests; the texts are for people.
package struct RepositoryError: ExplainedError {
    package enum Code: String, Sendable, Hashable {
        /// There is no repository at that place.
        case noRepository
        /// The repository has no snapshot, blob or file of that name.
        case missing
        /// A repository is there already.
        case exists
        /// Another process holds a lock that excludes this one.
        case locked
        /// No key file opens with the password.
        case wrongPassword
        /// Stored bytes are not what was written: bad MAC, hash, header or JSON.
        case corrupt
        /// The disk or the service below failed; see ``cause``.
        case storage
        /// A format version or feature this program does not know.
        case unsupported
        case invalidArgument
        /// Stopped on request.
        case interrupted
        /// Nothing was read that a snapshot could hold.
        case emptySnapshot
        /// A command or database whose output was to be stored failed.
        case producer
    }

    package let code: Code
    package let message: Phrase
    package let hint: Phrase?
    /// The failure below, if there was one.
    package let cause: (any Error)?

    package init(_ code: Code, _ message: Phrase, hint: Phrase? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }
}

extension RepositoryError {
    /// A failed system call: message and hint are those of the call.
    package static func storage(_ error: SystemError) -> RepositoryError {
        RepositoryError(.storage, error.message, hint: error.hint, cause: error)
    }

    /// A failed cryptographic call, which is never the fault of the input.
    package static func crypto(_ error: CryptoError) -> RepositoryError {
        RepositoryError(.storage, error.message, cause: error)
    }

    /// Damaged content; the hint says how to find out how much is damaged.
    package static func corrupt(_ message: Phrase, cause: (any Error)? = nil) -> RepositoryError {
        RepositoryError(
            .corrupt, message,
            hint: Phrase(
                vi: "chạy 'sentinelctl repo check --read-data' để biết phần nào bị hỏng",
                en: "run 'sentinelctl repo check --read-data' to learn what is damaged"),
            cause: cause)
    }
}
