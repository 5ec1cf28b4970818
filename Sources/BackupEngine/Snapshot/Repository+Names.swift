package import Platform

extension Repository {
    /// The IDs of all snapshot files, without reading them, in their order.
    package func snapshotIDs() throws(RepositoryError) -> [Digest] { try store.backend.list(.snapshot).map(\.id).sorted() }

    /// The IDs of all key files, in their order.
    package func keyIDs() throws(RepositoryError) -> [Digest] { try store.backend.list(.key).map(\.id).sorted() }
}
