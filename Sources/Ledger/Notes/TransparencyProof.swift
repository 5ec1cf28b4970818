package import Platform

/// A self-contained proof that one event stands in the ledger (C2SP tlog-proof, file name `*.tlog-proof`).
///
/// ```
/// c2sp.org/tlog-proof@v1
/// extra <base64 of the leaf>
/// index <place of the leaf>
/// <base64 hash>            from the leaf to the root, one a line
///
/// <signed checkpoint>
/// ```
package struct TransparencyProof: Sendable, Hashable {
    /// Free bytes of the application. Ours puts the leaf here, so that the file needs no other; the proof covers it.
    package let extra: [UInt8]?
    package let index: Int64
    package let hashes: [Digest]
    /// The signed note.
    package let checkpoint: String

    private static let header = "c2sp.org/tlog-proof@v1"
    /// No tree of 64-bit size has a longer way.
    private static let hashLimit = 63

    package init(extra: [UInt8]?, index: Int64, hashes: [Digest], checkpoint: String) {
        self.extra = extra
        self.index = index
        self.hashes = hashes
        self.checkpoint = checkpoint
    }

    /// The file.
    package var text: String {
        var lines = [Self.header]
        if let extra { lines.append("extra \(Base64.encode(extra))") }
        lines.append("index \(index)")
        lines += hashes.map { Base64.encode($0.bytes) }
        return lines.map { $0 + "\n" }.joined() + "\n" + checkpoint
    }

    /// Reads a proof file without checking it.
    ///
    /// - Throws: `.malformed`.
    package init(parsing text: String) throws(LedgerError) {
        guard text.utf8.count <= SignedNote.sizeLimitBytes else { throw Self.malformed() }
        let bytes = Array(text.utf8)
        guard let end = bytes.indices.dropLast().first(where: { bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A }) else {
            throw Self.malformed()
        }
        var lines = bytes[..<end].split(separator: 0x0A, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }[...]
        guard lines.popFirst() == Self.header else { throw Self.malformed() }
        var extra: [UInt8]?
        if let line = lines.first, line.hasPrefix("extra ") {
            guard let decoded = Base64.decode(String(line.dropFirst(6))) else { throw Self.malformed() }
            extra = decoded
            lines.removeFirst()
        }
        guard let line = lines.popFirst(), line.hasPrefix("index "), let index = Checkpoint.decimal(String(line.dropFirst(6))),
            lines.count <= Self.hashLimit
        else { throw Self.malformed() }
        var hashes: [Digest] = []
        for line in lines {
            guard let decoded = Base64.decode(line), let hash = Digest(decoded) else { throw Self.malformed() }
            hashes.append(hash)
        }
        self.init(extra: extra, index: index, hashes: hashes, checkpoint: String(decoding: bytes[(end + 2)...], as: UTF8.self))
    }

    /// Checks signature and way.
    ///
    /// - Parameter leaf: The bytes of the leaf; nil takes ``extra``.
    /// - Returns: The checkpoint that covers the leaf.
    /// - Throws: `.malformed`; `.unauthentic` when the signature or the way does not hold.
    @discardableResult
    package func verify(leaf: [UInt8]? = nil, key: NoteVerifier) throws -> Checkpoint {
        let checkpoint = try Checkpoint(note: checkpoint, key: key)
        guard let leaf = leaf ?? extra else { throw Self.malformed() }
        var hasher = try MerkleHasher()
        let leafHash = try hasher.leaf(leaf)
        let isIncluded = try MerkleProof.isIncluded(
            leafHash, at: index, in: checkpoint.size, root: checkpoint.root, hashes: hashes, &hasher)
        guard isIncluded else {
            throw LedgerError(
                .unauthentic,
                Phrase(
                    vi: "sự kiện số \(index) không nằm trong sổ cái mà điểm chốt xác nhận",
                    en: "event \(index) does not stand in the ledger that the checkpoint confirms"))
        }
        return checkpoint
    }

    private static func malformed() -> LedgerError {
        LedgerError(.malformed, Phrase(vi: "tệp chứng minh sai định dạng", en: "the proof file is malformed"))
    }
}
