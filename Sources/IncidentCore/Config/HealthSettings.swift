package import Platform

/// What is probed, and how often.
package struct HealthSettings: Sendable, Hashable {
    package let checks: [HealthCheckSetting]
}

/// One health check with all defaults filled in.
package struct HealthCheckSetting: Sendable, Hashable {
    package enum Probe: Sendable, Hashable {
        /// Up when the answer's status code lies in `status`.
        case http(url: String, status: ClosedRange<Int>)
        case tcp(host: String, port: Int)
        /// A unit of systemd, with its suffix: `nginx.service`.
        case systemdUnit(String)
        case diskSpace(path: FilePath, minimumFree: FreeSpace)
    }

    package enum FreeSpace: Sendable, Hashable {
        case bytes(UInt64)
        /// 1...99
        case percent(Int)
    }

    package let name: String
    package let probe: Probe
    package let intervalSeconds: Int
    /// Never more than the interval.
    package let timeoutSeconds: Int
    /// Failures in a row until the check counts as down.
    package let down: Int
    /// Successes in a row until it counts as up again.
    package let up: Int
    /// Name of another check; while that one is down this one is unreachable, not down. There is no cycle.
    package let parent: String?
    /// Name of an ``Asset``.
    package let asset: String?

    package static let standardIntervalSeconds = 60
    package static let standardTimeoutSeconds = 10
    package static let standardDown = 3
    package static let standardUp = 2
}
