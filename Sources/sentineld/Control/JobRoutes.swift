internal import ControlAPI
internal import Hummingbird
internal import IncidentCore
internal import Platform

extension ControlRoutes {
    /// Backup jobs, drills, and the runs of both.
    func jobs(_ router: Router<ControlContext>) {
        route(router, .get, "/v1/jobs", .read) { _, _, _ in try await core.jobs.jobs() }
        route(router, .get, "/v1/jobs/:name", .read) { _, context, _ in
            try await core.jobs.runs(of: context.parameter("name"))
        }
        route(router, .post, "/v1/jobs/:name/run", .respond) { _, context, caller in
            try await core.center.startBackup(context.parameter("name"), by: caller.actor)
        }
        route(router, .get, "/v1/drills", .read) { _, _, _ in try await core.drills.drills() }
        route(router, .get, "/v1/drills/:name", .read) { _, context, _ in
            try await core.drills.runs(of: context.parameter("name"))
        }
        route(router, .post, "/v1/drills/:name/run", .respond) { _, context, caller in
            try await core.center.startDrill(context.parameter("name"), by: caller.actor)
        }
        route(router, .get, "/v1/runs/:id", .read) { _, context, _ in
            let id = try context.parameter("id")
            guard let run = await core.runs.run(id) else {
                throw ControlRefusal.notFound(Phrase(vi: "lần chạy", en: "run"), id)
            }
            return run
        }
    }
}
