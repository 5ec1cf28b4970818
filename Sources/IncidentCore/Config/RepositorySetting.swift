package import Platform

/// One restic repository: where it lies, how to reach it, and what may be done to it.
package struct RepositorySetting: Sendable, Hashable {
    package let name: String
    /// A path, `rest:URL` ending in `/`, or `rclone:REMOTE:PATH`; never with a secret in it.
    package let location: String
    /// The directory of a local repository; nil for storage elsewhere.
    package let path: FilePath?
    package let password: SecretReference
    /// `USER:PASSWORD` for the REST server.
    package let credential: SecretReference?
    /// PEM file with the only certificate authorities that are trusted.
    package let authorities: FilePath?
    /// The other side takes no deletion from here: never forgotten or pruned from this host.
    package let isAppendOnly: Bool
    /// A backup stops when less is left; nil: only while an alarm is open, at ``standardFloorPercent``.
    package let freeSpaceFloor: HealthCheckSetting.FreeSpace?
    /// When unused data is removed; nil: by hand only.
    package let pruneSchedule: Schedule?

    /// Of the file system, while an alarm is open and nothing else is configured.
    package static let standardFloorPercent = 5

    package init(
        name: String, location: String, path: FilePath? = nil, password: SecretReference, credential: SecretReference? = nil,
        authorities: FilePath? = nil, isAppendOnly: Bool = false, freeSpaceFloor: HealthCheckSetting.FreeSpace? = nil,
        pruneSchedule: Schedule? = nil
    ) {
        self.name = name
        self.location = location
        self.path = path
        self.password = password
        self.credential = credential
        self.authorities = authorities
        self.isAppendOnly = isAppendOnly
        self.freeSpaceFloor = freeSpaceFloor
        self.pruneSchedule = pruneSchedule
    }
}

extension RepositorySetting {
    /// True when both are one place, or one directory lies in the other.
    func overlaps(_ other: RepositorySetting) -> Bool {
        if let path, let second = other.path { return path.isBelow(second) || second.isBelow(path) }
        return location == other.location
    }
}
