package import Platform

/// A refused action on an incident, playbook, hold, job or drill: what is wrong and what would be right.
package struct IncidentError: ExplainedError, Equatable {
    package enum Code: String, Sendable {
        /// What was named does not exist.
        case notFound
        /// The state does not allow it: closed already, step not reachable, mandatory work left.
        case refused
        /// The person's role does not allow it.
        case notPermitted
        /// A reason, a branch or a value is missing or wrong.
        case invalidArgument
        /// Something stored is not as it was written.
        case damaged
    }

    package let code: Code
    package let message: Phrase
    package let hint: Phrase?

    package init(_ code: Code, _ message: Phrase, hint: Phrase? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// Tests and callers compare codes; texts may change.
    package static func == (left: IncidentError, right: IncidentError) -> Bool { left.code == right.code }
}

extension IncidentError {
    static func unknownIncident(_ name: String, similar: String?) -> IncidentError {
        let shown = escapedForDisplay(bounded(name, 64))
        return IncidentError(
            .notFound, Phrase(vi: "không có sự cố '\(shown)'", en: "there is no incident '\(shown)'"),
            hint: similar.map { Phrase(vi: "có phải '\($0)' không?", en: "did you mean '\($0)'?") }
                ?? Phrase(vi: "xem danh sách bằng 'sentinelctl incident list --all'", en: "see 'sentinelctl incident list --all'"))
    }

    static func closed(_ incident: String) -> IncidentError {
        IncidentError(
            .refused, Phrase(vi: "sự cố \(incident) đã đóng", en: "incident \(incident) is closed"),
            hint: Phrase(
                vi: "mở lại bằng 'sentinelctl incident reopen \(incident)'",
                en: "reopen it with 'sentinelctl incident reopen \(incident)'"))
    }

    static func missingNote(_ what: Phrase) -> IncidentError {
        IncidentError(
            .invalidArgument, Phrase(vi: "cần nêu lý do để \(what.vi)", en: "a reason is needed to \(what.en)"),
            hint: Phrase(vi: "thêm --note 'lý do'", en: "add --note 'reason'"))
    }

    static func storedTextDamaged(_ what: String) -> IncidentError {
        IncidentError(
            .damaged, Phrase(vi: "nội dung đã lưu không đọc được: \(what)", en: "stored content cannot be read: \(what)"),
            hint: Phrase(vi: "chạy 'sentinelctl ledger verify'", en: "run 'sentinelctl ledger verify'"))
    }
}
