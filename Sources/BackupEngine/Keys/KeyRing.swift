internal import Platform

/// The key files of a repository.
struct KeyRing: Sendable {
    let backend: any Backend

    /// restic tries no more: twenty derivations take ten seconds and more.
    static let attemptLimit = 20

    /// A key file that opened.
    struct Opened: Sendable {
        let id: Digest
        let master: MasterKey
    }

    /// Finds the key file that opens with `password`.
    ///
    /// A damaged key file, or one of another kind, does not keep the others from being tried.
    ///
    /// - Parameter hint: First digits of the ID of the key file to try first; one that matches none, or several, is no error.
    /// - Throws: `.wrongPassword` when every key file could be read and none opens, else `.corrupt` or `.storage`.
    func open(password: [UInt8], hint: String? = nil) throws(RepositoryError) -> Opened {
        let files = try ordered(try backend.list(.key), hint: hint)
        if files.isEmpty {
            throw RepositoryError(
                .corrupt, Phrase(vi: "kho \(backend.description) không có tệp khóa nào", en: "repository \(backend.description) has no key file"))
        }
        var failure: RepositoryError?
        for file in files.prefix(Self.attemptLimit) {
            do throws(RepositoryError) {
                if let master = try load(file.id).open(password: password) { return Opened(id: file.id, master: master) }
            } catch {
                // Removed since the listing: somebody changes passwords just now.
                if error.code != .missing { failure = error }
            }
        }
        if let failure { throw failure }
        let isCut = files.count > Self.attemptLimit
        throw RepositoryError(
            .wrongPassword,
            Phrase(vi: "sai mật khẩu của kho \(backend.description)", en: "wrong password for repository \(backend.description)"),
            hint: isCut
                ? Phrase(
                    vi: "chỉ thử \(Self.attemptLimit) trong \(files.count) khóa: nêu khóa bằng --key-hint, gỡ các khóa không dùng nữa",
                    en: "only \(Self.attemptLimit) of \(files.count) keys were tried: name one with --key-hint, remove keys that are no longer used")
                : Phrase(vi: "kiểm tra nguồn mật khẩu trong cấu hình", en: "check where the configuration takes the password from"))
    }

    private func ordered(_ files: [StoredFile], hint: String?) throws(RepositoryError) -> [StoredFile] {
        guard let hint = hint?.lowercased(), !hint.isEmpty else { return files }
        let hinted = files.filter { $0.id.hex.hasPrefix(hint) }
        guard hinted.count == 1 else { return files }
        return hinted + files.filter { $0.id != hinted.first?.id }
    }

    /// Reads one key file.
    ///
    /// - Throws: `.corrupt` for a damaged one and for another kind of key, `.missing`, `.storage`.
    func load(_ id: Digest) throws(RepositoryError) -> KeyFile {
        let bytes = try backend.load(.key, id, limit: KeyFile.sizeLimitBytes)
        do throws(JSONError) {
            return try KeyFile(json: bytes)
        } catch {
            throw .corrupt(
                Phrase(
                    vi: "tệp khóa \(id.short) bị hỏng hoặc là loại khác: \(error.message.vi)",
                    en: "key file \(id.short) is damaged or of another kind: \(error.message.en)"), cause: error)
        }
    }

    /// Adds a password for the same master key, and makes sure that it opens before anything relies on it.
    ///
    /// - Parameter allowsEmpty: Accepts the empty password, which anybody knows.
    /// - Throws: `.invalidArgument` for an empty password.
    func add(
        _ master: MasterKey, password: [UInt8], cost: KeyCost, identity: WriterIdentity, allowsEmpty: Bool = false
    ) throws(RepositoryError) -> Digest {
        if password.isEmpty && !allowsEmpty {
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
        do throws(RepositoryError) {
            guard try load(id).open(password: password) == master else {
                throw .corrupt(Phrase(vi: "khóa mới không mở được kho", en: "the new key does not open the repository"))
            }
        } catch {
            // A key that does not open would lock people out when it counts.
            try backend.remove(.key, id)
            throw error
        }
        return id
    }
}
