internal import Ledger
internal import Platform

/// What people do with incidents.
extension IncidentService {
    /// Opens an incident by hand.
    ///
    /// - Parameters:
    ///   - playbook: Identity of a playbook; nil: the one that answers `manual` findings, if there is one.
    /// - Throws: `.notFound` for an unknown playbook or asset, `.invalidArgument` without a title.
    package func open(
        title: String, severity: Severity, playbook: String?, asset: String?, note: String?, by responder: Responder
    ) async throws -> IncidentDetail {
        if title.isEmpty {
            throw IncidentError(.invalidArgument, Phrase(vi: "sự cố cần có tiêu đề", en: "an incident needs a title"))
        }
        let policy = policy
        let moment = now
        let chosen = try playbook.map { try Self.require($0, in: policy) } ?? policy.playbook(forTrigger: FindingKind.manual)
        if let asset, policy.configuration.asset(named: asset) == nil {
            throw Self.unknown(
                Phrase(vi: "hệ thống", en: "asset"), asset, among: policy.configuration.assets.map(\.name))
        }
        return try await answer { transaction in
            let opening = IncidentOpening(
                rule: FindingKind.manual, correlation: "manual|\(transaction.count)", severity: severity, asset: asset,
                title: nil, typedTitle: title, assignee: nil, playbook: chosen)
            let id = try opening.write(actor: responder.actor, now: moment, in: transaction)
            if let note, !note.isEmpty {
                try transaction.append(
                    EventDraft(
                        kind: EventKind.incidentNoted, subject: id, actor: responder.actor, moment: moment, texts: ["note": note]))
            }
            try Notifications.queue(.opened, incident: id, policy: policy, now: moment, in: transaction)
            return id
        }
    }

    /// Adds a note to the history. Also a closed incident takes notes.
    package func note(_ id: String, _ note: String, by responder: Responder) async throws -> IncidentDetail {
        if note.isEmpty { throw IncidentError.missingNote(Phrase(vi: "ghi chú", en: "note something")) }
        return try await act(on: id, EventKind.incidentNoted, note: note, by: responder, allowsClosed: true)
    }

    /// Gives the incident to a member of the team.
    ///
    /// - Throws: `.notFound` when the configuration has nobody of that name.
    package func assign(_ id: String, to name: String, note: String?, by responder: Responder) async throws -> IncidentDetail {
        let people = policy.configuration.team.people
        if !people.contains(where: { $0.name == name }) {
            throw Self.unknown(Phrase(vi: "người", en: "person"), name, among: people.map(\.name))
        }
        return try await act(
            on: id, EventKind.incidentAssigned, facts: ["assignee": JSONValue(bounded(name, 64))], note: note, by: responder)
    }

    /// Says that the incident is mended. The condition of the detectors stays what it is.
    package func resolve(_ id: String, note: String?, by responder: Responder) async throws -> IncidentDetail {
        try await act(on: id, EventKind.incidentResolved, note: note, by: responder) { row in
            if row.status == .resolved {
                throw IncidentError(
                    .refused, Phrase(vi: "sự cố \(row.id) đã được khắc phục", en: "incident \(row.id) is resolved already"))
            }
        }
    }

    /// Closes the incident for good.
    ///
    /// - Throws: `.refused` while mandatory steps are open or the condition is active and no reason is given.
    package func close(_ id: String, reason: String?, by responder: Responder) async throws -> IncidentDetail {
        let builder = builder
        let moment = now
        return try await answer { transaction in
            let row = try IncidentTable.require(id, in: transaction.database)
            if row.status == .closed { throw IncidentError.closed(row.id) }
            let open = try builder.currentState(of: row, in: transaction.database)?.openMandatorySteps ?? []
            if reason?.isEmpty ?? true { try Self.requireNothingOpen(row, open) }
            try transaction.append(
                EventDraft(
                    kind: EventKind.incidentClosed, subject: row.id, actor: responder.actor, moment: moment,
                    facts: open.isEmpty ? [:] : ["openSteps": .array(open.prefix(32).map { JSONValue($0.id) })],
                    texts: reason.map { ["reason": $0] } ?? [:]))
            return row.id
        }
    }

    private static func requireNothingOpen(_ row: IncidentRow, _ steps: [PlaybookStep]) throws {
        let hint = Phrase(
            vi: "hoàn thành các bước, hoặc nêu lý do: 'sentinelctl incident close \(row.id) --note …'",
            en: "finish the steps, or give a reason: 'sentinelctl incident close \(row.id) --note …'")
        if !steps.isEmpty {
            let names = steps.map { "'\($0.id)'" }.joined(separator: ", ")
            throw IncidentError(
                .refused, Phrase(vi: "bước bắt buộc chưa xong: \(names)", en: "mandatory steps are not done: \(names)"), hint: hint)
        }
        if row.condition == .active {
            throw IncidentError(
                .refused, Phrase(vi: "sự cố \(row.id) vẫn đang diễn ra", en: "the condition of \(row.id) is still active"), hint: hint)
        }
    }

    /// Takes a resolved or closed incident up again.
    package func reopen(_ id: String, reason: String, by responder: Responder) async throws -> IncidentDetail {
        if reason.isEmpty { throw IncidentError.missingNote(Phrase(vi: "mở lại sự cố", en: "reopen an incident")) }
        return try await act(on: id, EventKind.incidentReopened, note: reason, by: responder, allowsClosed: true) { row in
            if row.status == .open {
                throw IncidentError(.refused, Phrase(vi: "sự cố \(row.id) đang mở", en: "incident \(row.id) is open"))
            }
        }
    }

    // MARK: Steps

    /// Starts, finishes or skips a step of the incident's playbook.
    ///
    /// - Parameters:
    ///   - branch: The step that follows, where several may.
    /// - Throws: `IncidentError`: not its turn, mandatory, branch missing, no playbook.
    package func act(
        _ verb: StepVerb, step: String, of id: String, branch: String?, note: String?, by responder: Responder
    ) async throws -> IncidentDetail {
        let builder = builder
        let moment = now
        let detail = try await answer { transaction in
            let row = try IncidentTable.require(id, in: transaction.database)
            if row.status == .closed { throw IncidentError.closed(row.id) }
            guard let state = try builder.currentState(of: row, in: transaction.database) else {
                throw IncidentError(
                    .refused, Phrase(vi: "sự cố \(row.id) không có kịch bản", en: "incident \(row.id) has no playbook"),
                    hint: Phrase(
                        vi: "áp dụng kịch bản bằng 'sentinelctl playbook attach \(row.id) MÃ'",
                        en: "attach one with 'sentinelctl playbook attach \(row.id) ID'"))
            }
            try state.act(verb, on: step, branch: branch, note: note, by: responder, now: moment, in: transaction)
            return row.id
        }
        try FaultPoint.reach("step.committed")
        return detail
    }

    /// Attaches a playbook by hand, in place of the one at work.
    package func attachPlaybook(_ name: String, to id: String, by responder: Responder) async throws -> IncidentDetail {
        let playbook = try Self.require(name, in: policy)
        let moment = now
        return try await answer { transaction in
            let row = try IncidentTable.require(id, in: transaction.database)
            if row.status == .closed { throw IncidentError.closed(row.id) }
            try PlaybookRuns.attach(playbook, to: row.id, actor: responder.actor, now: moment, in: transaction)
            return row.id
        }
    }

    // MARK: Holds

    /// Holds, the standing ones first.
    package func holds(includingReleased: Bool = false) async throws -> [HoldView] {
        try await ledger.read { try Holds.list(includingReleased: includingReleased, in: $0) }
    }

    /// The standing holds that forbid deleting a snapshot.
    package func holds(covering snapshot: DeletionQuestion) async throws -> [HoldView] {
        try await ledger.read { try Holds.covering(snapshot, in: $0) }
    }

    /// Holds the snapshots of jobs because of an incident: nothing deletes them until the hold is released.
    ///
    /// - Parameter jobs: Names of backup jobs; all of the configuration when empty.
    /// - Throws: `.notFound` for an unknown incident or job.
    package func placeHold(for id: String, jobs: [String], reason: String?, by responder: Responder) async throws -> [HoldView] {
        let known = policy.configuration.backup.jobs.map(\.name)
        for job in jobs where !known.contains(job) {
            throw Self.unknown(Phrase(vi: "việc sao lưu", en: "backup job"), job, among: known)
        }
        let moment = now
        return try await ledger.commit { transaction in
            let row = try IncidentTable.require(id, in: transaction.database)
            let why = reason.map { Phrase(verbatim: bounded($0, 400)) } ?? Phrase(vi: "giữ cho sự cố \(row.id)", en: "held for incident \(row.id)")
            for job in jobs.isEmpty ? known : jobs {
                _ = try Holds.place(job: job, incident: row.id, reason: why, now: moment, actor: responder.actor, in: transaction)
            }
            return try Holds.list(includingReleased: true, in: transaction.database)
        }
    }

    /// Ends a hold. Administrators only: it is what keeps the last clean snapshots alive.
    package func releaseHold(_ id: String, reason: String, by responder: Responder) async throws -> [HoldView] {
        if !responder.isAdministrator {
            throw IncidentError(
                .notPermitted,
                Phrase(vi: "chỉ người quản trị được bỏ lệnh giữ", en: "only an administrator may release a hold"))
        }
        let moment = now
        return try await ledger.commit { transaction in
            try Holds.release(id, reason: reason, now: moment, actor: responder.actor, in: transaction)
            return try Holds.list(includingReleased: true, in: transaction.database)
        }
    }

    // MARK: Common parts

    /// Commits `body`, which names the incident it changed, and shows that incident.
    private func answer(_ body: @escaping @Sendable (LedgerTransaction) throws -> String) async throws -> IncidentDetail {
        let builder = builder
        return try await ledger.commit { transaction in
            let id = try body(transaction)
            return try builder.detail(of: IncidentTable.require(id, in: transaction.database), in: transaction.database)
        }
    }

    private func act(
        on id: String, _ kind: String, facts: [String: JSONValue] = [:], note: String?, by responder: Responder,
        allowsClosed: Bool = false, check: @escaping @Sendable (IncidentRow) throws -> Void = { _ in }
    ) async throws -> IncidentDetail {
        let moment = now
        return try await answer { transaction in
            let row = try IncidentTable.require(id, in: transaction.database)
            if row.status == .closed, !allowsClosed { throw IncidentError.closed(row.id) }
            try check(row)
            try transaction.append(
                EventDraft(
                    kind: kind, subject: row.id, actor: responder.actor, moment: moment, facts: facts,
                    texts: note.map { ["note": $0] } ?? [:]))
            return row.id
        }
    }

    private static func require(_ id: String, in policy: ResponsePolicy) throws -> Playbook {
        if let playbook = policy.playbooks.playbook(id) { return playbook }
        throw unknown(Phrase(vi: "kịch bản", en: "playbook"), id, among: policy.playbooks.playbooks.map(\.id))
    }

    static func unknown(_ what: Phrase, _ name: String, among known: [String]) -> IncidentError {
        let shown = escapedForDisplay(bounded(name, 64))
        return IncidentError(
            .notFound, Phrase(vi: "không có \(what.vi) '\(shown)'", en: "there is no \(what.en) '\(shown)'"),
            hint: Suggestion.hint(for: name, among: known))
    }
}
