internal import Platform

/// Compares the observed state with what is there and proposes every difference to the judging thread.
struct Rescanner {
    let rules: RuleSet
    let store: BaselineStore
    let settings: Watcher.Settings
    let queue: Monitor<WatchQueue>

    func run() {
        while let request = nextRequest() {
            while true {
                do {
                    try carryOut(request)
                    break
                } catch {
                    // The database or the hash library failed; the blind interval stays open until a rescan succeeds.
                    if pause(seconds: 1) { return }
                }
            }
            queue.change { $0.isRescanning = false }
        }
    }

    private func nextRequest() -> RescanRequest? {
        let taken: RescanRequest?? = queue.wait { (queue) -> RescanRequest?? in
            if queue.isStopped { return .some(.none) }
            return queue.takeRequest().map { .some($0) }
        }
        return taken ?? nil
    }

    /// True when the watcher was stopped.
    private func pause(seconds: Double) -> Bool {
        queue.wait(seconds: seconds) { $0.isStopped ? true : nil } ?? false
    }

    private func carryOut(_ request: RescanRequest) throws {
        for interval in request.closes { push(.blind(interval)) }
        var unadopted: [Bool] = []
        for rule in rules.rules { unadopted.append(try !store.isAdopted(rule.path)) }
        var options = settings.scan
        let queue = queue
        let isCancelled = settings.scan.isCancelled
        options.isCancelled = { isCancelled() || queue.read { $0.isStopped } }
        var comparison = Comparison(
            before: try store.source(.observed, request.areas, isSnapshot: false), rules: rules, significance: .exact)
        func propose(_ change: Change) {
            let isNew = rules.rule(of: change.path).map { unadopted[$0] } ?? false
            push(.candidate(RescanCandidate(path: change.path, record: change.after, isAdoption: isNew)))
        }
        let reuse = request.isFull ? nil : try store.source(.observed, request.areas, isSnapshot: false)
        let report = try Scanner(options).scan(rules, areas: request.areas, reuse: reuse) { item in
            try comparison.take(item, propose)
        }
        if !report.isComplete { return }
        try comparison.finish(propose)
        let adopted = zip(rules.rules, unadopted).filter { rule, isNew in
            isNew && (request.areas.map { areas in areas.contains { rule.path.isInTree(of: $0) } } ?? true)
        }.map(\.0.path)
        push(
            .finished(
                RescanReport(
                    reasons: request.reasons, areas: request.areas, isFull: request.isFull, scan: report, closed: request.closes),
                adopted: adopted))
    }

    private func push(_ work: RescanWork) {
        queue.wait { (queue) -> Void? in
            if !queue.isStopped {
                if !queue.hasRoomForRescan { return nil }
                queue.add(work)
            }
            return ()
        }
    }
}
