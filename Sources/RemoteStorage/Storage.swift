package import BackupEngine
package import Platform

/// What reaching a repository takes beside its location; nothing for a local directory.
package struct StorageAccess: Sendable {
    /// Credential for the REST server.
    package var user: String?
    package var password: String?
    /// PEM file with the only certificate authorities that are trusted; the system's when nil.
    package var authorities: FilePath?
    /// Bytes per second; nil for no limit.
    package var uploadLimit: Int?
    package var downloadLimit: Int?

    package init(
        user: String? = nil, password: String? = nil, authorities: FilePath? = nil, uploadLimit: Int? = nil,
        downloadLimit: Int? = nil
    ) {
        self.user = user
        self.password = password
        self.authorities = authorities
        self.uploadLimit = uploadLimit
        self.downloadLimit = downloadLimit
    }
}

/// Opens the storage of any kind of repository.
package enum Storage {
    /// - Throws: `.unsupported`, `.storage`.
    package static func open(_ location: RepositoryLocation, _ access: StorageAccess = StorageAccess()) throws(RepositoryError) -> any Backend {
        switch location {
        case .local(let path): return LocalDirectory(path)
        case .rest, .rclone:
            throw RepositoryError(
                .unsupported, Phrase(vi: "chưa làm việc được với kho ở xa", en: "remote repositories are not available in this version"))
        }
    }
}
