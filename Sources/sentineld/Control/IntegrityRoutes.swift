internal import ControlAPI
internal import FoundationEssentials
internal import Hummingbird
internal import IncidentCore
internal import Platform

extension ControlRoutes {
    /// Scans, changes, accepts, coverage.
    func integrity(_ router: Router<ControlContext>) {
        route(router, .post, "/v1/integrity/scan", .respond) { _, _, caller in
            try await core.center.startScan(by: caller.actor)
        }
        route(router, .get, "/v1/integrity/changes", .read) { _, _, _ in
            guard case .changes(let text) = try await core.watch.ask(.changes) else { throw ControlRefusal.mixedUp }
            return try JSONDecoder().decode(ChangesAnswer.self, from: Data(text.utf8))
        }
        route(router, .get, "/v1/integrity/coverage", .read) { _, _, _ in
            guard case .coverage(let text) = try await core.watch.ask(.coverage) else { throw ControlRefusal.mixedUp }
            var answer = try JSONDecoder().decode(CoverageAnswer.self, from: Data(text.utf8))
            answer.blind = await core.blind.intervals.map {
                CoverageAnswer.Blind(
                    path: FilePath($0.path).description, from: $0.from.rfc3339Local, to: $0.to.rfc3339Local, reason: BilingualText($0.reason))
            }
            return answer
        }
        route(router, .post, "/v1/integrity/accept", .administer) { request, _, caller in
            let order = try await body(request, as: AcceptChanges.self)
            return try await accept(order, by: caller)
        }
    }

    /// Rows to a batch file, the event into the ledger, then the rows into the baseline: in this order nothing can be lost.
    private func accept(_ order: AcceptChanges, by caller: Caller) async throws -> AcceptAnswer {
        if order.note.isEmpty {
            throw ControlRefusal(
                vi: "cần nêu lý do chấp nhận", en: "a reason is needed",
                hint: Phrase(vi: "thêm --note 'lý do'", en: "add --note 'reason'"), .usage, .badRequest)
        }
        guard
            case .prepared(let batch, let rows, let root, let base) = try await core.watch.ask(
                .prepareAccept(pathsBase64: order.pathsBase64))
        else { throw ControlRefusal.mixedUp }
        if rows == 0, base >= 0 {
            throw ControlRefusal(
                vi: "không có thay đổi nào để chấp nhận", en: "there is nothing to accept",
                hint: Phrase(vi: "xem 'sentinelctl integrity changes'", en: "see 'sentinelctl integrity changes'"), .notFound, .notFound)
        }
        guard let batchDigest = Digest(hex: batch), let rootDigest = Digest(hex: root) else { throw ControlRefusal.mixedUp }
        let accepted = try await core.accepts.accept(
            batch: batchDigest, rows: Int64(rows), root: rootDigest, previousSequence: base, isInitial: base < 0, by: caller.actor,
            note: order.note)
        _ = try await core.watch.ask(.applyAccept(AcceptReference(sequence: accepted.sequence, batch: batch, root: root)))
        await core.findings.incidentsChanged()
        return AcceptAnswer(rows: rows, root: root, sequence: accepted.sequence)
    }
}

extension ControlRefusal {
    static let mixedUp = ControlRefusal(
        vi: "tiến trình giám sát trả lời sai loại", en: "the watch process gave an answer of another kind", .failure, .internalServerError)
}
