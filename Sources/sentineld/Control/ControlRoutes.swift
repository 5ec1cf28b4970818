internal import ControlAPI
internal import HTTPTypes
internal import Hummingbird
internal import IncidentCore
internal import Platform

/// The control socket's routes, by area. A route decodes, asks for the role, calls one service and encodes; it decides nothing.
struct ControlRoutes: Sendable {
    let core: Core
    let access: Access

    func router() -> Router<ControlContext> {
        let router = Router(context: ControlContext.self)
        let site = core.site
        router.add(middleware: FailureMiddleware { site.language })
        router.add(middleware: PeerMiddleware())
        overview(router)
        incidents(router)
        integrity(router)
        jobs(router)
        repositories(router)
        ledger(router)
        return router
    }

    /// Adds a route that needs a role; `work` gets the caller.
    func route(
        _ router: Router<ControlContext>, _ method: HTTPRequest.Method, _ path: RouterPath, _ role: Role,
        _ work: @escaping @Sendable (Request, ControlContext, Caller) async throws -> any Encodable & Sendable
    ) {
        router.on(path, method: method) { request, context in
            let caller = try await access.require(role, context, for: "\(method.rawValue) \(request.uri.path)")
            return try answer(await work(request, context, caller), language: core.site.language)
        }
    }
}

extension ControlContext {
    /// A parameter of the path, percent-decoded by the router.
    func parameter(_ name: String) throws -> String { try parameters.require(name) }
}
