internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Platform

/// One GET request.
struct HTTPProbe {
    /// How much of a body is searched.
    static let bodyLimitBytes = 1 << 20

    let url: String
    let status: HTTPStatusRange
    let bodyContains: String?
    let certificateAuthority: FilePath?

    func run(_ clients: HTTPClients, timeoutSeconds: Double) async -> ProbeResult {
        let shown = excerpt(url)
        let scheme = url.lowercased().prefix(8)
        guard scheme == "https://" || scheme.hasPrefix("http://") else {
            return .down("không phải địa chỉ http(s): \(shown)", "not an http(s) address: \(shown)")
        }
        do {
            let client = try await clients.client(trusting: certificateAuthority)
            var request = HTTPClientRequest(url: url)
            request.headers.add(name: "User-Agent", value: "sentinel")
            request.headers.add(name: "Accept", value: "*/*")
            let response = try await client.execute(request, timeout: .milliseconds(Int64(timeoutSeconds * 1000)))
            let code = Int(response.status.code)
            guard status.contains(code) else {
                return .down(
                    "\(shown): mã trả về \(code), cần \(status)", "\(shown): status \(code), \(status) wanted")
            }
            if let bodyContains, !(try await holds(bodyContains, response.body)) {
                let text = excerpt(bodyContains)
                return .down(
                    "\(shown): trả lời \(code) nhưng thiếu '\(text)'", "\(shown): status \(code), but without '\(text)'")
            }
            return .up("\(shown): mã trả về \(code)", "\(shown): status \(code)")
        } catch {
            return .failed("\(shown): không truy cập được", "\(shown): cannot be reached", error)
        }
    }

    private func holds(_ text: String, _ body: HTTPClientResponse.Body) async throws -> Bool {
        let wanted = Array(text.utf8)
        var seen: [UInt8] = []
        for try await part in body {
            // The text may lie across two parts.
            let start = max(0, seen.count - wanted.count)
            seen.append(contentsOf: part.readableBytesView.prefix(Self.bodyLimitBytes - seen.count))
            if seen[start...].contains(wanted) { return true }
            if seen.count >= Self.bodyLimitBytes { return false }
        }
        return seen.contains(wanted)
    }
}
