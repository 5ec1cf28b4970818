internal import AsyncHTTPClient
internal import BackupEngine
internal import Dispatch
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Platform

/// One request to a REST server.
struct RestRequest {
    var method: HTTPMethod
    /// Below the address of the repository: `config`, `data/<id>`, `?create=true`.
    var path: String
    /// For messages: what is being done.
    var what: Phrase
    var headers: [(String, String)] = []
    var body: [UInt8]?
    var target = BodyTarget.drop
    /// Bytes expected in the answer, for the time limit.
    var expectedBytes = 0
}

/// Sends requests to one REST server and waits for the answers on the thread of the caller, which must be one of our own.
///
/// Redirects are not followed: a credential goes to the address it was given for and to no other.
final class RestClient: Sendable {
    /// Bodies go out in pieces, so that one pack is not in memory twice.
    private static let pieceBytes = 256 << 10

    private let client: HTTPClient
    /// The address up to the repository; it may change, or be gone for a while, when a process of ours is the server.
    private let base: @Sendable () throws(RestFailure) -> String
    private let authorization: String?
    private let timing: RequestTiming
    private let upload: RateLimit?
    private let download: RateLimit?

    /// - Throws: `.storage` when a certificate file cannot be used.
    convenience init(_ address: RestAddress, _ access: StorageAccess, connections: Int) throws(RepositoryError) {
        let base =
            switch address.scheme {
            case .http, .https: "\(address.scheme.rawValue)://\(address.authority)\(address.path)"
            case .unixSocket: "http+unix://\(Self.escaped(address.authority))\(address.path)"
            }
        var access = access
        if let user = address.user { (access.user, access.password) = (user, address.password) }
        try self.init(access, connections: connections) { () throws(RestFailure) in base }
    }

    init(
        _ access: StorageAccess, connections: Int, base: @escaping @Sendable () throws(RestFailure) -> String
    ) throws(RepositoryError) {
        self.base = base
        authorization = access.user.map { "Basic " + Base64.encode(Array("\($0):\(access.password ?? "")".utf8)) }
        timing = access.timing
        upload = access.uploadLimit.map { RateLimit(bytesPerSecond: $0) }
        download = access.downloadLimit.map { RateLimit(bytesPerSecond: $0) }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try Self.tls(access), redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: Self.amount(timing.connectSeconds), read: Self.amount(timing.idleSeconds)))
        configuration.timeout.write = Self.amount(timing.idleSeconds)
        // One request on one connection: what is cut, is cut for one file alone.
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        // Go's server closes connections that idle for minutes; ours are gone before.
        configuration.connectionPool.idleTimeout = .seconds(20)
        // Trying again is decided in one place: `RestRepository`.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    }

    deinit {
        // Connections that fail while they are closed are closed all the same.
        client.shutdown { _ in }
    }

    private static func amount(_ seconds: Double) -> TimeAmount { .nanoseconds(Int64(seconds * 1e9)) }

    /// A path as a host of a URL: everything but letters and digits as `%xx`.
    private static func escaped(_ path: String) -> String {
        path.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let isPlain = byte < 128 && (Character(scalar).isLetter || Character(scalar).isNumber)
            return isPlain ? String(Character(scalar)) : "%" + hexText([byte]).uppercased()
        }.joined()
    }

    private static func tls(_ access: StorageAccess) throws(RepositoryError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if access.acceptsAnyCertificate { tls.certificateVerification = .none }
        do {
            if let authorities = access.authorities {
                let certificates = try NIOSSLCertificate.fromPEMBytes(try DurableFiles.read(authorities, limit: 16 << 20))
                if certificates.isEmpty { throw NIOSSLError.failedToLoadCertificate }
                tls.trustRoots = .certificates(certificates)
            }
            if let file = access.clientCertificate {
                let bytes = try DurableFiles.read(file, limit: 1 << 20)
                tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(bytes).map { .certificate($0) }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: bytes, format: .pem))
            }
        } catch let error as SystemError {
            throw .storage(error)
        } catch {
            let file = (access.clientCertificate ?? access.authorities)?.description ?? ""
            throw RepositoryError(
                .invalidArgument,
                Phrase(vi: "không đọc được chứng thực trong \(file)", en: "no usable certificate in \(file)"),
                hint: Phrase(
                    vi: "tệp phải ở dạng PEM; --tls-client-cert cần cả chứng thực và khóa",
                    en: "the file must be PEM; --tls-client-cert takes the certificate and the key"),
                cause: error)
        }
        return tls
    }

    /// Sends one request and waits for the whole answer, whatever its status.
    ///
    /// - Parameter progress: Receives the answer as far as it came, also when the request failed.
    func send(_ request: RestRequest, progress: ((RestAnswer) -> Void)? = nil) throws(RestFailure) -> RestAnswer {
        let base = try base()
        let reader = AnswerReader(request.target, limit: download)
        defer { reader.close() }
        do {
            var headers = HTTPHeaders(request.headers)
            headers.add(name: "Accept", value: "application/vnd.x.restic.rest.v2")
            headers.add(name: "User-Agent", value: "sentinel")
            // A socket has no name, and HTTP/1.1 asks for one.
            if base.hasPrefix("http+unix:") { headers.add(name: "Host", value: "localhost") }
            if let authorization { headers.add(name: "Authorization", value: authorization) }
            var body: HTTPClient.Body?
            if let bytes = request.body {
                headers.add(name: "Content-Type", value: "application/octet-stream")
                body = Self.body(bytes, limit: upload)
            }
            let prepared = try HTTPClient.Request(url: base + request.path, method: request.method, headers: headers, body: body)
            let seconds = timing.limitSeconds(bytes: request.expectedBytes + (request.body?.count ?? 0))
            let answer = try client.execute(request: prepared, delegate: reader, deadline: .now() + Self.amount(seconds)).wait()
            progress?(answer)
            return answer
        } catch let error as AnswerTooLong {
            throw .lying("\(error.bytes) byte cho \(request.what.vi)", "\(error.bytes) bytes for: \(request.what.en)")
        } catch {
            let partial = reader.partial
            progress?(partial)
            // A server that refuses an upload may cut it off; its answer is worth more than the cut.
            if partial.status >= 400 { return partial }
            throw .transport(error, what: request.what)
        }
    }

    private static func body(_ bytes: [UInt8], limit: RateLimit?) -> HTTPClient.Body {
        let pieceBytes = min(limit?.pieceBytes ?? Self.pieceBytes, Self.pieceBytes)
        return .stream(contentLength: Int64(bytes.count)) { writer in
            // The first, empty piece tells which event loop the body belongs to.
            writer.write(.byteBuffer(ByteBuffer())).flatMapWithEventLoop { _, loop in
                let done = loop.makePromise(of: Void.self)
                Self.writePieces(bytes, from: 0, pieceBytes, limit, writer, loop, done)
                return done.futureResult
            }
        }
    }

    private static func writePieces(
        _ bytes: [UInt8], from start: Int, _ pieceBytes: Int, _ limit: RateLimit?, _ writer: HTTPClient.Body.StreamWriter,
        _ loop: any EventLoop, _ done: EventLoopPromise<Void>
    ) {
        if start >= bytes.count {
            done.succeed()
            return
        }
        let end = min(start + pieceBytes, bytes.count)
        let delay = limit?.delaySeconds(for: end - start) ?? 0
        // Always by way of the loop: pieces that are written at once must not pile up on the stack.
        loop.scheduleTask(in: .nanoseconds(Int64(delay * 1e9))) {
            writer.write(.byteBuffer(ByteBuffer(bytes: bytes[start..<end]))).whenComplete { result in
                switch result {
                case .success: writePieces(bytes, from: end, pieceBytes, limit, writer, loop, done)
                case .failure(let error): done.fail(error)
                }
            }
        }.futureResult.whenFailure { done.fail($0) }
    }
}
