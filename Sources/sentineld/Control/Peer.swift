internal import HTTPTypes
internal import Hummingbird
internal import IncidentCore
internal import Logging
internal import Ledger
internal import NIOCore
internal import Platform

/// Who is at the other end of a connection, as the kernel says.
struct Peer: Sendable {
    var uid: UInt32
    var pid: Int32
}

/// What a caller may do. `administer` includes `respond`, which includes `read`.
enum Role: Int, Sendable, Comparable {
    case none, read, respond, administer

    static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }

    var name: Phrase {
        switch self {
        case .none: Phrase(vi: "không có", en: "none")
        case .read: Phrase(vi: "đọc", en: "read")
        case .respond: Phrase(vi: "ứng cứu", en: "respond")
        case .administer: Phrase(vi: "quản trị", en: "administer")
        }
    }
}

/// One request on the control socket, with the connection it came over.
struct ControlContext: RequestContext {
    typealias Source = ApplicationRequestContextSource

    var coreContext: CoreRequestContextStorage
    let channel: any NIOCore.Channel
    /// Filled in by ``PeerMiddleware`` before any route runs.
    var peer: Peer?

    init(source: Source) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// `struct ucred` of the kernel: three 32-bit numbers.
private struct RawCredentials: Sendable {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
}

/// Asks the kernel who called, at each request.
struct PeerMiddleware: RouterMiddleware {
    private static let localSocketLevel = 1  // SOL_SOCKET
    private static let peerCredentials = 17  // SO_PEERCRED

    func handle(
        _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        guard let provider = context.channel as? any SocketOptionProvider else { throw HTTPError(.forbidden) }
        let credentials: RawCredentials = try await provider.unsafeGetSocketOption(
            level: NIOBSDSocket.OptionLevel(rawValue: CInt(Self.localSocketLevel)),
            name: NIOBSDSocket.Option(rawValue: CInt(Self.peerCredentials))
        ).get()
        var context = context
        context.peer = Peer(uid: credentials.uid, pid: credentials.pid)
        return try await next(request, context)
    }
}
