package import Platform

/// One thing that should work, and how to find out.
package struct HealthCheck: Sendable, Hashable {
    /// The key in the configuration; unique.
    package let name: String
    package let probe: Probe
    package let intervalSeconds: Double
    /// A probe that takes longer has failed.
    package let timeoutSeconds: Double
    /// So many failures in a row make it down.
    package let down: Int
    /// So many successes in a row make it up again.
    package let up: Int
    /// The asset of the configuration that suffers.
    package let asset: String?
    /// The check this one can only work through, such as the uplink; see ``HealthState/unreachable``.
    package let parent: String?

    package init(
        name: String, probe: Probe, intervalSeconds: Double = 30, timeoutSeconds: Double = 10, down: Int = 3, up: Int = 2,
        asset: String? = nil, parent: String? = nil
    ) {
        self.name = name
        self.probe = probe
        self.intervalSeconds = max(0.01, intervalSeconds)
        self.timeoutSeconds = max(0.01, timeoutSeconds)
        self.down = max(1, down)
        self.up = max(1, up)
        self.asset = asset
        self.parent = parent
    }
}

/// What is tried.
package enum Probe: Sendable, Hashable {
    /// A GET whose final status must lie in `status`, after at most five redirects, and whose first MiB must hold `bodyContains`.
    /// Certificates are verified, against `certificateAuthority` (a PEM file) instead of the system's when given.
    case http(
        url: String, status: HTTPStatusRange = .success, bodyContains: String? = nil, certificateAuthority: FilePath? = nil)
    /// A connection is accepted; nothing is sent.
    case tcp(host: String, port: Int)
    /// `ActiveState` of a unit is active.
    case systemdUnit(name: String)
    /// So much must be free, in bytes or percent, for ordinary users. A nil limit is not checked.
    case diskSpace(
        path: FilePath, minimumFreeBytes: UInt64? = nil, minimumFreePercent: Double? = nil,
        minimumFreeInodesPercent: Double? = nil)
    /// A Nagios/monitoring plugin: 0 and 1 (warning) are up, everything else is down.
    case plugin(argv: [String])
}

/// One try.
package struct ProbeResult: Sendable, Hashable {
    package let isUp: Bool
    /// What was seen, for people.
    package let detail: Phrase
    package let durationSeconds: Double

    package init(isUp: Bool, detail: Phrase, durationSeconds: Double = 0) {
        self.isUp = isUp
        self.detail = detail
        self.durationSeconds = durationSeconds
    }
}

/// Status codes that count as success: `2xx`, `200`, `200-204`, or several of them with commas.
package struct HTTPStatusRange: Sendable, Hashable, CustomStringConvertible {
    private let ranges: [ClosedRange<Int>]
    package let description: String

    package static let success = HTTPStatusRange(200...299)

    package init(_ range: ClosedRange<Int>) {
        ranges = [range]
        description = range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }

    /// - Returns: Nil for anything but codes 100...599 in the forms above.
    package init?(_ text: String) {
        var ranges: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = Self.range(part.drop { $0 == " " }) else { return nil }
            ranges.append(range)
        }
        self.ranges = ranges
        description = text
    }

    package func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }

    private static func range(_ text: Substring) -> ClosedRange<Int>? {
        func code(_ text: Substring) -> Int? {
            guard text.utf8.count == 3, text.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int(text) else { return nil }
            return (100...599).contains(value) ? value : nil
        }
        if text.utf8.count == 3, text.hasSuffix("xx"), let hundred = code(text.prefix(1) + "00") {
            return hundred...(hundred + 99)
        }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(code)
        if ends.count == 1, let only = ends[0] { return only...only }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last else { return nil }
        return first...last
    }
}
