internal import AsyncHTTPClient
internal import IncidentCore
internal import Ledger
internal import NIOCore
internal import NIOHTTP1
internal import Platform

/// Sends what the outbox holds: at once when something was queued, else when the next retry is due.
actor OutboxLoop {
    private let site: SiteState
    private let ledger: Ledger
    private let transport: OutboxTransport
    private var isWoken = false
    private var sleeper: Task<Void, Never>?

    init(site: SiteState, ledger: Ledger, incidents: IncidentService, commands: CommandService) {
        self.site = site
        self.ledger = ledger
        transport = OutboxTransport(
            runMail: { command in
                let result = try await commands.run(
                    CommandRequest(
                        argv: command.arguments, stdin: command.input, timeoutSeconds: command.timeoutSeconds))
                let status: Int32? = if case .exited(let code) = result.status, !result.isTimedOut { code } else { nil }
                return MailCommandResult(exitStatus: status, errorOutput: String(decoding: result.stderr.prefix(500), as: UTF8.self))
            },
            post: { request in
                var outgoing = HTTPClientRequest(url: request.url)
                outgoing.method = .POST
                for field in request.headers { outgoing.headers.add(name: field.name, value: field.value) }
                outgoing.body = .bytes(ByteBuffer(bytes: request.body))
                let response = try await HTTPClient.shared.execute(outgoing, timeout: .milliseconds(Int64(request.timeoutSeconds * 1000)))
                return Int(response.status.code)
            })
    }

    func wake() {
        isWoken = true
        sleeper?.cancel()
    }

    /// Runs until the task is cancelled.
    func run() async throws {
        while true {
            var next: Timestamp?
            do {
                let sender = OutboxSender(
                    ledger: ledger, configuration: site.configuration, hostname: hostName(), transport: transport)
                next = try await sender.sendDue().nextDue
            } catch {
                if Task.isCancelled { throw CancellationError() }
                Journal.report("core", error)
            }
            let pause = next.map { max(1, $0.seconds(since: .now())) } ?? 60
            try await waitForWakeUp(atMost: min(pause, 60))
        }
    }

    private func waitForWakeUp(atMost seconds: Double) async throws {
        if !isWoken {
            let sleep = Task<Void, Never> {
                // Cancelled by a wake-up: that is its purpose.
                _ = try? await Task.sleep(for: .seconds(seconds))
            }
            sleeper = sleep
            await withTaskCancellationHandler {
                await sleep.value
            } onCancel: {
                sleep.cancel()
            }
            sleeper = nil
        }
        isWoken = false
        try Task.checkCancellation()
    }
}
