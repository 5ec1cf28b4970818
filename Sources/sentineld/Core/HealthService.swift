internal import ControlAPI
internal import HealthEngine
internal import IncidentCore
internal import Platform

/// Runs the health checks of the configuration in force and turns what changes into findings.
struct HealthService: Sendable {
    private let monitor: HealthMonitor
    private let prober: SystemProber
    let findings: FindingSink

    init(_ settings: HealthSettings, commands: CommandService, known: [String: HealthState], findings: FindingSink) {
        let prober = SystemProber { try await commands.run($0) }
        self.prober = prober
        monitor = HealthMonitor(checks: settings.checks.map(HealthCheck.init), prober: prober.prober, known: known)
        self.findings = findings
    }

    /// Probes until the task is cancelled.
    func run() async throws {
        do {
            try await monitor.run { transition in await findings.report([finding(of: transition)].compactMap { $0 }) }
        } catch {
            await prober.shutDown()
            throw error
        }
        await prober.shutDown()
    }

    func answers() async -> [HealthAnswer] {
        await monitor.states().map { state in
            HealthAnswer(
                name: state.check.name, state: state.state.rawValue, since: state.since?.rfc3339Local,
                detail: BilingualText(state.last?.detail ?? Phrase(vi: "chưa thử", en: "not tried yet")), asset: state.check.asset)
        }
    }

    func states() async -> [String: HealthState] {
        Dictionary(await monitor.states().map { ($0.check.name, $0.state) }) { first, _ in first }
    }

    /// While a check is unreachable nothing is known about it: that says nothing about an incident of its own.
    private func finding(of transition: HealthTransition) -> Finding? {
        if transition.state == .unreachable { return nil }
        let isDisk = if case .diskSpace = transition.check.probe { true } else { false }
        return HealthFindings.transition(
            ServiceTransition(
                check: transition.check.name, isUp: transition.state == .up, since: transition.since, detail: transition.detail,
                asset: transition.check.asset, isDiskSpace: isDisk))
    }
}

extension HealthCheck {
    /// The check that a setting describes.
    init(_ setting: HealthCheckSetting) {
        let probe: Probe =
            switch setting.probe {
            case .http(let url, let status): .http(url: url, status: HTTPStatusRange(status))
            case .tcp(let host, let port): .tcp(host: host, port: port)
            case .systemdUnit(let name): .systemdUnit(name: name)
            case .diskSpace(let path, .bytes(let bytes)): .diskSpace(path: path, minimumFreeBytes: bytes)
            case .diskSpace(let path, .percent(let percent)): .diskSpace(path: path, minimumFreePercent: Double(percent))
            }
        self.init(
            name: setting.name, probe: probe, intervalSeconds: Double(setting.intervalSeconds),
            timeoutSeconds: Double(setting.timeoutSeconds), down: setting.down, up: setting.up, asset: setting.asset,
            parent: setting.parent)
    }
}
