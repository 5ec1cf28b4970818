internal import Platform

/// The key files of a repository.
struct KeyRing: Sendable {
    let backend: any Backend

    /// restic tries no more: twenty derivations take ten seconds and more.
    static let attemptLimit = 20

    /// Finds the key file that opens with `password`.
    ///
    /// A damaged key file does not keep the others from being tried.
    ///
    /// - Throws: `.wrongPassword` when every key file could be read and none opens, else `.corrupt` or `.storage`.
    func open(password: [UInt8]) throws(RepositoryError) -> MasterKey {
        let files = try backend.list(.key)
        if files.isEmpty {
            throw RepositoryError(
                .corrupt, Phrase(vi: "kho \(backend.description) không có tệp khóa nào", en: "repository \(backend.description) has no key file"))
        }
        var failure: RepositoryError?
        for file in files.prefix(Self.attemptLimit) {
            do {
                let key = try KeyFile(json: try backend.load(.key, file.id, limit: KeyFile.sizeLimitBytes))
                if let master = try key.open(password: password) { return master }
            } catch let error as RepositoryError {
                failure = error
            } catch {
                failure = .corrupt(Phrase(vi: "tệp khóa \(file.id.short) bị hỏng", en: "key file \(file.id.short) is damaged"), cause: error)
            }
        }
        if let failure { throw failure }
        let isCut = files.count > Self.attemptLimit
        throw RepositoryError(
            .wrongPassword,
            Phrase(vi: "sai mật khẩu của kho \(backend.description)", en: "wrong password for repository \(backend.description)"),
            hint: isCut
                ? Phrase(
                    vi: "chỉ thử \(Self.attemptLimit) trong \(files.count) khóa: gỡ các khóa không dùng nữa",
                    en: "only \(Self.attemptLimit) of \(files.count) keys were tried: remove keys that are no longer used")
                : Phrase(vi: "kiểm tra nguồn mật khẩu trong cấu hình", en: "check where the configuration takes the password from"))
    }

    /// Adds a password for the same master key.
    ///
    /// - Throws: `.invalidArgument` for an empty password.
    func add(_ master: MasterKey, password: [UInt8], cost: KeyCost, identity: WriterIdentity) throws(RepositoryError) -> Digest {
        if password.isEmpty {
            throw RepositoryError(.invalidArgument, Phrase(vi: "mật khẩu kho để trống", en: "the repository password is empty"))
        }
        let bytes: [UInt8]
        let id: Digest
        do throws(CryptoError) {
            bytes = try KeyFile(master, password: password, parameters: try cost.parameters(), identity: identity).json
            id = try SHA256.hash(bytes)
        } catch {
            throw .crypto(error)
        }
        try backend.save(.key, id, bytes)
        return id
    }
}
