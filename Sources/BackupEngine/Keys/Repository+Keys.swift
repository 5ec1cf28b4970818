package import Platform

/// A key file, as people are shown it.
package struct KeyDescription: Sendable {
    package let id: Digest
    package let username: String
    package let hostname: String
    package let created: Timestamp
    /// True for the key that this process opened the repository with.
    package let isCurrent: Bool
}

extension Repository {
    /// The key files, and those that are none although they should be: damaged, or of another program.
    package func listKeys() throws(RepositoryError) -> (keys: [KeyDescription], unreadable: [(id: Digest, error: RepositoryError)]) {
        let ring = KeyRing(backend: store.backend)
        var keys: [KeyDescription] = []
        var unreadable: [(id: Digest, error: RepositoryError)] = []
        for file in try store.backend.list(.key) {
            do throws(RepositoryError) {
                let key = try ring.load(file.id)
                keys.append(
                    KeyDescription(
                        id: file.id, username: key.username, hostname: key.hostname, created: key.created, isCurrent: file.id == keyID))
            } catch {
                if error.code != .missing { unreadable.append((file.id, error)) }
            }
        }
        keys.sort { ($0.created, $0.id) < ($1.created, $1.id) }
        return (keys, unreadable)
    }

    /// Adds a password; the old ones stay valid.
    ///
    /// - Parameters:
    ///   - username: Recorded in the key file; that of this process when nil. So is `hostname`.
    ///   - allowsEmpty: Accepts the empty password.
    /// - Returns: ID of the new key file.
    /// - Throws: `.invalidArgument` for an empty password, and when there are 20 keys already: with more, restic and we would not try all.
    package func addKey(
        password: [UInt8], cost: KeyCost = .calibrated, username: String? = nil, hostname: String? = nil, allowsEmpty: Bool = false
    ) throws(RepositoryError) -> Digest {
        let count = try store.backend.list(.key).count
        guard count < KeyRing.attemptLimit else {
            throw RepositoryError(
                .invalidArgument,
                Phrase(
                    vi: "kho đã có \(count) khóa; khi mở chỉ \(KeyRing.attemptLimit) khóa được thử",
                    en: "the repository has \(count) keys already; only \(KeyRing.attemptLimit) are tried when it is opened"),
                hint: Phrase(vi: "gỡ khóa không dùng bằng 'sentinelctl repo key remove'", en: "remove unused ones with 'sentinelctl repo key remove'"))
        }
        return try saveKey(password, cost, username, hostname, allowsEmpty)
    }

    private func saveKey(
        _ password: [UInt8], _ cost: KeyCost, _ username: String?, _ hostname: String?, _ allowsEmpty: Bool
    ) throws(RepositoryError) -> Digest {
        let writer = WriterIdentity(
            hostname: hostname ?? identity.hostname, username: username ?? identity.username, uid: identity.uid, gid: identity.gid,
            pid: identity.pid)
        return try KeyRing(backend: store.backend).add(master, password: password, cost: cost, identity: writer, allowsEmpty: allowsEmpty)
    }

    /// Replaces the password that this process opened the repository with; other keys stay. The new key is proven to open the
    /// repository before the old one goes. The caller holds an exclusive lock.
    ///
    /// - Returns: ID of the new key file; this object goes on naming the old one as current.
    package func changePassword(
        _ password: [UInt8], cost: KeyCost = .calibrated, username: String? = nil, hostname: String? = nil, allowsEmpty: Bool = false
    ) throws(RepositoryError) -> Digest {
        let new = try saveKey(password, cost, username, hostname, allowsEmpty)
        try reach("key.added")
        try store.backend.remove(.key, keyID)
        return new
    }

    /// Removes a key file; the caller holds an exclusive lock. Whoever read the master key once can still use a copy of it.
    ///
    /// - Parameter reference: First digits of its ID. A file that is no readable key can be removed too.
    /// - Throws: `.invalidArgument` for the key in use and for digits that fit several, `.missing`.
    package func removeKey(_ reference: String) throws(RepositoryError) -> Digest {
        let prefix = reference.lowercased()
        let matches = try store.backend.list(.key).map(\.id).filter { !prefix.isEmpty && $0.hex.hasPrefix(prefix) }
        let shown = escapedForDisplay(reference)
        guard let id = matches.first else {
            throw RepositoryError(
                .missing, Phrase(vi: "không có khóa '\(shown)'", en: "there is no key '\(shown)'"),
                hint: Phrase(vi: "liệt kê bằng 'sentinelctl repo key list'", en: "list them with 'sentinelctl repo key list'"))
        }
        guard matches.count == 1 else {
            throw RepositoryError(
                .invalidArgument, Phrase(vi: "'\(shown)' chỉ đến nhiều khóa", en: "'\(shown)' means several keys"),
                hint: Phrase(vi: "gõ thêm chữ số của mã", en: "give more digits of the ID"))
        }
        guard id != keyID else {
            throw RepositoryError(
                .invalidArgument,
                Phrase(vi: "từ chối gỡ khóa đang dùng để mở kho", en: "refusing to remove the key that the repository was opened with"),
                hint: Phrase(vi: "mở kho bằng mật khẩu khác, hoặc dùng 'key passwd'", en: "open it with another password, or use 'key passwd'"))
        }
        try store.backend.remove(.key, id)
        return id
    }
}
