package import BackupEngine
internal import Platform

/// Opens the storage of any kind of repository.
package enum Storage {
    /// - Throws: `.invalidArgument`, `.storage`. Nothing is asked of a server yet, but rclone is started.
    package static func open(_ location: RepositoryLocation, _ access: StorageAccess = StorageAccess()) throws(RepositoryError) -> any Backend {
        switch location {
        case .local(let path): return LocalDirectory(path)
        case .rest(let address): return try RestRepository(address, access)
        case .rclone(let remote):
            return try RestRepository(try RcloneServer(remote, access), access, description: location.description)
        }
    }
}
