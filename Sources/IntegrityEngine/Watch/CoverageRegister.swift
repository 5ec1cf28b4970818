internal import Platform
internal import Synchronization

/// What the threads of a watcher know about coverage.
final class CoverageRegister: Sendable {
    private struct State {
        var watched: [Int: Int] = [:]
        var missing: Set<Int> = []
        var unwatched: [FilePath: RuleCoverage.Unwatched] = [:]
        var intervals: [Int: [BlindInterval]] = [:]
        var lastRescan: [Int: Timestamp] = [:]
    }
    private let state = Mutex(State())
    private let rules: RuleSet

    init(_ rules: RuleSet) { self.rules = rules }

    func setWatched(_ counts: [Int: Int], missing: Set<Int>) {
        state.withLock { state in
            state.watched = counts
            state.missing = missing
        }
    }

    func addUnwatched(_ area: FilePath, _ reason: BlindInterval.Reason, since: Timestamp) {
        state.withLock { state in
            // A rule that has too many of them is listed as a whole.
            if state.unwatched.count >= RuleCoverage.maximumUnwatched, let rule = rules.rule(of: area) {
                let root = rules.rules[rule].path
                state.unwatched = state.unwatched.filter { !$0.key.isInTree(of: root) }
                state.unwatched[root] = .init(area: root, reason: reason, since: since)
            } else if !state.unwatched.keys.contains(where: { area.isInTree(of: $0) }) {
                state.unwatched[area] = .init(area: area, reason: reason, since: since)
            }
        }
    }

    /// Takes the unwatched areas out, to try them again.
    func takeUnwatched() -> [RuleCoverage.Unwatched] {
        state.withLock { state in
            let taken = Array(state.unwatched.values)
            state.unwatched = [:]
            return taken
        }
    }

    func removeUnwatched(below area: FilePath) {
        state.withLock { state in state.unwatched = state.unwatched.filter { !$0.key.isInTree(of: area) } }
    }

    var hasUnwatched: Bool { state.withLock { !$0.unwatched.isEmpty } }

    func add(_ interval: BlindInterval) {
        guard let rule = rules.rule(of: interval.area) else { return }
        state.withLock { state in
            state.intervals[rule, default: []].insert(interval, at: 0)
            if state.intervals[rule, default: []].count > RuleCoverage.maximumIntervals { state.intervals[rule]?.removeLast() }
        }
    }

    func setRescanned(_ areas: [FilePath]?, at moment: Timestamp) {
        state.withLock { state in
            for (index, rule) in rules.rules.enumerated() where areas?.contains(rule.path) ?? true {
                state.lastRescan[index] = moment
            }
        }
    }

    var coverage: [RuleCoverage] {
        state.withLock { state in
            rules.rules.enumerated().map { index, rule in
                let unwatched = state.unwatched.values.filter { rules.rule(of: $0.area) == index }
                    .sorted { $0.area.precedesInTree($1.area) }
                let watched = state.watched[index, default: 0]
                let guarantee: RuleCoverage.Guarantee =
                    state.missing.contains(index)
                    ? .missing
                    : unwatched.isEmpty ? .realtime : watched == 0 ? .rescanOnly : .partial
                return RuleCoverage(
                    rule: rule, guarantee: guarantee, watchedDirectories: watched, unwatched: unwatched,
                    blindIntervals: state.intervals[index, default: []], lastRescan: state.lastRescan[index])
            }
        }
    }
}
