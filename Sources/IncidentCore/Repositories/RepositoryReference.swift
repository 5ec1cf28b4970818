internal import BackupEngine
package import Platform

/// A repository as the job process is told of it: name and place, never a secret.
package struct RepositoryReference: Codable, Sendable, Equatable {
    /// By this name the job process finds the secrets.
    package var name: String
    /// A path, `rest:URL` or `rclone:REMOTE:PATH`.
    package var location: String
    /// PEM file of the only certificate authorities that are trusted.
    package var authorities: String?

    package init(name: String, location: String, authorities: String? = nil) {
        self.name = name
        self.location = location
        self.authorities = authorities
    }

    /// - Throws: `.invalidArgument` for a path that is no UTF-8.
    package init(_ setting: RepositorySetting) throws {
        name = setting.name
        location = setting.location
        authorities = try setting.authorities.map(wireText)
    }

    /// The directory of a local repository; nil for storage elsewhere.
    package var directory: FilePath? {
        // Of the prefixes only those that the settings write: a path may hold colons.
        location.hasPrefix("/") ? FilePath(location) : nil
    }

    func parsed() throws(RepositoryError) -> RepositoryLocation {
        if let directory { return .local(directory) }
        return try RepositoryLocation(location)
    }
}
