package import BackupEngine
internal import Platform
internal import RemoteStorage
internal import Synchronization

/// Opens repositories by their reference. Lives in the job process, the only holder of their secrets.
package struct RepositoryAccess: Sendable {
    private let password: @Sendable (String) throws -> [UInt8]
    private let credential: @Sendable (String) throws -> [UInt8]?

    /// - Parameters:
    ///   - password: The password of a repository, by its name in the configuration.
    ///   - credential: `USER:PASSWORD` for its server; nil where it needs none.
    package init(
        password: @escaping @Sendable (String) throws -> [UInt8],
        credential: @escaping @Sendable (String) throws -> [UInt8]? = { _ in nil }
    ) {
        self.password = password
        self.credential = credential
    }

    /// Opens the storage and the repository in it.
    ///
    /// - Parameters:
    ///   - removals: Notes the locks without a holder that get out of the way.
    ///   - cancellation: Ends waiting for a server or for other locks.
    package func open(
        _ reference: RepositoryReference, removals: LockRemovals? = nil, cancellation: CancellationFlag? = nil
    ) throws -> Repository {
        var access = StorageAccess()
        if let bytes = try credential(reference.name) {
            let parts = bytes.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let user = String(validating: parts[0], as: UTF8.self), !user.isEmpty,
                let secret = String(validating: parts[1], as: UTF8.self)
            else {
                throw IncidentError(
                    .invalidArgument,
                    Phrase(
                        vi: "thông tin đăng nhập của kho '\(reference.name)' không có dạng NGƯỜI-DÙNG:MẬT-KHẨU",
                        en: "the credential of repository '\(reference.name)' is not of the form USER:PASSWORD"))
            }
            access.user = user
            access.password = secret
        }
        access.authorities = reference.authorities.map { FilePath($0) }
        access.cancellation = cancellation
        let repository = try Repository.open(in: Storage.open(try reference.parsed(), access), password: password(reference.name))
        var policy = LockPolicy()
        policy.cancellation = cancellation
        if let removals { policy.onRemoved = { removals.add($0) } }
        repository.lockPolicy = policy
        return repository
    }
}

/// The locks that a job removed, for the record.
package final class LockRemovals: Sendable {
    private let locks = Mutex<[LockFacts]>([])

    func add(_ lock: RemovedLock) { locks.withLock { $0.append(LockFacts(lock)) } }
    var all: [LockFacts] { locks.withLock { $0 } }
}
