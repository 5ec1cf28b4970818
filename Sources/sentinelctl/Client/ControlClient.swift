internal import ArgumentParser
internal import AsyncHTTPClient
internal import ControlAPI
internal import FoundationEssentials
internal import IncidentCore
internal import NIOCore
internal import NIOHTTP1
internal import Platform

/// Where the daemon of this call listens.
struct DaemonOptions: ParsableArguments {
    @Option(help: ArgumentHelp(help("Thư mục trạng thái của sentineld (không cần root).", "State directory of a sentineld run without root.")))
    var state: String?

    @Option(help: ArgumentHelp(help("Đường dẫn socket điều khiển.", "Path of the control socket.")))
    var socket: String?

    var layout: StateLayout {
        guard let directory = state ?? environmentValue("SENTINEL_STATE") else { return .system }
        return .directory(FilePath(directory))
    }

    var socketPath: FilePath { socket.map { FilePath($0) } ?? layout.socket }
}

/// The client side of the control socket: HTTP/1.1 and JSON over a unix socket.
struct ControlClient: Sendable {
    private let socketPath: FilePath
    private let interface: Interface

    init(_ options: DaemonOptions, _ interface: Interface) {
        socketPath = options.socketPath
        self.interface = interface
    }

    func get<Answer: Decodable>(_ path: String, as type: Answer.Type = Answer.self) async throws -> Answer {
        try decode(try await send("GET", path, nil), path)
    }

    func post<Answer: Decodable>(_ path: String, _ body: some Encodable, as type: Answer.Type = Answer.self) async throws -> Answer {
        try decode(try await send("POST", path, Array(try JSONEncoder().encode(body))), path)
    }

    /// The raw JSON of an answer, for `--json`.
    func text(_ method: String, _ path: String, body: [UInt8]? = nil) async throws -> String {
        String(decoding: try await send(method, path, body), as: UTF8.self)
    }

    private func decode<Answer: Decodable>(_ bytes: [UInt8], _ path: String) throws -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(bytes))
        } catch {
            throw CommandFailure(
                vi: "sentineld trả lời không đúng định dạng ở \(path): \(error)", en: "sentineld gave an unexpected answer to \(path): \(error)",
                hint: Phrase(vi: "sentinelctl và sentineld có cùng phiên bản không?", en: "are sentinelctl and sentineld of the same version?"))
        }
    }

    /// A socket that nobody answers on is said at once, not tried again until the time is over. Lives as long as the program.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    private func send(_ method: String, _ path: String, _ body: [UInt8]?) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: "http+unix://\(percentEncoded(socketPath.bytes))\(path)")
        request.method = method == "GET" ? .GET : .POST
        request.headers.add(name: "host", value: "sentinel")
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let response: HTTPClientResponse
        let bytes: ByteBuffer
        do {
            response = try await Self.http.execute(request, timeout: .seconds(120))
            bytes = try await response.body.collect(upTo: 64 << 20)
        } catch {
            if error is CancellationError { throw error }
            throw CommandFailure(
                vi: "không kết nối được tới sentineld tại '\(socketPath)'", en: "cannot reach sentineld at '\(socketPath)'",
                hint: Phrase(
                    vi: "dịch vụ đã chạy chưa? 'systemctl status sentineld', hoặc nêu --state THƯ-MỤC",
                    en: "is the service running? 'systemctl status sentineld', or name --state DIR"),
                .unreachable)
        }
        if (200..<300).contains(response.status.code) { return Array(bytes.readableBytesView) }
        if let failure = try? JSONDecoder().decode(ControlFailure.self, from: Data(bytes.readableBytesView)) {
            throw CommandFailure(failure)
        }
        throw CommandFailure(
            vi: "sentineld từ chối \(path) (HTTP \(response.status.code))", en: "sentineld refused \(path) (HTTP \(response.status.code))")
    }
}

/// Percent-encodes everything but letters, digits, `-`, `.`, `_` and `~`.
func percentEncoded(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789ABCDEF")
    var result = ""
    for byte in bytes {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46, 95, 126: result.unicodeScalars.append(Unicode.Scalar(byte))
        default: result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }
    }
    return result
}
