package import Platform

/// One body's view of the ledger while it commits. Lives as long as the body runs, on its thread only.
package final class LedgerTransaction {
    /// The connection that writes. Tables of projections are written by ``append(_:)`` alone; others may be written here.
    package let database: Database
    private let projections: [any Projection]
    private let writer: LedgerWriter
    private var isOpen = true
    /// Why an event was left half-entered: the body may not catch that and go on.
    private(set) var failure: (any Error)?

    init(writer: LedgerWriter, database: Database, projections: [any Projection]) {
        self.writer = writer
        self.database = database
        self.projections = projections
    }

    /// Appends an event and applies it to every projection at once.
    ///
    /// - Returns: The event as it will be read later.
    /// - Throws: `.leafTooLarge` or `.invalidEvent` before anything was written; whatever a projection throws, and then the
    ///   whole body is undone even if it catches the error.
    @discardableResult
    package func append(_ draft: EventDraft) throws -> Event {
        if let failure { throw failure }
        guard isOpen, database.isInTransaction else { throw LedgerError.closed() }
        let prepared = try PreparedEvent(draft, sequence: writer.frontier.size)
        do {
            try writer.append(prepared)
            for projection in projections { try projection.apply(prepared.event, to: database) }
        } catch {
            failure = error
            throw error
        }
        return prepared.event
    }

    /// The event at `sequence`, one appended in this transaction included; nil when there is none.
    package func event(_ sequence: Int64) throws -> Event? { try EventTable.event(sequence, in: database) }

    /// The number of events, those of this transaction included.
    package var count: Int64 { writer.frontier.size }

    /// See ``Ledger/checkpoint()``.
    func checkpoint() throws -> String { try writer.checkpoint() }

    /// See ``LedgerWriter/wantPurge()``.
    func wantPurge() { writer.wantPurge() }

    func close() { isOpen = false }
}

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
