internal import Glibc

/// Kinds of failure that callers tell apart.
extension SystemError {
    /// A symbolic link lies where none is followed.
    package var isLink: Bool { number == ELOOP }
    /// The medium or the file system failed.
    package var isInputOutput: Bool { number == EIO }
    /// The call was made where a directory was expected and something else lies.
    package var isNotDirectory: Bool { number == ENOTDIR }
    /// Data that was read could not be processed.
    package static func inputOutput(_ call: String, path: FilePath) -> SystemError { SystemError(call, EIO, path: path) }
}
