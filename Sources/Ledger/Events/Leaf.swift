package import Platform

/// The signed header of an event: what the Merkle tree hashes.
///
/// Canonical JSON of exactly these members:
/// `{"actor":{…},"facts":{…},"kind":…,"seq":…,"subject":…,"texts":{field: hex SHA-256(salt ‖ text)},"time":ms,"v":1}`.
package struct Leaf: Sendable, Hashable {
    /// A longer header is refused: longer text is evidence and enters by its hash.
    package static let sizeLimitBytes = 4096
    package static let version: Int64 = 1
    /// Bytes of one text.
    package static let textLimitBytes = 256 << 10
    package static let saltByteCount = 16

    package let sequence: Int64
    package let milliseconds: Int64
    package let kind: String
    package let subject: String
    package let actor: Actor
    package let facts: [String: JSONValue]
    package let textHashes: [String: Digest]

    /// SHA-256(salt ‖ text).
    package static func hash(salt: [UInt8], text: [UInt8]) throws(CryptoError) -> Digest { try SHA256.hash(salt + text) }

    private var json: JSONValue {
        .object([
            "v": .integer(Self.version), "seq": .integer(sequence), "time": .integer(milliseconds), "kind": .string(kind),
            "subject": .string(subject), "actor": actor.json, "facts": .object(facts),
            "texts": .object(textHashes.mapValues { .string($0.hex) }),
        ])
    }

    /// - Throws: `.leafTooLarge` naming the largest field, `.invalidEvent` for a field of another form than allowed.
    package func encoded() throws(LedgerError) -> [UInt8] {
        try validate()
        let bytes = json.canonicalBytes
        if bytes.count > Self.sizeLimitBytes { throw tooLarge(bytes.count) }
        return bytes
    }

    /// - Throws: `.damaged` for bytes that ``encoded()`` does not write.
    package init(decoding bytes: [UInt8]) throws(LedgerError) {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes, limitBytes: Self.sizeLimitBytes)
        } catch {
            throw Self.damaged(error)
        }
        guard json["v"]?.integer == Self.version, let sequence = json["seq"]?.integer, let time = json["time"]?.integer,
            let kind = json["kind"]?.string, let subject = json["subject"]?.string,
            let actor = json["actor"].flatMap({ Actor($0) }), let facts = json["facts"]?.object,
            let texts = json["texts"]?.object
        else { throw Self.damaged(nil) }
        var hashes: [String: Digest] = [:]
        for (field, value) in texts {
            guard let text = value.string, let digest = Digest(hex: text) else { throw Self.damaged(nil) }
            hashes[field] = digest
        }
        self.init(
            sequence: sequence, milliseconds: time, kind: kind, subject: subject, actor: actor, facts: facts,
            textHashes: hashes)
        if self.json.canonicalBytes != bytes { throw Self.damaged(nil) }
    }

    package init(
        sequence: Int64, milliseconds: Int64, kind: String, subject: String, actor: Actor, facts: [String: JSONValue],
        textHashes: [String: Digest]
    ) {
        self.sequence = sequence
        self.milliseconds = milliseconds
        self.kind = kind
        self.subject = subject
        self.actor = actor
        self.facts = facts
        self.textHashes = textHashes
    }

    private func validate() throws(LedgerError) {
        if !Self.isName(kind) { throw Self.invalid("kind", kind) }
        if actor.name.isEmpty { throw Self.invalid("actor.name", actor.name) }
        for field in textHashes.keys where !Self.isName(field) { throw Self.invalid("texts", field) }
        if facts.values.contains(where: { $0.isDeeper(than: Self.factDepthLimit) }) { throw Self.invalid("facts", kind) }
    }

    /// Depth of one fact: with the object around it, the leaf stays within the parser's ``JSONValue/depthLimit``.
    private static let factDepthLimit = JSONValue.depthLimit - 2

    /// 1...64 of `a…z A…Z 0…9 . - _`: safe as a name in every output.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    static func invalid(_ field: String, _ value: String) -> LedgerError {
        let shown = escapedForDisplay(String(value.prefix(80)))
        return LedgerError(
            .invalidEvent,
            Phrase(
                vi: "sự kiện: trường '\(field)' có giá trị không hợp lệ: '\(shown)'", en: "event: field '\(field)' has a value that is not allowed: '\(shown)'")
        )
    }

    private func tooLarge(_ count: Int) -> LedgerError {
        var sizes: [(field: String, bytes: Int)] = [
            ("subject", subject.utf8.count), ("kind", kind.utf8.count), ("actor", actor.json.canonicalBytes.count),
            ("texts", textHashes.reduce(0) { $0 + $1.key.utf8.count + 69 }),
        ]
        for (name, value) in facts { sizes.append(("facts.\(name)", name.utf8.count + value.canonicalBytes.count)) }
        let largest = sizes.max { ($0.bytes, $0.field) < ($1.bytes, $1.field) }
        let field = escapedForDisplay(String((largest?.field ?? "facts").prefix(80)))
        return LedgerError(
            .leafTooLarge,
            Phrase(
                vi: "sự kiện dài \(count) byte, tối đa \(Self.sizeLimitBytes); trường lớn nhất là '\(field)' (\(largest?.bytes ?? 0) byte)",
                en:
                    "the event is \(count) bytes long, at most \(Self.sizeLimitBytes) are allowed; its largest field is '\(field)' (\(largest?.bytes ?? 0) bytes)"
            ),
            hint: Phrase(
                vi: "lưu nội dung dài thành tệp lô hoặc chứng cứ và chỉ ghi giá trị băm",
                en: "keep long content in a batch file or as evidence, and record its hash"))
    }

    private static func damaged(_ cause: (any Error)?) -> LedgerError {
        LedgerError(
            .damaged, Phrase(vi: "phần đầu của sự kiện không đúng dạng chuẩn", en: "the header of an event is not in its canonical form"),
            cause: cause)
    }
}

extension JSONValue {
    /// True when more than `limit` arrays and objects lie inside one another.
    func isDeeper(than limit: Int) -> Bool {
        switch self {
        case .array(let elements): limit == 0 || elements.contains { $0.isDeeper(than: limit - 1) }
        case .object(let members): limit == 0 || members.values.contains { $0.isDeeper(than: limit - 1) }
        default: false
        }
    }
}
