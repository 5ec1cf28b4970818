internal import Platform

/// One foreign command: takes its order, runs it, tells how it ended.
enum ExecProcess {
    static func run(_ channel: Channel) async -> Int32 {
        do {
            guard let order = try channel.receive(as: ExecOrder.self, timeoutSeconds: 30) else { return ProcessExit.failure }
            // The core's death closes the channel; the command must not outlive it.
            let command = Task { try await CommandRunner().run(order.request) }
            try OwnThread.start(name: "exec-link") {
                while let rest = try? channel.receive(), rest.bytes.isEmpty {}
                command.cancel()
            }
            let report: ExecReport
            do {
                report = ExecReport(try await command.value)
            } catch {
                report = .failed(WireFailure(error))
            }
            try channel.send(report)
            return ProcessExit.success
        } catch {
            Journal.report("exec", error)
            return ProcessExit.failure
        }
    }
}
