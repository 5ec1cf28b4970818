internal import NIOCore
internal import NIOPosix
internal import Platform

/// A connection that is accepted within the time.
struct TCPProbe {
    let host: String
    let port: Int

    func run(timeoutSeconds: Double) async -> ProbeResult {
        let place = "\(escapedForDisplay(host)):\(port)"
        guard (1...65535).contains(port), !host.isEmpty else {
            return .down("địa chỉ không hợp lệ: \(place)", "not an address: \(place)")
        }
        do {
            let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.milliseconds(Int64(timeoutSeconds * 1000)))
                .connect(host: host, port: port).get()
            // Whatever goes wrong while closing says nothing about the service.
            try? await connection.close()
            return .up("\(place) nhận kết nối", "\(place) accepts connections")
        } catch let error as NIOConnectionError {
            let reason: any Error = error.connectionErrors.first?.error ?? error.dnsAError ?? error.dnsAAAAError ?? error
            return .failed("không kết nối được \(place)", "cannot connect to \(place)", reason)
        } catch {
            return .failed("không kết nối được \(place)", "cannot connect to \(place)", error)
        }
    }
}
