internal import Platform

/// `ActiveState` of one unit, as the service manager sees it.
struct SystemdUnitProbe {
    let name: String

    func run(_ command: SystemProber.Command, timeoutSeconds: Double) async -> ProbeResult {
        let shown = escapedForDisplay(name)
        guard !name.isEmpty, !name.hasPrefix("-"), name.utf8.count <= 255 else {
            return .down("tên dịch vụ không hợp lệ: \(shown)", "not a unit name: \(shown)")
        }
        let request = CommandRequest(
            argv: ["/usr/bin/systemctl", "show", "--property=LoadState,ActiveState,SubState,Result", "--", name],
            timeoutSeconds: timeoutSeconds, outputLimitBytes: 16 * 1024)
        do {
            return judge(try await command(request))
        } catch {
            return .failed("không hỏi được systemd", "cannot ask systemd", error)
        }
    }

    func judge(_ result: CommandResult) -> ProbeResult {
        let shown = escapedForDisplay(name)
        guard result.isSuccess else {
            let said = excerpt(String(decoding: result.stderr, as: UTF8.self).trimmed)
            return .down(
                "systemctl \(result.status.phrase.vi): \(said)", "systemctl \(result.status.phrase.en): \(said)")
        }
        var values: [Substring: String] = [:]
        for line in String(decoding: result.stdout, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let pair = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { values[pair[0]] = String(pair[1]) }
        }
        guard let active = values["ActiveState"] else {
            return .down("systemd không trả lời về \(shown)", "systemd said nothing about \(shown)")
        }
        if values["LoadState"] == "not-found" {
            return .down("không có dịch vụ \(shown)", "there is no unit \(shown)")
        }
        let state = excerpt("\(active) (\(values["SubState"] ?? "?"))")
        // `activating` is not yet up: a service that restarts in a loop is in it most of the time.
        if active == "active" || active == "reloading" { return .up("\(shown): \(state)", "\(shown): \(state)") }
        let outcome = excerpt(values["Result"] ?? "?")
        return .down("\(shown): \(state), kết quả \(outcome)", "\(shown): \(state), result \(outcome)")
    }
}

extension String {
    var trimmed: String {
        String(Substring(self).trimmingPrefix(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
