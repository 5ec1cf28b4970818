package import Platform
internal import Synchronization

/// Tries one check. The detail of a failure is for people; nothing is thrown.
package struct Prober: Sendable {
    private let body: @Sendable (HealthCheck) async -> ProbeResult

    package init(_ body: @escaping @Sendable (HealthCheck) async -> ProbeResult) { self.body = body }

    package func probe(_ check: HealthCheck) async -> ProbeResult { await body(check) }
}

/// Runs checks side by side, for ever, and reports what changes.
///
/// A slow or hanging check delays no other: each try is time-limited and given up, not awaited, when its time is over.
/// A check whose abandoned try still hangs is not tried again until that has ended, so hanging tries do not pile up.
package struct HealthMonitor: Sendable {
    package static let defaultConcurrency = 32
    /// First tries are spread over this time, or over the interval when that is shorter.
    package static let startSpreadSeconds = 30.0

    private let checks: [HealthCheck]
    private let parents: [String: String]
    private let prober: Prober
    private let clock: any Clock<Duration>
    private let now: @Sendable () -> Timestamp
    private let jitter: @Sendable () -> Double
    private let slots: Slots
    private let board: StateBoard

    /// - Parameters:
    ///   - known: States reported before a restart, by name of check; others begin as unknown.
    ///   - concurrency: How many tries run at once.
    ///   - clock: For intervals and time limits.
    ///   - now: For the moments in transitions.
    ///   - jitter: A number in 0..<1: where in the first interval a check begins.
    package init(
        checks: [HealthCheck], prober: Prober, known: [String: HealthState] = [:],
        concurrency: Int = HealthMonitor.defaultConcurrency, clock: any Clock<Duration> = ContinuousClock(),
        now: @escaping @Sendable () -> Timestamp = { Timestamp.now() },
        jitter: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.checks = checks
        self.prober = prober
        self.clock = clock
        self.now = now
        self.jitter = jitter
        parents = Self.soundParents(of: checks)
        slots = Slots(concurrency)
        board = StateBoard(checks, known)
    }

    /// Runs until the task is cancelled.
    ///
    /// - Parameters:
    ///   - report: Called for each transition; those of one check in order, the next try waits for it.
    ///   - measured: Called for each try, before `report`.
    /// - Throws: `CancellationError`, and what the clock throws.
    package func run(
        report: @escaping @Sendable (HealthTransition) async -> Void,
        measured: @escaping @Sendable (HealthCheck, ProbeResult) async -> Void = { _, _ in }
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for check in checks {
                group.addTask { try await watch(check, report, measured) }
            }
            try await group.waitForAll()
        }
    }

    /// What is known now, in the order of the configuration.
    package func states() async -> [CheckState] { await board.all(checks) }

    /// Tries one check now, without any effect on its state: `health run`.
    ///
    /// - Returns: Nil when there is no such check.
    package func probeNow(_ name: String) async -> ProbeResult? {
        guard let check = checks.first(where: { $0.name == name }) else { return nil }
        return await probe(check, InFlight())
    }

    // MARK: One check

    private func watch(
        _ check: HealthCheck, _ report: @Sendable (HealthTransition) async -> Void,
        _ measured: @Sendable (HealthCheck, ProbeResult) async -> Void
    ) async throws {
        try await clock.sleep(for: .seconds(min(check.intervalSeconds, Self.startSpreadSeconds) * jitter()))
        let inFlight = InFlight()
        while true {
            let started = Monotonic.nanoseconds()
            try await slots.acquire()
            let result = await probe(check, inFlight)
            slots.release()
            try Task.checkCancellation()
            let transition = await board.record(result, of: check.name, parent: parents[check.name], at: now())
            await measured(check, result)
            if let transition { await report(transition) }
            let elapsed = Double(Monotonic.nanoseconds() - started) / 1e9
            try await clock.sleep(for: .seconds(max(0.001, check.intervalSeconds - elapsed)))
        }
    }

    private func probe(_ check: HealthCheck, _ inFlight: InFlight) async -> ProbeResult {
        guard inFlight.begin() else {
            return ProbeResult(
                isUp: false, detail: Phrase(vi: "lần thử trước vẫn chưa trả lời", en: "the try before has still not answered"))
        }
        let started = Monotonic.nanoseconds()
        let prober = prober
        let result = await withTimeLimit(.seconds(check.timeoutSeconds), clock: clock) {
            let result = await prober.probe(check)
            inFlight.end()
            return result
        }
        let duration = Double(Monotonic.nanoseconds() - started) / 1e9
        guard let result else {
            let limit = shortNumber(check.timeoutSeconds)
            return ProbeResult(
                isUp: false, detail: Phrase(vi: "không trả lời trong \(limit) giây", en: "no answer within \(limit) seconds"),
                durationSeconds: duration)
        }
        return ProbeResult(isUp: result.isUp, detail: result.detail, durationSeconds: duration)
    }

    /// The parents that exist and lead to no circle: in a circle every check would wait for another for ever.
    private static func soundParents(of checks: [HealthCheck]) -> [String: String] {
        let stated = Dictionary(checks.map { ($0.name, $0.parent) }) { first, _ in first }
        return stated.compactMapValues { $0 }.filter { name, parent in
            guard stated.keys.contains(parent) else { return false }
            var seen: Set<String> = [name]
            var next: String? = parent
            while let current = next {
                if !seen.insert(current).inserted { return false }
                next = stated[current] ?? nil
            }
            return true
        }
    }
}

/// The states of all checks: a child looks at its parent's.
private actor StateBoard {
    private var states: [String: CheckState]

    init(_ checks: [HealthCheck], _ known: [String: HealthState]) {
        states = Dictionary(checks.map { ($0.name, CheckState($0, known: known[$0.name] ?? .unknown)) }) { first, _ in first }
    }

    func record(_ result: ProbeResult, of name: String, parent: String?, at moment: Timestamp) -> HealthTransition? {
        let parentState = parent.flatMap { states[$0] }?.asParent ?? .fine
        return states[name]?.record(result, at: moment, parent: parentState)
    }

    func all(_ checks: [HealthCheck]) -> [CheckState] { checks.compactMap { states[$0.name] } }
}

/// Whether a try of a check is still running somewhere, abandoned or not.
private final class InFlight: Sendable {
    private let isRunning = Atomic<Bool>(false)

    /// - Returns: False when one is running.
    func begin() -> Bool { isRunning.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged }
    func end() { isRunning.store(false, ordering: .releasing) }
}
