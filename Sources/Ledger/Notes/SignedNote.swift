internal import Platform

/// A text with signatures under it (C2SP signed-note).
///
/// The text ends with a line feed; an empty line; then one line `— <key name> <base64(key id ‖ signature)>` for each signature.
package struct SignedNote: Sendable, Hashable {
    package struct Signature: Sendable, Hashable {
        package let name: String
        /// Four bytes.
        package let keyID: [UInt8]
        package let bytes: [UInt8]
    }

    /// The signed text, its final line feed included.
    package let text: String
    package let signatures: [Signature]

    /// Bytes of a whole note.
    package static let sizeLimitBytes = 1 << 20
    /// Signatures that are looked at; a note with more is refused.
    package static let signatureLimit = 100

    /// Reads a note without checking any signature.
    ///
    /// - Throws: `.malformed`.
    package init(parsing note: String) throws(LedgerError) {
        guard note.utf8.count <= Self.sizeLimitBytes, Self.isText(note) else { throw Self.malformed("text") }
        let bytes = Array(note.utf8)
        // The last empty line parts the text from the signatures.
        guard bytes.last == 0x0A,
            let end = bytes.indices.dropLast().last(where: { bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A }), end + 2 < bytes.count
        else { throw Self.malformed("signatures") }
        text = String(decoding: bytes[...end], as: UTF8.self)
        let lines = bytes[(end + 2)...].dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count <= Self.signatureLimit else { throw Self.malformed("signatures") }
        var signatures: [Signature] = []
        for line in lines {
            let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
            guard parts.count == 3, Array(parts[0]) == Array("\u{2014}".utf8) else { throw Self.malformed("signatures") }
            let name = String(decoding: parts[1], as: UTF8.self)
            guard NoteVerifier.isName(name), let blob = Base64.decode(String(decoding: parts[2], as: UTF8.self)), blob.count > 4
            else { throw Self.malformed("signatures") }
            signatures.append(Signature(name: name, keyID: Array(blob.prefix(4)), bytes: Array(blob.dropFirst(4))))
        }
        self.signatures = signatures
    }

    /// Checks the signatures of known keys; those of unknown keys are passed over.
    ///
    /// - Returns: The keys that signed, at least one.
    /// - Throws: `.unauthentic` when a known key's signature is false, or no known key signed.
    @discardableResult
    package func verify(with keys: [NoteVerifier]) throws -> [NoteVerifier] {
        var valid: [NoteVerifier] = []
        for signature in signatures {
            for key in keys where key.name == signature.name && key.keyID == signature.keyID && !valid.contains(key) {
                guard try key.key.isValid(signature.bytes, for: Array(text.utf8)) else { throw Self.unauthentic(key.name) }
                valid.append(key)
            }
        }
        if valid.isEmpty { throw Self.unauthentic(keys.map(\.name).joined(separator: ", ")) }
        return valid
    }

    /// UTF-8 (a Swift string always is) without control characters below 0x20 but the line feed.
    static func isText(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0A } }

    static func malformed(_ part: String) -> LedgerError {
        LedgerError(
            .malformed, Phrase(vi: "bản ghi có chữ ký sai định dạng (\(part))", en: "the signed note is malformed (\(part))"))
    }

    private static func unauthentic(_ name: String) -> LedgerError {
        let shown = escapedForDisplay(name)
        return LedgerError(
            .unauthentic,
            Phrase(vi: "không có chữ ký hợp lệ của '\(shown)'", en: "there is no valid signature of '\(shown)'"),
            hint: Phrase(
                vi: "so khóa kiểm chứng với phiếu khôi phục đã in", en: "compare the verification key with the printed recovery sheet"))
    }
}
