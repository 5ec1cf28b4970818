internal import Platform

/// A Nagios or monitoring plugin: the first line of its output is the message, its exit status the verdict.
/// See the Monitoring Plugins Development Guidelines, "Plugin Return Codes".
struct PluginProbe {
    let argv: [String]

    func run(_ command: SystemProber.Command, timeoutSeconds: Double) async -> ProbeResult {
        do {
            let request = CommandRequest(argv: argv, timeoutSeconds: timeoutSeconds, outputLimitBytes: 16 * 1024)
            return judge(try await command(request))
        } catch {
            return .failed("không chạy được chương trình kiểm tra", "cannot run the plugin", error)
        }
    }

    func judge(_ result: CommandResult) -> ProbeResult {
        let firstLine = String(decoding: result.stdout, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
        // Performance data follows the bar.
        let said = excerpt(String(firstLine.split(separator: "|", maxSplits: 1).first ?? "").trimmed)
        if result.isTimedOut { return .down("chương trình kiểm tra quá thời gian", "the plugin took too long") }
        switch result.status {
        case .exited(0), .exited(1): return .up(said, said)
        case .exited(2), .exited(3): return .down(said, said)
        default:
            return .down("chương trình kiểm tra \(result.status.phrase.vi): \(said)", "the plugin \(result.status.phrase.en): \(said)")
        }
    }
}
