package import Platform

/// Which files are watched.
package struct IntegritySettings: Sendable, Hashable {
    package let watch: [WatchSetting]
    /// When everything is read again, whatever the watcher has seen.
    package let rescan: Schedule

    package static let standardRescan = Schedule(.every(seconds: 86400))
}

/// One directory tree or file under watch.
package struct WatchSetting: Sendable, Hashable {
    /// Unique; the path when the file gives none.
    package let name: String
    package let path: FilePath
    /// Name of an ``Asset``.
    package let asset: String?
    /// Glob patterns.
    package let excludes: [String]
}
