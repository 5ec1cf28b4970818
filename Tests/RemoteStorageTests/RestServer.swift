import Platform
import TestSupport
import Testing

/// The real rest-server on a free loopback port; it ends with this value.
final class RestServer: Sendable {
    let process: SpawnedProcess
    let port: Int
    let data: FilePath

    /// - Parameter port: 0 for a free one.
    init(_ data: FilePath, port: Int = 0, _ options: [String] = ["--no-auth"]) async throws {
        self.data = data
        let path = try #require(data.utf8)
        try DurableFiles.makeDirectories(data)
        process = try SpawnedProcess([try Peers.restServer, "--path", path, "--listen", "127.0.0.1:\(port)"] + options)
        var found: Int?
        for _ in 0..<500 where found == nil {
            let text = String(decoding: process.standardError + process.standardOutput, as: UTF8.self)
            if let start = text.firstRange(of: "start server on 127.0.0.1:"), text.hasSuffix("\n") {
                found = Int(text[start.upperBound...].prefix { $0.isNumber })
            } else if let end = process.poll() {
                Issue.record("rest-server ended: \(end) \(text)")
                break
            }
            if found == nil { try await Task.sleep(for: .milliseconds(10)) }
        }
        self.port = try #require(found)
    }

    func address(_ path: String = "kho", user: String = "", scheme: String = "http") -> String {
        "rest:\(scheme)://\(user)127.0.0.1:\(port)/\(path)/"
    }

    func stop() async { await process.killGroup() }
}

/// `http+unix:` has no port to announce; the socket appears when the server listens.
func withSocketServer<Result>(_ data: FilePath, _ socket: FilePath, _ body: () async throws -> Result) async throws -> Result {
    let process = try SpawnedProcess([
        try Peers.restServer, "--path", try #require(data.utf8), "--listen", "unix:" + (try #require(socket.utf8)), "--no-auth",
    ])
    for _ in 0..<500 where !UnixSocket.answers(at: socket) { try await Task.sleep(for: .milliseconds(10)) }
    let result = try await body()
    await process.killGroup()
    return result
}
