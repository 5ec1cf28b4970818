internal import ControlAPI
internal import Hummingbird
internal import IncidentCore
internal import Ledger
internal import Platform

extension ControlRoutes {
    /// Repositories, their snapshots, retention, and what people say of doubtful snapshots.
    func repositories(_ router: Router<ControlContext>) {
        let service = core.repositories
        route(router, .get, "/v1/repositories", .read) { _, _, _ in try await service.repositories() }
        route(router, .get, "/v1/jobs/:name/snapshots", .read) { _, context, _ in
            try await service.snapshots(of: context.parameter("name"))
        }
        route(router, .post, "/v1/repositories/:name/forget", .respond) { request, context, caller in
            let order = try await body(request, as: ForgetSnapshots.self)
            if !order.snapshots.isEmpty, caller.role < .administer, !order.isDryRun {
                _ = try await access.require(.administer, context, for: "forget")
            }
            return try await core.center.startUpkeep(
                context.parameter("name"), order.snapshots.isEmpty ? .policy(jobs: nil) : .snapshots(order.snapshots), prunes: order.prunes,
                isDryRun: order.isDryRun, by: caller.actor)
        }
        route(router, .post, "/v1/repositories/:name/prune", .respond) { request, context, caller in
            let order = try await body(request, as: PruneRepository.self)
            return try await core.center.startUpkeep(
                context.parameter("name"), order.forgets ? .policy(jobs: nil) : .nothing, prunes: true, isDryRun: order.isDryRun,
                by: caller.actor)
        }
        route(router, .post, "/v1/jobs/:name/judge", .respond) { request, context, caller in
            let order = try await body(request, as: JudgeSnapshots.self)
            let judged = try await service.judge(
                order.snapshots, of: context.parameter("name"), isGood: order.isGood, note: order.note, by: caller.responder)
            await core.findings.incidentsChanged()
            return judged
        }
        route(router, .get, "/v1/holds/export", .read) { _, _, _ in
            TextAnswer(text: try core.signer.sign(try await service.heldSnapshots().text))
        }
        route(router, .post, "/v1/broken-glass", .read) { request, _, caller in
            let order = try await body(request, as: BreakGlass.self)
            let note = BrokenGlass(
                moment: .now(), uid: caller.peer.uid, user: caller.name, command: order.command, repository: order.repository,
                reason: order.reason, snapshots: order.snapshots)
            _ = try await service.record(note, fingerprint: "\(note.moment):\(caller.peer.pid)")
            await core.findings.incidentsChanged()
            return TextAnswer(text: "recorded")
        }
    }
}
