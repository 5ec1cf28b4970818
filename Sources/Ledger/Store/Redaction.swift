internal import Platform

/// Erasing one text for ever, with two persons' names under it.
struct Redaction {
    /// The kind of the event that records it; its facts name event, field and approvers.
    static let kind = "ledger.redacted"

    let sequence: Int64
    let field: String
    let actors: [Actor]

    func run(_ transaction: LedgerTransaction, _ projections: [any Projection]) throws -> Event {
        let persons = try approvers()
        guard let event = try transaction.event(sequence) else { throw LedgerError.unknownEvent(sequence) }
        guard event.texts[field] != nil else {
            throw LedgerError(
                .unknown,
                Phrase(
                    vi: "sự kiện số \(sequence) không có văn bản '\(escapedForDisplay(field))'",
                    en: "event \(sequence) has no text '\(escapedForDisplay(field))'"))
        }
        if event.isRedacted(field) {
            throw LedgerError(
                .refused,
                Phrase(
                    vi: "văn bản '\(field)' của sự kiện số \(sequence) đã bị xóa từ trước",
                    en: "the text '\(field)' of event \(sequence) is already erased"))
        }
        try transaction.database.run(
            "UPDATE payloads SET salt = NULL, payload = NULL WHERE sequence = ?1 AND field = ?2", .integer(sequence), .text(field))
        let record = try transaction.append(
            EventDraft(
                kind: Self.kind, subject: event.subject, actor: persons[0],
                facts: [
                    "sequence": .integer(sequence), "field": .string(field), "approvers": .array(persons.map(\.json)),
                ]))
        try ProjectionBuild.rebuild(projections, in: transaction.database)
        transaction.wantPurge()
        return record
    }

    /// The persons, at least two of them with different uids other than 0.
    private func approvers() throws -> [Actor] {
        let persons = actors.filter { $0.kind == .person && ($0.uid ?? 0) != 0 }
        guard persons.count == actors.count, Set(persons.compactMap(\.uid)).count >= 2 else {
            throw LedgerError(
                .refused,
                Phrase(vi: "xóa văn bản cần hai người khác nhau, không phải root", en: "erasing a text needs two different persons, neither of them root"),
                hint: Phrase(vi: "nhờ một thành viên khác của tổ xác nhận", en: "ask another member of the team to confirm"))
        }
        return persons
    }

    /// The event and field that a `ledger.redacted` event names; nil for any other event.
    static func target(of leaf: Leaf) -> RedactedField? {
        guard leaf.kind == kind, let sequence = leaf.facts["sequence"]?.integer, let field = leaf.facts["field"]?.string else { return nil }
        return RedactedField(sequence: sequence, field: field)
    }
}

/// A text that was erased.
struct RedactedField: Hashable {
    let sequence: Int64
    let field: String
}
