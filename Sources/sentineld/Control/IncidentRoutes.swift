internal import ControlAPI
internal import Hummingbird
internal import IncidentCore
internal import Platform

extension ControlRoutes {
    /// Incidents, their playbook steps, and holds.
    func incidents(_ router: Router<ControlContext>) {
        let service = core.incidents
        route(router, .get, "/v1/incidents", .read) { request, _, _ in
            let all = request.uri.queryParameters.get("all") == "true"
            return try await service.list(IncidentFilter(includesClosed: all))
        }
        route(router, .get, "/v1/incidents/:id", .read) { _, context, _ in try await service.show(context.parameter("id")) }
        route(router, .post, "/v1/incidents", .respond) { request, _, caller in
            let order = try await body(request, as: OpenIncident.self)
            guard let severity = Severity(rawValue: order.severity) else {
                throw ControlRefusal(
                    vi: "mức độ không hợp lệ '\(escapedForDisplay(order.severity))'", en: "no severity '\(escapedForDisplay(order.severity))'",
                    hint: Phrase(verbatim: Severity.allCases.map(\.rawValue).joined(separator: ", ")), .usage, .badRequest)
            }
            return try await changed(
                service.open(
                    title: order.title, severity: severity, playbook: order.playbook, asset: order.asset, note: order.note,
                    by: caller.responder))
        }
        route(router, .post, "/v1/incidents/:id/actions", .respond) { request, context, caller in
            let id = try context.parameter("id")
            let order = try await body(request, as: IncidentAction.self)
            return try await changed(act(order, on: id, by: caller.responder))
        }
        route(router, .post, "/v1/incidents/:id/playbook/:playbook", .respond) { _, context, caller in
            try await changed(
                service.attachPlaybook(
                    context.parameter("playbook"), to: context.parameter("id"), by: caller.responder))
        }
        route(router, .post, "/v1/incidents/:id/steps/:step", .respond) { request, context, caller in
            let order = try await body(request, as: StepAction.self)
            let verb: StepVerb =
                switch order.verb {
                case .start: .start
                case .done: .finish
                case .skip: .skip
                }
            try FaultPoint.reach("step.before-commit")
            let detail = try await service.act(
                verb, step: context.parameter("step"), of: context.parameter("id"), branch: order.next, note: order.note,
                by: caller.responder)
            return try await changed(detail)
        }
        route(router, .get, "/v1/holds", .read) { _, _, _ in try await service.holds(includingReleased: true) }
        route(router, .post, "/v1/holds", .respond) { request, _, caller in
            let order = try await body(request, as: PlaceHold.self)
            return try await service.placeHold(for: order.incident, jobs: order.jobs, reason: order.reason, by: caller.responder)
        }
        route(router, .post, "/v1/holds/release", .administer) { request, _, caller in
            let order = try await body(request, as: ReleaseHold.self)
            return try await service.releaseHold(order.id, reason: order.reason, by: caller.responder)
        }
    }

    private func act(_ order: IncidentAction, on id: String, by responder: Responder) async throws -> IncidentDetail {
        let service = core.incidents
        return switch order.verb {
        case .note: try await service.note(id, order.note ?? "", by: responder)
        case .assign: try await service.assign(id, to: order.assignee ?? "", note: order.note, by: responder)
        case .resolve: try await service.resolve(id, note: order.note, by: responder)
        case .close: try await service.close(id, reason: order.note, by: responder)
        case .reopen: try await service.reopen(id, reason: order.note ?? "", by: responder)
        }
    }

    /// After a change of an incident: a checkpoint, and whatever it queued is sent.
    private func changed(_ detail: IncidentDetail) async throws -> IncidentDetail {
        await core.findings.incidentsChanged()
        return detail
    }
}
