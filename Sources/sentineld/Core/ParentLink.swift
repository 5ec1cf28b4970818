internal import Platform

/// The core's side of the link to the parent: asks for processes, hears of their end.
actor ParentLink {
    /// A process that the parent has started.
    struct Worker: Sendable {
        let id: String
        let channel: Channel
    }

    private let link: Link<ParentMessage>
    private var counter = 0
    private var waiting: [String: CheckedContinuation<Worker, any Error>] = [:]
    private var ended: [String: Int32] = [:]
    private var alive: Set<String> = []
    private var waitingForEnd: [String: CheckedContinuation<Int32, Never>] = [:]

    init(_ link: Link<ParentMessage>) { self.link = link }

    /// Ends the conversation: the core then stops as if told to.
    nonisolated func close() { link.close() }

    nonisolated func tell(_ message: CoreMessage) throws { try link.send(message) }

    /// Has the parent start a process in `role`.
    ///
    /// - Throws: ``DaemonError`` when it could not be started.
    func start(_ role: ProcessRole) async throws -> Worker {
        counter += 1
        let id = "\(role.rawValue)-\(counter)"
        return try await withCheckedThrowingContinuation { continuation in
            waiting[id] = continuation
            do {
                try link.send(CoreMessage.start(id: id, role: role.rawValue))
            } catch {
                waiting.removeValue(forKey: id)?.resume(throwing: error)
            }
        }
    }

    /// Waits until a process has ended and is reaped.
    ///
    /// - Returns: Its status as a shell reports it.
    func end(of worker: Worker) async -> Int32 {
        if let status = ended.removeValue(forKey: worker.id) { return status }
        return await withCheckedContinuation { waitingForEnd[worker.id] = $0 }
    }

    /// Asks all jobs and commands to stop.
    func terminateAll() {
        do {
            for id in alive { try link.send(CoreMessage.end(id: id)) }
        } catch {
            Journal.report("core", error)
        }
    }

    func started(_ id: String, descriptor: Int32?) {
        guard let descriptor else { return failed(id, reason: "descriptor") }
        let owned = FileDescriptor(owning: descriptor)
        do {
            let channel = try Channel(owning: owned, sendLimitSeconds: 30)
            alive.insert(id)
            waiting.removeValue(forKey: id)?.resume(returning: Worker(id: id, channel: channel))
        } catch {
            waiting.removeValue(forKey: id)?.resume(throwing: error)
        }
    }

    func failed(_ id: String, reason: String) {
        waiting.removeValue(forKey: id)?.resume(
            throwing: DaemonError(
                message: Phrase(vi: "không khởi động được tiến trình con: \(reason)", en: "a child process could not be started: \(reason)"),
                hint: nil, isPermanent: false))
    }

    func exited(_ id: String, status: Int32) {
        alive.remove(id)
        if let waiter = waitingForEnd.removeValue(forKey: id) {
            waiter.resume(returning: status)
        } else {
            ended[id] = status
        }
    }
}
