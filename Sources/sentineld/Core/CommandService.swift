internal import Platform

/// Runs foreign commands, each in an `exec` process of its own: no capability, no key, bounded time and output.
struct CommandService: Sendable {
    let parent: ParentLink

    /// - Throws: What kept the command from running; a command that ran and failed is a result.
    func run(_ request: CommandRequest) async throws -> CommandResult {
        let worker = try await parent.start(.exec)
        let link = try Link<ExecReport>(worker.channel, name: "exec-link")
        try link.send(ExecOrder(request))
        var report: ExecReport?
        for await arrival in link.arrivals { report = arrival.value }
        _ = await parent.end(of: worker)
        guard let report else {
            throw DaemonError(
                message: Phrase(vi: "tiến trình chạy lệnh đã dừng giữa chừng", en: "the process that ran the command died"), hint: nil,
                isPermanent: false)
        }
        return try report.result()
    }
}
