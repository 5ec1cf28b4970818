internal import Platform

/// An event with its leaf, salts and texts: everything that is computed before the first row is written.
struct PreparedEvent {
    let event: Event
    let leaf: [UInt8]
    let texts: [(field: String, salt: [UInt8], payload: [UInt8])]

    /// The last millisecond of the year 9999, the last one that can be written as a date.
    private static let lastSecond: Int64 = 253_402_300_799

    init(_ draft: EventDraft, sequence: Int64) throws {
        let moment = draft.moment ?? Timestamp.now()
        guard (-62_135_596_800...Self.lastSecond).contains(moment.seconds) else { throw Leaf.invalid("time", "\(moment.seconds)") }
        var hashes: [String: Digest] = [:]
        var texts: [(field: String, salt: [UInt8], payload: [UInt8])] = []
        for (field, text) in draft.texts {
            let payload = Array(text.utf8)
            if payload.count > Leaf.textLimitBytes { throw Self.tooLong(field, payload.count) }
            let salt = try SecureRandom.bytes(Leaf.saltByteCount)
            hashes[field] = try Leaf.hash(salt: salt, text: payload)
            texts.append((field, salt, payload))
        }
        let leaf = Leaf(
            sequence: sequence, milliseconds: moment.millisecondsSinceEpoch, kind: draft.kind, subject: draft.subject,
            actor: draft.actor, facts: draft.facts, textHashes: hashes)
        self.leaf = try leaf.encoded()
        self.texts = texts
        event = Event(
            sequence: sequence, moment: Timestamp(millisecondsSinceEpoch: leaf.milliseconds), kind: draft.kind,
            subject: draft.subject, actor: draft.actor, facts: draft.facts, texts: draft.texts.mapValues { .some($0) })
    }

    private static func tooLong(_ field: String, _ count: Int) -> LedgerError {
        LedgerError(
            .invalidEvent,
            Phrase(
                vi: "văn bản '\(escapedForDisplay(field))' dài \(count) byte, tối đa \(Leaf.textLimitBytes)",
                en: "the text '\(escapedForDisplay(field))' is \(count) bytes long, at most \(Leaf.textLimitBytes) are allowed"),
            hint: Phrase(vi: "lưu văn bản dài thành chứng cứ", en: "keep a long text as evidence"))
    }
}
