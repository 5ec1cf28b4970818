internal import ControlAPI
internal import Hummingbird
internal import IncidentCore
internal import Ledger
internal import Platform

extension ControlRoutes {
    /// Status, doctor, health, playbooks.
    func overview(_ router: Router<ControlContext>) {
        route(router, .get, "/v1/status", .read) { _, _, _ in try await core.status() }
        route(router, .get, "/v1/doctor", .read) { _, _, _ in await Doctor(core: core).examine() }
        route(router, .get, "/v1/health", .read) { _, _, _ in await core.health.answers() }
        route(router, .get, "/v1/playbooks", .read) { _, _, _ in
            core.site.policy.playbooks.playbooks.map(PlaybookAnswer.init)
        }
        route(router, .get, "/v1/playbooks/:id", .read) { _, context, _ in
            let id = try context.parameter("id")
            guard let playbook = core.site.policy.playbooks.playbook(id) else {
                throw ControlRefusal.notFound(Phrase(vi: "kịch bản", en: "playbook"), id)
            }
            return PlaybookAnswer(playbook)
        }
    }
}
