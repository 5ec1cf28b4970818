internal import ControlAPI
internal import Glibc
internal import Hummingbird
internal import IncidentCore
internal import Logging
internal import NIOCore
internal import Platform

/// The control socket: HTTP/1.1 with JSON on a unix socket, one per state directory.
struct ControlServer {
    let socketPath: FilePath
    let isSystem: Bool

    /// Refuses to start beside a living daemon, and clears away the socket of a dead one.
    ///
    /// - Throws: ``DaemonError`` when somebody answers on the socket.
    func claimSocket() throws {
        guard try FileStatus.exists(socketPath) else { return }
        guard try FileStatus.ofLink(socketPath).kind == .socket else {
            throw DaemonError(
                message: Phrase(
                    vi: "'\(socketPath)' đã tồn tại và không phải là socket", en: "'\(socketPath)' exists and is no socket"),
                hint: Phrase(vi: "di chuyển tệp đó đi nơi khác", en: "move that file away"))
        }
        if UnixSocket.answers(at: socketPath) {
            throw DaemonError(
                message: Phrase(
                    vi: "một sentineld khác đang chạy với '\(socketPath)'", en: "another sentineld is running on '\(socketPath)'"),
                hint: Phrase(
                    vi: "dừng tiến trình đó trước, hoặc chọn thư mục --state khác", en: "stop that one first, or choose another --state directory"))
        }
        try DurableFiles.remove(socketPath)
    }

    /// Serves until cancelled.
    ///
    /// - Parameter whenReady: Called once the socket accepts connections.
    func run(router: Router<ControlContext>, logger: Logger, whenReady: @escaping @Sendable () async -> Void) async throws {
        guard let path = socketPath.utf8, socketPath.bytes.count < 108 else {
            throw DaemonError(
                message: Phrase(
                    vi: "đường dẫn socket quá dài hoặc không phải UTF-8: '\(socketPath)'",
                    en: "the socket path is too long or no UTF-8: '\(socketPath)'"),
                hint: Phrase(vi: "chọn thư mục --state có đường dẫn ngắn hơn", en: "choose a --state directory with a shorter path"))
        }
        let socketPath = socketPath
        // The roles decide who may do what; the file mode only keeps strangers of a private directory out.
        let mode: mode_t = isSystem ? 0o666 : 0o600
        let application = Application(
            router: router,
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 64))),
            configuration: .init(address: .unixDomainSocket(path: path), serverName: "sentineld", backlog: 64),
            onServerRunning: { _ in
                _ = unsafe socketPath.withCString { unsafe chmod($0, mode) }
                await whenReady()
            },
            logger: logger)
        try await application.run()
    }
}
