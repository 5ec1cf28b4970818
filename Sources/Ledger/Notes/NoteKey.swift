package import Platform

/// A named public key of the signed-note format: `name+<key id, 8 hex digits>+<base64(0x01 ‖ key)>` (C2SP signed-note, "vkey").
package struct NoteVerifier: Sendable, Hashable {
    package let name: String
    /// The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key).
    package let keyID: [UInt8]
    package let key: VerificationKey

    static let ed25519Type: UInt8 = 0x01

    /// - Throws: `.malformed` for a name that notes do not allow.
    package init(name: String, key: VerificationKey) throws {
        guard Self.isName(name) else { throw Self.malformed(name) }
        self.name = name
        self.key = key
        keyID = Array(try SHA256.hash(Array(name.utf8) + [0x0A, Self.ed25519Type] + key.bytes).bytes.prefix(4))
    }

    /// - Throws: `.malformed` for a text that is no vkey of an Ed25519 key, or one whose key id is not its own.
    package init(vkey text: String) throws {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let id = hexBytes(parts[1]), id.count == 4, let blob = Base64.decode(String(parts[2])),
            blob.count == 1 + VerificationKey.byteCount, blob[0] == Self.ed25519Type
        else { throw Self.malformed(text) }
        try self.init(name: String(parts[0]), key: VerificationKey(Array(blob.dropFirst())))
        if id != keyID { throw Self.malformed(text) }
    }

    /// The vkey.
    package var text: String { "\(name)+\(hexText(keyID))+\(Base64.encode([Self.ed25519Type] + key.bytes))" }

    /// Non-empty, no space, no `+`, no control character.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 255
            && name.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0 != "+" && $0.value >= 0x20 && $0.value != 0x7F }
    }

    private static func malformed(_ text: String) -> LedgerError {
        let shown = escapedForDisplay(String(text.prefix(120)))
        return LedgerError(
            .malformed,
            Phrase(vi: "'\(shown)' không phải khóa kiểm chứng sổ cái", en: "'\(shown)' is not a verification key of a ledger"),
            hint: Phrase(
                vi: "khóa có dạng tên+8 chữ số hex+base64, được in trên phiếu khôi phục và trên mỗi báo cáo",
                en: "it looks like name+8 hex digits+base64, and is printed on the recovery sheet and on every report"))
    }
}

/// A named private key that signs notes.
package struct NoteSigner: Sendable {
    package let key: SigningKey
    package let verifier: NoteVerifier

    /// - Throws: `.malformed` for a name that notes do not allow.
    package init(name: String, key: SigningKey) throws {
        self.key = key
        verifier = try NoteVerifier(name: name, key: key.verificationKey)
    }

    /// The signed note over `text`, which must end with a line feed.
    package func sign(_ text: String) throws -> String {
        guard text.hasSuffix("\n"), SignedNote.isText(text) else { throw SignedNote.malformed("text") }
        let signature = try key.sign(Array(text.utf8))
        return "\(text)\n\u{2014} \(verifier.name) \(Base64.encode(verifier.keyID + signature))\n"
    }
}
