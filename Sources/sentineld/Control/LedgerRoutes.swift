internal import ControlAPI
internal import Hummingbird
internal import IncidentCore
internal import Ledger
internal import Platform

extension ControlRoutes {
    /// Verification, checkpoints, proofs, events, rebuild, redaction.
    func ledger(_ router: Router<ControlContext>) {
        let ledger = core.ledger
        let desk = RedactionDesk()
        route(router, .get, "/v1/ledger/verify", .read) { _, _, _ in
            VerificationAnswer(try await ledger.verify(), key: ledger.verificationKey)
        }
        route(router, .post, "/v1/ledger/checkpoint", .respond) { _, _, caller in
            // Whoever asks takes it away: printed, mailed, written down. That is the witness outside this host.
            let draft = EventDraft(kind: Core.checkpointExported, subject: "ledger", actor: caller.actor)
            _ = try await ledger.commit { try $0.append(draft) }
            let note = try await ledger.checkpoint()
            let size = try await ledger.read { try EventTable.count(in: $0) }
            return CheckpointAnswer(checkpoint: note, verificationKey: ledger.verificationKey, size: size)
        }
        route(router, .get, "/v1/ledger/proof/:sequence", .read) { _, context, _ in
            let text = try context.parameter("sequence")
            guard let sequence = Int64(text) else { throw ControlRefusal.notFound(Phrase(vi: "sự kiện", en: "event"), text) }
            return TextAnswer(text: try await ledger.proof(of: sequence))
        }
        route(router, .get, "/v1/ledger/events", .read) { request, _, _ in
            let after = request.uri.queryParameters.get("after").flatMap { Int64($0) } ?? -1
            let limit = request.uri.queryParameters.get("limit").flatMap { Int($0) } ?? 100
            return try await ledger.events(after: after, limit: min(max(limit, 1), 1000)).map(EventAnswer.init)
        }
        route(router, .post, "/v1/ledger/rebuild", .administer) { _, _, caller in
            try await ledger.rebuild()
            let draft = EventDraft(kind: "ledger.rebuilt", subject: "ledger", actor: caller.actor)
            _ = try await ledger.commit { try $0.append(draft) }
            return TextAnswer(text: "rebuilt")
        }
        route(router, .post, "/v1/ledger/redact", .administer) { request, _, caller in
            let order = try await body(request, as: RedactField.self)
            guard core.site.configuration.team.person(uid: caller.peer.uid) != nil else {
                throw ControlRefusal(
                    vi: "chỉ người có tên trong 'team.people' được yêu cầu xóa nội dung", en: "only people of 'team.people' may ask for a redaction",
                    hint: Phrase(vi: "thêm uid của bạn vào cấu hình", en: "add your uid to the configuration"), .refused, .forbidden)
            }
            let draft = EventDraft(
                kind: "ledger.redaction-requested", subject: "event:\(order.sequence)", actor: caller.actor,
                facts: ["field": JSONValue(bounded(order.field, 64))], texts: ["reason": order.reason])
            _ = try await ledger.commit { try $0.append(draft) }
            guard let first = await desk.second(for: "\(order.sequence)/\(order.field)", caller.actor) else {
                return TextAnswer(text: "waiting")
            }
            try await ledger.redact(sequence: order.sequence, field: order.field, by: [first, caller.actor])
            return TextAnswer(text: "redacted")
        }
    }
}

/// Remembers who asked first to erase a text; a second, different person within a day carries it out.
actor RedactionDesk {
    private static let lifetimeSeconds: Int64 = 86400
    private var requests: [String: (actor: Actor, moment: Timestamp)] = [:]

    /// - Returns: The first person, when `actor` is the second; nil when `actor` is the first, or the same again.
    func second(for key: String, _ actor: Actor) -> Actor? {
        let now = Timestamp.now()
        requests = requests.filter { now.seconds - $0.value.moment.seconds < Self.lifetimeSeconds }
        if let first = requests[key], first.actor.uid != actor.uid {
            requests[key] = nil
            return first.actor
        }
        requests[key] = (actor, now)
        return nil
    }
}
