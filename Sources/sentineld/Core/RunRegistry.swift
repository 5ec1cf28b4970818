internal import ControlAPI
internal import Platform

/// The jobs, drills and scans that people wait for: what runs, how far it is, how it ended.
///
/// Bounded: of the finished runs only the newest ``keptRuns`` are remembered. The lasting record is in the ledger.
actor RunRegistry {
    private static let keptRuns = 200
    private var runs: [String: RunAnswer] = [:]
    private var order: [String] = []
    private var counter = 0

    /// Notes a new run. At most one run of a kind and subject is under way at a time.
    ///
    /// - Returns: The new run, or nil when that one is running already.
    func begin(kind: String, subject: String) -> RunAnswer? {
        if runs.values.contains(where: { $0.kind == kind && $0.subject == subject && $0.state == .running }) { return nil }
        counter += 1
        let run = RunAnswer(id: "\(kind)-\(counter)", kind: kind, subject: subject, state: .running)
        runs[run.id] = run
        order.append(run.id)
        if order.count > Self.keptRuns, let oldest = order.firstIndex(where: { runs[$0]?.state != .running }) {
            runs[order.remove(at: oldest)] = nil
        }
        return run
    }

    /// The run of a kind and subject that is under way.
    func current(kind: String, subject: String) -> RunAnswer? {
        runs.values.first { $0.kind == kind && $0.subject == subject && $0.state == .running }
    }

    func progress(_ id: String, _ fraction: Double?, _ activity: String) {
        runs[id]?.progress = fraction
        runs[id]?.activity = activity
    }

    func finish(_ id: String, result: String) {
        runs[id]?.state = .finished
        runs[id]?.progress = 1
        runs[id]?.result = result
    }

    func fail(_ id: String, _ failure: ControlFailure) {
        runs[id]?.state = .failed
        runs[id]?.failure = failure
    }

    func run(_ id: String) -> RunAnswer? { runs[id] }
    var running: [RunAnswer] { order.compactMap { runs[$0] }.filter { $0.state == .running } }
}
