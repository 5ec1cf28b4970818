internal import Platform

/// The roots of the rules, whose own fate has no event, and areas without watches.
extension EventReader {
    func identity(of path: FilePath) -> Identity? { (try? FileStatus.ofLink(path)).map { Identity(of: $0) } }

    /// Finds roots that were replaced, mounted over, lost or found again without an event of their own.
    mutating func lookAfterRoots() {
        let now = Monotonic.nanoseconds()
        if !mustCheckRoots, now < lastRootCheck + settings.rootCheckSeconds * 1_000_000_000 { return }
        lastRootCheck = now
        mustCheckRoots = false
        for (index, rule) in rules.rules.enumerated() {
            let found = identity(of: rule.path)
            if found == roots[index] { continue }
            let from = lastComplete
            if let old = table.directory(at: rule.path) { forget(old) }
            addRoot(index, isMarking: true)
            if found != nil {
                request(
                    [rule.path], isFull: false, .blind,
                    [BlindInterval(from: from, to: .now(), area: rule.path, reason: .rootReplaced)])
            }
        }
    }

    /// Tries areas without watches again and rescans them, closing a blind interval each time.
    mutating func retryUnwatched() {
        let now = Monotonic.nanoseconds()
        if lastRetry == 0 { lastRetry = now }
        if now < lastRetry + settings.unwatchedRescanSeconds * 1_000_000_000 || !register.hasUnwatched { return }
        lastRetry = now
        let areas = register.takeUnwatched()
        if inotify == nil { startOver() }
        for area in areas {
            if area.reason != .noEvents, let rule = rules.rule(of: area.area) {
                addTree(area.area, rule, parent: table.directory(at: FilePath(parentOf: area.area)), isMarking: false)
            }
        }
        let moment = Timestamp.now()
        request(
            areas.map(\.area), isFull: false, .blind,
            areas.map { BlindInterval(from: $0.since, to: moment, area: $0.area, reason: $0.reason) })
    }

    func publish() {
        let missing = roots.indices.filter { roots[$0] == nil }
        register.setWatched(table.countByRule, missing: Set(missing))
    }
}
