package import Platform

/// What a log says about itself at one moment: its origin, its size and its root (C2SP tlog-checkpoint).
package struct Checkpoint: Sendable, Hashable {
    package let origin: String
    /// Events under ``root``.
    package let size: Int64
    package let root: Digest
    /// Further lines, kept as they are.
    package let extensions: [String]

    package init(origin: String, size: Int64, root: Digest, extensions: [String] = []) {
        self.origin = origin
        self.size = size
        self.root = root
        self.extensions = extensions
    }

    /// The text that is signed.
    package var text: String {
        ([origin, String(size), Base64.encode(root.bytes)] + extensions).map { $0 + "\n" }.joined()
    }

    /// - Throws: `.malformed`.
    package init(parsing text: String) throws(LedgerError) {
        // Bytes, not characters: to Swift "\r\n" is one character.
        let lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { String($0) ?? "" }
        guard lines.count >= 4, lines.last == "", !lines.dropLast().contains(""),
            let size = Self.decimal(lines[1]), let bytes = Base64.decode(lines[2]), let root = Digest(bytes)
        else { throw SignedNote.malformed("checkpoint") }
        self.init(origin: lines[0], size: size, root: root, extensions: Array(lines[3..<lines.count - 1]))
    }

    /// Reads a signed checkpoint and checks it.
    ///
    /// - Throws: `.malformed`; `.unauthentic` when `key` did not sign it, or it names another origin than `key`.
    package init(note: String, key: NoteVerifier) throws {
        let signed = try SignedNote(parsing: note)
        try signed.verify(with: [key])
        try self.init(parsing: signed.text)
        if origin != key.name {
            throw LedgerError(
                .unauthentic,
                Phrase(
                    vi: "điểm chốt mang nguồn '\(escapedForDisplay(origin))', không phải '\(escapedForDisplay(key.name))'",
                    en: "the checkpoint is of the origin '\(escapedForDisplay(origin))', not '\(escapedForDisplay(key.name))'"))
        }
    }

    /// Decimal digits without leading zeros.
    static func decimal(_ text: String) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), text == "0" || !text.hasPrefix("0") else { return nil }
        return Int64(text)
    }
}
