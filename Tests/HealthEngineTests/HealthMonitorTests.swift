@testable internal import HealthEngine
internal import Platform
internal import Synchronization
internal import TestSupport
internal import Testing

/// A clock on which a second takes a hundredth of one.
private struct FastClock: Clock {
    typealias Instant = ContinuousClock.Instant
    private let base = ContinuousClock()
    private let started = ContinuousClock().now
    private let factor = 100

    var now: Instant { started.advanced(by: started.duration(to: base.now) * factor) }
    var minimumResolution: Duration { base.minimumResolution }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let rest = now.duration(to: deadline)
        try await base.sleep(for: rest / factor)
    }
}

/// What a monitor said, in order.
private final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
    func count(_ line: String) -> Int { all.count { $0 == line } }
}

@Suite(.timeLimit(.minutes(2))) struct HealthMonitorTests {
    private func check(
        _ name: String, interval: Double = 1, timeout: Double = 5, down: Int = 2, up: Int = 2, parent: String? = nil
    ) -> HealthCheck {
        HealthCheck(
            name: name, probe: .tcp(host: "x", port: 1), intervalSeconds: interval, timeoutSeconds: timeout, down: down, up: up,
            parent: parent)
    }

    private func result(_ isUp: Bool) -> ProbeResult { ProbeResult(isUp: isUp, detail: Phrase(verbatim: isUp ? "yes" : "no")) }

    /// Runs a monitor until `isDone` (asked every 5 ms) or at least 20 real seconds are over, then cancels it and waits for its end.
    private func run(
        _ monitor: HealthMonitor, _ log: Log, measured: @escaping @Sendable (HealthCheck, ProbeResult) async -> Void = { _, _ in },
        until isDone: @Sendable () async -> Bool
    ) async {
        let task = Task {
            try await monitor.run(report: { log.add("\($0.check.name) \($0.state)") }, measured: measured)
        }
        for _ in 0..<4000 {
            if await isDone() { break }
            try? await Task.sleep(for: .milliseconds(5))
        }
        task.cancel()
        let end = await task.result
        #expect(throws: CancellationError.self) { try end.get() }
    }

    @Test func `going down and coming back are each reported once`() async {
        let log = Log()
        let count = Mutex(0)
        let prober = Prober { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return result(number <= 3 || number > 8)
        }
        let monitor = HealthMonitor(checks: [check("web")], prober: prober, clock: FastClock(), jitter: { 0 })
        await run(monitor, log) { count.withLock { $0 } >= 15 }
        #expect(log.all == ["web down", "web up"])
        let state = await monitor.states()
        #expect(state.count == 1 && state[0].state == .up)
    }

    @Test func `a hanging try is given up, fails the check, and is not joined by more of its kind`() async {
        let log = Log()
        let running = Atomic<Int>(0)
        let started = Atomic<Int>(0)
        let prober = Prober { check in
            if check.name == "fine" { return result(true) }
            started.add(1, ordering: .relaxed)
            running.add(1, ordering: .relaxed)
            // Deaf to cancellation, like a call into a dead mount.
            await withCheckedContinuation { continuation in
                Task.detached {
                    try? await Task.sleep(for: .seconds(600))
                    continuation.resume()
                }
            }
            running.subtract(1, ordering: .relaxed)
            return result(true)
        }
        let monitor = HealthMonitor(
            checks: [check("hung", timeout: 2, down: 3), check("fine")], prober: prober, clock: FastClock(), jitter: { 0 })
        let measured = Log()
        let before = Monotonic.nanoseconds()
        await run(monitor, log, measured: { measured.add("\($0.name) \($1.isUp)") }) {
            log.all.contains("hung down") && measured.count("fine true") > 10
        }
        #expect(Monotonic.nanoseconds() - before < 300_000_000_000)
        #expect(log.all == ["hung down"])
        #expect(running.load(ordering: .relaxed) == 1)
        #expect(started.load(ordering: .relaxed) == 1)
        #expect(measured.count("hung true") == 0)
    }

    @Test func `no more tries run at once than allowed, and all get their turn`() async {
        let log = Log()
        let running = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        let seen = Mutex<Set<String>>([])
        let prober = Prober { check in
            let now = running.add(1, ordering: .sequentiallyConsistent).newValue
            _ = most.max(now, ordering: .sequentiallyConsistent)
            try? await Task.sleep(for: .milliseconds(2))
            running.subtract(1, ordering: .sequentiallyConsistent)
            seen.withLock { _ = $0.insert(check.name) }
            return result(true)
        }
        let checks = (0..<200).map { check("c\($0)", interval: 10, timeout: 100) }
        let monitor = HealthMonitor(checks: checks, prober: prober, concurrency: 8, clock: FastClock())
        await run(monitor, log) { seen.withLock { $0.count } == 200 }
        #expect(seen.withLock { $0.count } == 200)
        #expect(most.load(ordering: .relaxed) <= 8)
        #expect(most.load(ordering: .relaxed) > 1)
        #expect(log.all.isEmpty)
    }

    @Test func `a check behind a parent that is down is unreachable, not down`() async {
        let log = Log()
        let isUplinkUp = Atomic<Bool>(false)
        let prober = Prober { check in
            let isUp = isUplinkUp.load(ordering: .relaxed)
            return result(check.name == "local" || (isUp && check.name != "broken"))
        }
        let checks = [
            check("uplink", down: 2), check("portal", down: 3, parent: "uplink"), check("broken", down: 3, parent: "uplink"),
            check("deep", down: 3, parent: "portal"), check("local", parent: "uplink"),
        ]
        let monitor = HealthMonitor(checks: checks, prober: prober, clock: FastClock(), jitter: { 0 })
        await run(monitor, log) {
            if log.all.count >= 4 { isUplinkUp.store(true, ordering: .relaxed) }
            return log.all.count >= 8
        }
        #expect(Set(log.all.prefix(4)) == ["uplink down", "portal unreachable", "broken unreachable", "deep unreachable"])
        #expect(Set(log.all.dropFirst(4)) == ["uplink up", "portal up", "deep up", "broken down"])
        #expect(log.all.first == "uplink down")
    }

    @Test func `a circle of parents and a missing parent silence nobody`() async {
        let log = Log()
        let checks = [check("a", parent: "b"), check("b", parent: "a"), check("c", parent: "c"), check("d", parent: "nobody")]
        let monitor = HealthMonitor(checks: checks, prober: Prober { _ in result(false) }, clock: FastClock(), jitter: { 0 })
        await run(monitor, log) { log.all.count >= 4 }
        #expect(Set(log.all) == ["a down", "b down", "c down", "d down"])
    }

    @Test func `a recovery during a restart is still reported`() async {
        let log = Log()
        let monitor = HealthMonitor(
            checks: [check("web")], prober: Prober { _ in result(true) }, known: ["web": .down], clock: FastClock(), jitter: { 0 })
        await run(monitor, log) { !log.all.isEmpty }
        #expect(log.all == ["web up"])
    }

    @Test func `cancelling ends the monitor at once, hanging tries or not`() async {
        let log = Log()
        let isReached = Atomic<Bool>(false)
        let prober = Prober { _ in
            isReached.store(true, ordering: .relaxed)
            await withCheckedContinuation { continuation in
                Task.detached {
                    try? await Task.sleep(for: .seconds(90))
                    continuation.resume()
                }
            }
            return result(true)
        }
        // Two checks for one slot: one hangs, one waits.
        let monitor = HealthMonitor(
            checks: [check("a", timeout: 1000), check("b", timeout: 1000)], prober: prober, concurrency: 1, clock: FastClock(),
            jitter: { 0 })
        let before = Monotonic.nanoseconds()
        await run(monitor, log) { isReached.load(ordering: .relaxed) }
        #expect(Monotonic.nanoseconds() - before < 60_000_000_000)
        #expect(log.all.isEmpty)
    }

    @Test func `a check can be tried at once without touching its state`() async {
        let monitor = HealthMonitor(checks: [check("web")], prober: Prober { _ in result(false) }, clock: FastClock())
        let answer = await monitor.probeNow("web")
        #expect(answer?.isUp == false && answer?.detail.en == "no")
        let missing = await monitor.probeNow("other")
        #expect(missing == nil)
        let states = await monitor.states()
        #expect(states[0].state == .unknown && states[0].last == nil)
    }

    @Test func `a real hung server is cut at its time and a real one is up, side by side`() async throws {
        let mute = try await LocalServer.mute()
        let fine = try await LocalServer.plain()
        let system = SystemProber()
        let checks = [
            HealthCheck(
                name: "mute", probe: .http(url: "http://127.0.0.1:\(mute.port)/"), intervalSeconds: 0.2, timeoutSeconds: 0.3, down: 2),
            HealthCheck(name: "fine", probe: .http(url: "http://127.0.0.1:\(fine.port)/ok"), intervalSeconds: 0.05, timeoutSeconds: 5),
        ]
        let monitor = HealthMonitor(checks: checks, prober: system.prober)
        let log = Log()
        let measured = Log()
        await run(monitor, log, measured: { measured.add("\($0.name) \($1.isUp)") }) {
            log.all.contains("mute down") && measured.count("fine true") > 3
        }
        #expect(log.all == ["mute down"])
        #expect(measured.count("fine false") == 0)
        await system.shutDown()
        await mute.stop()
        await fine.stop()
    }
}
