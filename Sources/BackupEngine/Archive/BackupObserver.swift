package import Platform

/// Who wants to know how a backup goes. Every closure may be called from any of its threads, several at once, and must return soon.
package struct BackupObserver: Sendable {
    /// A few times a second, never twice at once within that time.
    package var progress: (@Sendable (BackupProgress) -> Void)?
    /// For each file and directory that is done, in no particular order.
    package var item: (@Sendable (BackupItem) -> Void)?
    /// As soon as something cannot be read.
    package var error: (@Sendable (FilePath, Phrase) -> Void)?

    package init(
        progress: (@Sendable (BackupProgress) -> Void)? = nil, item: (@Sendable (BackupItem) -> Void)? = nil,
        error: (@Sendable (FilePath, Phrase) -> Void)? = nil
    ) {
        self.progress = progress
        self.item = item
        self.error = error
    }
}

/// How far a backup has come.
package struct BackupProgress: Sendable {
    package let filesDone: UInt64
    package let directoriesDone: UInt64
    package let bytesDone: UInt64
    package let unreadable: Int
    /// The directory being read.
    package let current: FilePath
    package let secondsElapsed: Double
}

/// One entry that is done.
package struct BackupItem: Sendable {
    package enum Action: String, Sendable { case new, modified, unchanged }

    package let action: Action
    package let path: FilePath
    package let isDirectory: Bool
    /// Plaintext bytes of new data blobs, and what they take in packs.
    package let dataBytes: UInt64
    package let dataStoredBytes: UInt64
    /// The same of the tree of a directory.
    package let treeBytes: UInt64
    package let treeStoredBytes: UInt64
    package let secondsElapsed: Double
}
