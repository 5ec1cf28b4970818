internal import AsyncHTTPClient
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Platform

/// One HTTP client per set of trusted certificates. A client reads its certificates once, so it is replaced when their file changes:
/// the daemon outlives many updates of `ca-certificates`.
actor HTTPClients {
    /// Where Debian keeps all trusted certificates, and where NIOSSL reads them.
    private static let systemAuthorities: FilePath = "/etc/ssl/certs/ca-certificates.crt"
    private static let redirectLimit = 5

    private struct Entry {
        let client: HTTPClient
        let modified: Timestamp?
    }

    private var entries: [FilePath?: Entry] = [:]
    /// Replaced clients whose last requests may still run; closed at the next replacement.
    private var retired: [HTTPClient] = []
    private var isShutDown = false

    /// - Parameter authority: A PEM file to trust instead of the system's certificates.
    /// - Throws: `SystemError` when the file cannot be read, `ClientUnavailable`, and what NIOSSL says about its content.
    func client(trusting authority: FilePath?) async throws -> HTTPClient {
        if isShutDown { throw ClientUnavailable(message: Phrase(vi: "dịch vụ đang dừng", en: "the service is stopping")) }
        // Without system certificates every TLS probe fails and says so; nothing to find out here.
        let modified = try authority.map { try FileStatus.of($0).modified } ?? (try? FileStatus.of(Self.systemAuthorities).modified)
        if let entry = entries[authority], entry.modified == modified { return entry.client }
        let client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: try configuration(authority))
        let replaced = entries.updateValue(Entry(client: client, modified: modified), forKey: authority)
        let finished = retired
        retired = replaced.map { [$0.client] } ?? []
        for old in finished { await close(old) }
        return client
    }

    func shutDown() async {
        isShutDown = true
        let all = entries.values.map(\.client) + retired
        entries = [:]
        retired = []
        for client in all { await close(client) }
    }

    private func close(_ client: HTTPClient) async {
        // Closing connections that are already broken fails; they are closed then.
        try? await client.shutdown()
    }

    private func configuration(_ authority: FilePath?) throws -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authority {
            guard let path = authority.utf8 else {
                throw ClientUnavailable(
                    message: Phrase(vi: "đường dẫn '\(authority)' không phải UTF-8", en: "path '\(authority)' is not UTF-8"))
            }
            tls.trustRoots = .file(path)
        }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .follow(max: Self.redirectLimit, allowCycles: false))
        // A probe must see whether a new connection works, so none is kept, and one request uses one connection.
        configuration.httpVersion = .http1Only
        configuration.maximumUsesPerConnection = 1
        // A refused connection is an answer: no trying again until the time is over.
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}

/// Why there is no client to try with.
struct ClientUnavailable: ExplainedError {
    let message: Phrase
}
