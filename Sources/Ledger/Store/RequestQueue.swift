internal import Platform

/// Requests that wait, bounded, and the one thread that takes them in batches.
///
/// While the thread works, further requests gather; they share the next batch.
final class RequestQueue<Request: Sendable>: Sendable {
    private struct State {
        var pending: [Request] = []
        var isClosed = false
    }

    private let state: Monitor<State>
    private let thread: WorkerThread
    private let limit: Int

    /// - Parameters:
    ///   - name: Of the thread.
    ///   - limit: Requests that may wait.
    ///   - batchLimit: Requests in one batch: bounds the time until the first of them is answered.
    ///   - process: Answers every request of a batch. Called by the thread only.
    /// - Throws: EAGAIN when the system has no thread left.
    init(name: String, limit: Int, batchLimit: Int, process: @escaping @Sendable ([Request]) -> Void) throws(SystemError) {
        let state = Monitor(State())
        self.state = state
        self.limit = limit
        thread = try WorkerThread(name: name) {
            while true {
                let batch = state.wait { state -> [Request]? in
                    if state.pending.isEmpty { return state.isClosed ? [] : nil }
                    let batch = Array(state.pending.prefix(batchLimit))
                    state.pending.removeFirst(batch.count)
                    return batch
                }
                if batch.isEmpty { return }
                process(batch)
            }
        }
    }

    /// Adds a request.
    ///
    /// - Throws: `.closed`, or `.overloaded` when too many wait; the request is dropped then.
    func submit(_ request: Request) throws(LedgerError) {
        try state.change { (state) throws(LedgerError) -> Void in
            if state.isClosed { throw .closed() }
            if state.pending.count >= limit { throw .overloaded(limit) }
            state.pending.append(request)
        }
    }

    /// Takes no further request. Those that wait are still answered.
    func close() { state.change { $0.isClosed = true } }

    /// Waits until the last request is answered; after ``close()``, and never on the thread itself.
    func join() { thread.join() }
}

extension LedgerError {
    static func closed() -> LedgerError {
        LedgerError(.closed, Phrase(vi: "sổ cái đã đóng", en: "the ledger is closed"))
    }

    static func overloaded(_ limit: Int) -> LedgerError {
        LedgerError(
            .overloaded,
            Phrase(vi: "hơn \(limit) thao tác đang chờ sổ cái", en: "more than \(limit) operations wait for the ledger"),
            hint: Phrase(vi: "thử lại sau; kiểm tra đĩa có chậm không", en: "try again later; check whether the disk is slow"))
    }
}
