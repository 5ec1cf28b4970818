internal import Ledger
internal import Platform

/// What a person does with a step.
package enum StepVerb: String, Sendable, Codable { case start, finish, skip }

/// A running playbook in memory: definition and state together. Decides what is allowed; changes nothing.
struct PlaybookRunState {
    let incident: String
    let run: PlaybookRunRow
    let definition: Playbook
    let rows: [String: StepRow]

    func state(of step: PlaybookStep) -> StepState { rows[step.id]?.state ?? .waiting }

    /// Steps whose turn it is, in the order of the playbook: started ones first.
    var current: [PlaybookStep] {
        definition.steps.filter { state(of: $0) == .started } + definition.steps.filter { state(of: $0) == .ready }
    }

    var isFinished: Bool { !rows.isEmpty && current.isEmpty }

    /// Mandatory steps that were reached or lie ahead and have never been done. Steps of a branch that was not taken do not count.
    var openMandatorySteps: [PlaybookStep] {
        var reachable: Set<String> = []
        var pending = current.map(\.id)
        while let id = pending.popLast() {
            guard reachable.insert(id).inserted, let step = definition.step(id) else { continue }
            pending.append(contentsOf: step.next)
        }
        return definition.steps.filter { step in
            step.isMandatory && reachable.contains(step.id) && (rows[step.id]?.timesDone ?? 0) == 0
        }
    }

    /// Counted from the opening of the incident: the law's hours run from the detection, whenever the playbook was attached.
    func deadline(of step: PlaybookStep, openedAt opened: Timestamp) -> Timestamp? {
        step.deadlineSeconds.map { opened.adding(seconds: Int64($0)) }
    }

    // MARK: Actions

    /// Checks an action on a step and writes its event.
    func act(
        _ verb: StepVerb, on name: String, branch: String?, note: String?, by responder: Responder, now: Timestamp,
        in transaction: LedgerTransaction
    ) throws {
        let step = try require(name)
        let state = state(of: step)
        guard state == .ready || state == .started else { throw refusal(of: step, state) }
        var facts: [String: JSONValue] = [
            "run": JSONValue(run.run), "step": JSONValue(step.id), "mandatory": JSONValue(step.isMandatory),
        ]
        let kind: String
        switch verb {
        case .start:
            if state == .started {
                let who = escapedForDisplay(rows[step.id]?.startedBy ?? "")
                throw IncidentError(
                    .refused, Phrase(vi: "bước '\(step.id)' đã được \(who) bắt đầu", en: "step '\(step.id)' was started by \(who) already"))
            }
            kind = EventKind.stepStarted
        case .finish:
            kind = EventKind.stepFinished
            facts["next"] = .array(try successors(of: step, branch: branch).map { JSONValue($0) })
        case .skip:
            try checkSkip(step, note: note, by: responder)
            kind = EventKind.stepSkipped
            facts["next"] = .array(try successors(of: step, branch: branch).map { JSONValue($0) })
        }
        try transaction.append(
            EventDraft(
                kind: kind, subject: incident, actor: responder.actor, moment: now, facts: facts,
                texts: note.map { ["note": $0] } ?? [:]))
    }

    private func require(_ name: String) throws -> PlaybookStep {
        if let step = definition.step(name) { return step }
        let shown = escapedForDisplay(bounded(name, 64))
        throw IncidentError(
            .notFound,
            Phrase(
                vi: "kịch bản '\(definition.id)' không có bước '\(shown)'", en: "playbook '\(definition.id)' has no step '\(shown)'"),
            hint: Suggestion.hint(for: name, among: definition.steps.map(\.id)) ?? currentHint)
    }

    private var currentHint: Phrase {
        let names = current.map { "'\($0.id)'" }.joined(separator: ", ")
        return names.isEmpty
            ? Phrase(vi: "mọi bước đã kết thúc", en: "all steps are over")
            : Phrase(vi: "bước đang đến lượt: \(names)", en: "it is the turn of \(names)")
    }

    private func refusal(of step: PlaybookStep, _ state: StepState) -> IncidentError {
        let message =
            state == .waiting
            ? Phrase(vi: "chưa đến lượt bước '\(step.id)'", en: "it is not yet the turn of step '\(step.id)'")
            : Phrase(vi: "bước '\(step.id)' đã \(state.title.vi)", en: "step '\(step.id)' is \(state.title.en) already")
        return IncidentError(.refused, message, hint: currentHint)
    }

    private func checkSkip(_ step: PlaybookStep, note: String?, by responder: Responder) throws {
        guard let note, !note.isEmpty else {
            throw IncidentError.missingNote(Phrase(vi: "bỏ qua bước '\(step.id)'", en: "skip step '\(step.id)'"))
        }
        if step.isMandatory, !responder.isAdministrator {
            throw IncidentError(
                .notPermitted,
                Phrase(vi: "bước '\(step.id)' là bắt buộc", en: "step '\(step.id)' is mandatory"),
                hint: Phrase(
                    vi: "chỉ người quản trị được bỏ qua, kèm lý do", en: "only an administrator may skip it, with a reason"))
        }
    }

    /// The steps that come after `step`: its only successor, or the one that the person chose among several.
    private func successors(of step: PlaybookStep, branch: String?) throws -> [String] {
        if let branch {
            if step.next.contains(branch) { return [branch] }
            let shown = escapedForDisplay(bounded(branch, 64))
            throw IncidentError(
                .invalidArgument,
                Phrase(
                    vi: "sau bước '\(step.id)' không có bước '\(shown)'", en: "step '\(shown)' does not follow step '\(step.id)'"),
                hint: options(of: step))
        }
        if step.next.count > 1 {
            throw IncidentError(
                .invalidArgument,
                Phrase(
                    vi: "sau bước '\(step.id)' có nhiều hướng, cần chọn một", en: "several steps follow '\(step.id)': choose one"),
                hint: options(of: step))
        }
        return step.next
    }

    private func options(of step: PlaybookStep) -> Phrase {
        let titles = step.next.map { id in (id, definition.step(id)?.title ?? Phrase(verbatim: id)) }
        return Phrase(
            vi: "thêm --next: " + titles.map { "\($0.0) (\($0.1.vi))" }.joined(separator: ", "),
            en: "add --next: " + titles.map { "\($0.0) (\($0.1.en))" }.joined(separator: ", "))
    }
}
