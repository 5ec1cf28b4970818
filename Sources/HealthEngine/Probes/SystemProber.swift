internal import NIOCore
internal import NIOPosix
package import Platform

/// The built-in probes. It owns HTTP clients: call ``shutDown()`` before letting go of it.
package final class SystemProber: Sendable {
    /// Runs a command for `systemctl` and plugins; in the daemon, in a process of its own.
    package typealias Command = @Sendable (CommandRequest) async throws -> CommandResult

    private let clients = HTTPClients()
    private let command: Command

    /// - Parameter command: ``CommandRunner`` unless told otherwise.
    package init(command: @escaping Command = { try await CommandRunner().run($0) }) { self.command = command }

    /// What ``HealthMonitor`` wants.
    package var prober: Prober { Prober { [self] in await probe($0) } }

    /// Tries `check` once. The time limit of the check is given to the parts that know one, but only ``HealthMonitor`` enforces it.
    package func probe(_ check: HealthCheck) async -> ProbeResult {
        switch check.probe {
        case .http(let url, let status, let text, let authority):
            await HTTPProbe(url: url, status: status, bodyContains: text, certificateAuthority: authority)
                .run(clients, timeoutSeconds: check.timeoutSeconds)
        case .tcp(let host, let port):
            await TCPProbe(host: host, port: port).run(timeoutSeconds: check.timeoutSeconds)
        case .systemdUnit(let name):
            await SystemdUnitProbe(name: name).run(command, timeoutSeconds: check.timeoutSeconds)
        case .diskSpace(let path, let bytes, let percent, let inodes):
            await DiskSpaceProbe(
                path: path, minimumFreeBytes: bytes, minimumFreePercent: percent, minimumFreeInodesPercent: inodes
            ).run()
        case .plugin(let argv):
            await PluginProbe(argv: argv).run(command, timeoutSeconds: check.timeoutSeconds)
        }
    }

    /// Closes connections; probes that are still running fail.
    package func shutDown() async { await clients.shutDown() }
}

extension ProbeResult {
    static func up(_ vi: String, _ en: String) -> ProbeResult { ProbeResult(isUp: true, detail: Phrase(vi: vi, en: en)) }
    static func down(_ vi: String, _ en: String) -> ProbeResult { ProbeResult(isUp: false, detail: Phrase(vi: vi, en: en)) }

    /// What a library or command said, escaped and cut, behind words of ours.
    static func failed(_ vi: String, _ en: String, _ reason: any Error) -> ProbeResult {
        if let explained = reason as? any ExplainedError {
            return .down("\(vi): \(explained.message.vi)", "\(en): \(explained.message.en)")
        }
        let text = excerpt("\(reason)")
        return .down("\(vi): \(text)", "\(en): \(text)")
    }
}

/// At most 300 characters, safe to show.
func excerpt(_ text: String) -> String {
    let escaped = escapedForDisplay(text)
    return escaped.count > 300 ? escaped.prefix(300) + "…" : escaped
}
