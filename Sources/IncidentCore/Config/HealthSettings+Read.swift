internal import Platform

extension HealthSettings {
    static func read(_ value: DocumentValue) -> HealthSettings? {
        guard var section = value.section() else { return nil }
        let defaults = section.optional("defaults").flatMap(HealthTiming.read) ?? HealthTiming()
        let found = section.optional("checks")?.named() ?? []
        section.finish()
        let checks = found.compactMap { name, value in
            value.problems.declare(.check, name)
            return HealthCheckSetting.read(name, value, defaults)
        }
        reportCycles(checks, found)
        return HealthSettings(checks: checks)
    }

    /// Follows the parents of each check; a way that is longer than the number of checks goes in a circle.
    private static func reportCycles(_ checks: [HealthCheckSetting], _ found: [(name: String, value: DocumentValue)]) {
        let parents = Dictionary(checks.map { ($0.name, $0.parent) }, uniquingKeysWith: { first, _ in first })
        for check in checks {
            var next = check.parent
            var steps = 0
            while let name = next, name != check.name, steps <= checks.count {
                next = parents[name] ?? nil
                steps += 1
            }
            guard next == check.name, let place = found.first(where: { $0.name == check.name }) else { continue }
            place.value.report(
                .cycle,
                Phrase(vi: "phép kiểm tra là cha của chính nó (qua 'parent')", en: "the check is its own ancestor (through 'parent')"),
                hint: Phrase(vi: "bỏ một khóa 'parent' trong vòng lặp", en: "remove one 'parent' of the circle"))
        }
    }
}

/// The keys that `health.defaults` and each check have in common.
struct HealthTiming {
    var intervalSeconds = HealthCheckSetting.standardIntervalSeconds
    var timeoutSeconds = HealthCheckSetting.standardTimeoutSeconds
    var down = HealthCheckSetting.standardDown
    var up = HealthCheckSetting.standardUp

    static func read(_ value: DocumentValue) -> HealthTiming? {
        guard var section = value.section() else { return nil }
        let timing = HealthTiming().overridden(by: &section)
        section.finish()
        return timing
    }

    /// The values of `section` where it has them.
    func overridden(by section: inout DocumentSection) -> HealthTiming {
        var result = self
        if let value = section.optional("interval")?.durationSeconds(maximum: 86400) { result.intervalSeconds = value }
        let timeout = section.optional("timeout")
        if let value = timeout?.durationSeconds(maximum: 3600) { result.timeoutSeconds = value }
        if let value = section.optional("down")?.integer(1...100) { result.down = value }
        if let value = section.optional("up")?.integer(1...100) { result.up = value }
        if result.timeoutSeconds > result.intervalSeconds {
            // A limit that was inherited gives way to a shorter interval; one that stands here is a contradiction.
            timeout?.report(
                .contradiction,
                Phrase(
                    vi: "thời hạn \(DurationText.text(result.timeoutSeconds)) dài hơn chu kỳ \(DurationText.text(result.intervalSeconds))",
                    en: "the timeout of \(DurationText.text(result.timeoutSeconds)) is longer than the interval of \(DurationText.text(result.intervalSeconds))"
                ))
            result.timeoutSeconds = result.intervalSeconds
        }
        return result
    }
}

extension HealthCheckSetting {
    private static let probeKeys = ["http", "tcp", "systemd", "disk"]

    static func read(_ name: String, _ value: DocumentValue, _ defaults: HealthTiming) -> HealthCheckSetting? {
        guard var section = value.section() else { return nil }
        section.notAvailable("plugin", "tls", "dns")
        let timing = defaults.overridden(by: &section)
        let parent = section.optional("parent")?.reference(to: .check)
        let asset = section.optional("asset")?.reference(to: .asset)
        let given = probeKeys.filter { section.has($0) }
        let probes = [
            section.optional("http").flatMap(Probe.http), section.optional("tcp").flatMap(Probe.tcp),
            section.optional("systemd").flatMap(Probe.systemd), section.optional("disk").flatMap(Probe.disk),
        ]
        let hasPlanned = section.has("plugin") || section.has("tls") || section.has("dns")
        section.finish()
        if given.count > 1 || (given.isEmpty && !hasPlanned) {
            let list = probeKeys.joined(separator: ", ")
            value.report(
                given.isEmpty ? .missingKey : .contradiction,
                Phrase(vi: "cần đúng một trong các khóa \(list)", en: "exactly one of \(list) is needed"))
        }
        guard let probe = probes.compactMap({ $0 }).first else { return nil }
        return HealthCheckSetting(
            name: name, probe: probe, intervalSeconds: timing.intervalSeconds, timeoutSeconds: timing.timeoutSeconds,
            down: timing.down, up: timing.up, parent: parent, asset: asset)
    }
}

extension HealthCheckSetting.Probe {
    /// `http: URL` or `http: {url: URL, status: 2xx}`.
    static func http(_ value: DocumentValue) -> Self? {
        if case .scalar = value.node.value { return value.webAddress().map { .http(url: $0, status: 200...399) } }
        guard var section = value.section() else { return nil }
        let url = section.required("url")?.webAddress()
        let status = section.optional("status").map(statusRange) ?? 200...399
        section.finish()
        guard let url, let status else { return nil }
        return .http(url: url, status: status)
    }

    /// `200`, `2xx`, or `200-399`.
    private static func statusRange(_ value: DocumentValue) -> ClosedRange<Int>? {
        guard let text = value.string() else { return nil }
        if text.count == 3, text.hasSuffix("xx"), let hundred = text.first.flatMap({ Int(String($0)) }), (1...5).contains(hundred) {
            return hundred * 100...hundred * 100 + 99
        }
        let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { $0.count == 3 ? Int($0) : nil }
        if (1...2).contains(bounds.count), let low = bounds.first ?? nil, let high = bounds.last ?? nil, low <= high, 100 <= low, high <= 599 {
            return low...high
        }
        value.report(
            .wrongValue,
            Phrase(vi: "'\(value.excerpt(text))' không phải mã trạng thái HTTP", en: "'\(value.excerpt(text))' is no HTTP status"),
            hint: Phrase(vi: "ghi 200, 2xx hoặc 200-399", en: "write 200, 2xx or 200-399"))
        return nil
    }

    /// `tcp: host:port` or `tcp: {host: H, port: P}`.
    static func tcp(_ value: DocumentValue) -> Self? {
        if case .scalar = value.node.value {
            guard let text = value.string() else { return nil }
            if let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port) {
                let host = String(text[..<colon])
                let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
                if isHost(bare), bare != host || !host.contains(":") { return .tcp(host: bare, port: port) }
            }
            value.report(
                .wrongValue, Phrase(vi: "'\(value.excerpt(text))' không có dạng máy:cổng", en: "'\(value.excerpt(text))' is not host:port"),
                hint: Phrase(vi: "ví dụ 192.0.2.10:5432 hoặc [2001:db8::1]:5432", en: "for example 192.0.2.10:5432 or [2001:db8::1]:5432"))
            return nil
        }
        guard var section = value.section() else { return nil }
        let host = section.required("host").flatMap { value in
            value.string().flatMap { text in
                if isHost(text) { return text }
                value.report(.wrongValue, Phrase(vi: "'\(value.excerpt(text))' không phải tên máy", en: "'\(value.excerpt(text))' is no host name"))
                return nil
            }
        }
        let port = section.required("port")?.integer(1...65535)
        section.finish()
        guard let host, let port else { return nil }
        return .tcp(host: host, port: port)
    }

    private static func isHost(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 253 && !text.hasPrefix("-")
            && text.utf8.allSatisfy { byte in
                (0x30...0x3A).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x2E
                    || byte == 0x25  // a zone of a link-local address
            }
    }

    /// A unit name; without a suffix it means a service, as for systemctl.
    static func systemd(_ value: DocumentValue) -> Self? {
        guard let text = value.string(maximumCharacters: 255) else { return nil }
        let isValid =
            !text.hasPrefix("-")
            && text.utf8.allSatisfy { byte in
                (0x30...0x3A).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || [0x2D, 0x2E, 0x40, 0x5C, 0x5F].contains(byte)
            }
        guard isValid else {
            value.report(
                .wrongValue,
                Phrase(vi: "'\(value.excerpt(text))' không phải tên unit của systemd", en: "'\(value.excerpt(text))' is no name of a systemd unit"),
                hint: Phrase(vi: "ví dụ postgresql.service; xem 'systemctl list-units'", en: "for example postgresql.service; see 'systemctl list-units'"))
            return nil
        }
        let suffixes = [".service", ".socket", ".target", ".mount", ".automount", ".timer", ".path", ".slice", ".scope", ".swap", ".device"]
        return .systemdUnit(suffixes.contains { text.hasSuffix($0) } ? text : text + ".service")
    }

    /// `disk: {path: /srv, free: 10%}` or `free: 5GiB`.
    static func disk(_ value: DocumentValue) -> Self? {
        guard var section = value.section() else { return nil }
        let path = section.required("path")?.absolutePath()
        let free = section.required("free").flatMap(HealthCheckSetting.FreeSpace.read)
        section.finish()
        guard let path, let free else { return nil }
        return .diskSpace(path: path, minimumFree: free)
    }
}

extension HealthCheckSetting.FreeSpace {
    /// `10%` or `5GiB`.
    static func read(_ value: DocumentValue) -> HealthCheckSetting.FreeSpace? {
        guard let text = value.string() else { return nil }
        if text.hasSuffix("%"), let percent = Int(text.dropLast()), (1...99).contains(percent) { return .percent(percent) }
        if let bytes = ByteSize.bytes(text), bytes > 0 { return .bytes(bytes) }
        value.report(
            .wrongValue,
            Phrase(vi: "'\(value.excerpt(text))' không phải dung lượng hay tỷ lệ", en: "'\(value.excerpt(text))' is neither a size nor a percentage"),
            hint: Phrase(vi: "ghi 1% đến 99%, hoặc \(ByteSize.hint.vi)", en: "write 1% to 99%, or \(ByteSize.hint.en)"))
        return nil
    }
}
