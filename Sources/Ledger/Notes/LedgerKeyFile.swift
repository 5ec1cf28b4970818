package import Platform

/// The file of the log's private key: one line `PRIVATE+KEY+<origin>+<key id>+<base64(0x01 ‖ seed)>`, as Go's note package writes it.
package enum LedgerKeyFile {
    private static let prefix = "PRIVATE+KEY+"
    private static let sizeLimitBytes = 4096

    /// Makes a key and writes it; an existing file is never replaced.
    ///
    /// - Throws: EEXIST when `path` exists.
    package static func create(_ path: FilePath, origin: String) throws -> NoteSigner {
        let signer = try NoteSigner(name: origin, key: .generate())
        let blob = [NoteVerifier.ed25519Type] + (try signer.key.seed())
        let line = "\(prefix)\(origin)+\(hexText(signer.verifier.keyID))+\(Base64.encode(blob))\n"
        try DurableFiles.makeDirectories(path.parent)
        try DurableFiles.create(path, Array(line.utf8), mode: 0o400)
        return signer
    }

    /// Reads a key.
    ///
    /// - Throws: `.malformed` for other content; `.refused` when others than owner and group may read it, or more than the owner may write it.
    package static func load(_ path: FilePath) throws -> NoteSigner {
        let (bytes, status) = try RegularFile.read(path, limit: sizeLimitBytes)
        if status.permissions & 0o027 != 0 {
            throw LedgerError(
                .refused,
                Phrase(
                    vi: "tệp khóa '\(path)' mở cho người khác (quyền \(String(status.permissions, radix: 8)))",
                    en: "the key file '\(path)' is open to others (mode \(String(status.permissions, radix: 8)))"),
                hint: Phrase(vi: "chạy 'chmod 400 \(path)'", en: "run 'chmod 400 \(path)'"))
        }
        guard let text = String(validating: bytes, as: UTF8.self), text.hasPrefix(prefix), text.hasSuffix("\n") else {
            throw malformed(path)
        }
        let parts = text.dropFirst(prefix.count).dropLast().split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let blob = Base64.decode(String(parts[2])), blob.first == NoteVerifier.ed25519Type,
            blob.count == 1 + SigningKey.seedByteCount
        else { throw malformed(path) }
        let signer = try NoteSigner(name: String(parts[0]), key: SigningKey(seed: Array(blob.dropFirst())))
        guard hexBytes(parts[1]) == signer.verifier.keyID else { throw malformed(path) }
        return signer
    }

    private static func malformed(_ path: FilePath) -> LedgerError {
        LedgerError(
            .malformed, Phrase(vi: "'\(path)' không phải tệp khóa của sổ cái", en: "'\(path)' is no key file of a ledger"),
            hint: Phrase(
                vi: "khôi phục tệp khóa từ bản sao lưu; không tạo khóa mới", en: "restore the key file from the backup; do not make a new key"))
    }
}
