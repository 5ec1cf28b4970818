internal import ControlAPI
internal import FoundationEssentials
internal import Platform

/// The core's side of the link to the watch process: orders out, answers matched to their questions.
actor WatchLink {
    private var link: Link<WatchReport>?
    private var counter: Int64 = 0
    private var waiting: [Int64: CheckedContinuation<WatchAnswer, any Error>] = [:]

    var isConnected: Bool { link != nil }

    func connect(_ link: Link<WatchReport>) { self.link = link }

    /// Forgets a watch process that has ended; whoever waits for an answer is told.
    func disconnect() {
        link = nil
        for continuation in waiting.values { continuation.resume(throwing: Self.absent) }
        waiting = [:]
    }

    func send(_ order: WatchOrder) throws {
        guard let link else { throw Self.absent }
        try link.send(order)
    }

    /// Asks and waits for the answer.
    func ask(_ request: WatchRequest) async throws -> WatchAnswer {
        guard let link else { throw Self.absent }
        counter += 1
        let id = counter
        return try await withCheckedThrowingContinuation { continuation in
            waiting[id] = continuation
            do {
                try link.send(WatchOrder.request(id: id, request))
            } catch {
                waiting.removeValue(forKey: id)?.resume(throwing: error)
            }
        }
    }

    func answered(_ id: Int64, _ answer: WatchAnswer) { waiting.removeValue(forKey: id)?.resume(returning: answer) }
    func failed(_ id: Int64, _ failure: WireFailure) { waiting.removeValue(forKey: id)?.resume(throwing: failure) }

    private static let absent = DaemonError(
        message: Phrase(vi: "tiến trình giám sát tệp chưa sẵn sàng", en: "the watch process is not ready"),
        hint: Phrase(vi: "thử lại sau vài giây", en: "try again in a few seconds"), isPermanent: false)
}
