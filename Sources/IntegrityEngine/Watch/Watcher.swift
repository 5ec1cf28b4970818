package import Platform

/// Reports changes below the rules as they happen, and rescans where it could not look.
///
/// Three threads: one reads events and keeps the watches (first the watch, then the listing, so that nothing falls in between), one judges
/// settled paths against the observed state and reports, one rescans. The judging thread alone writes the observed state, after the report
/// was acknowledged; rescans only propose paths to it. A file that is kept open and written to is judged when it is closed, or by a rescan.
package final class Watcher: Sendable {
    package struct Settings: Sendable {
        /// A path is settled after this time without an event.
        package var quietMilliseconds: UInt64 = 200
        /// A path is judged at the latest after this time, even if events go on.
        package var latestMilliseconds: UInt64 = 2000
        /// Changes per report.
        package var batchLimit = 1000
        /// Watches used at most: they are a limited good of the user (`fs.inotify.max_user_watches`).
        package var maximumWatches = Int.max
        /// How often areas without watches are rescanned.
        package var unwatchedRescanSeconds: UInt64 = 300
        /// How often the roots are looked at: their own directories' fate has no event.
        package var rootCheckSeconds: UInt64 = 5
        /// The first rescan hashes everything anew.
        package var startsWithFullRescan = false
        package var scan = Scanner.Options()
        /// Called on the reading thread before each reading; lets a test hold it up.
        package var beforeReading: (@Sendable () -> Void)?
        package init() {}
    }

    private let rules: RuleSet
    private let store: BaselineStore
    private let settings: Settings
    private let queue = Monitor(WatchQueue())
    private let register: CoverageRegister
    private let wake: WakePipe
    private let report: @Sendable (WatcherReport) throws -> Void
    private let threads = Monitor<[WorkerThread]>([])

    /// - Parameter report: Called on a thread of the watcher, one call at a time. Throwing means "not recorded": the same comes again.
    /// - Throws: EMFILE when no descriptor is left.
    package init(
        rules: [WatchRule], store: BaselineStore, settings: Settings = Settings(),
        report: @escaping @Sendable (WatcherReport) throws -> Void
    ) throws(SystemError) {
        self.rules = RuleSet(rules)
        self.store = store
        self.settings = settings
        self.report = report
        register = CoverageRegister(self.rules)
        wake = try WakePipe()
    }

    /// Starts watching. The first rescan finds what changed since the observed state was last complete; a rule that was never observed is
    /// taken over without reports. ``stop()`` must be called in the end: the threads do not hang on this object.
    package func start() throws {
        let (rules, store, settings, queue, register, wake, report) = (rules, store, settings, queue, register, wake, report)
        let known = try store.observedMoment()
        let bodies: [(name: String, run: @Sendable () -> Void)] = [
            (
                "watch-judge",
                {
                    ChangeJudge(rules: rules, store: store, settings: settings, queue: queue, register: register, report: report)
                        .run()
                }
            ),
            ("watch-rescan", { Rescanner(rules: rules, store: store, settings: settings, queue: queue).run() }),
            (
                "watch-read",
                {
                    var reader = EventReader(rules: rules, settings: settings, queue: queue, register: register, wake: wake)
                    reader.run(blindSince: known)
                }
            ),
        ]
        do throws(SystemError) {
            for body in bodies {
                let thread = try WorkerThread(name: body.name, body.run)
                threads.read { $0.append(thread) }
            }
        } catch {
            stop()
            throw error
        }
    }

    /// Stops all threads. What was seen but not yet reported is found again at the next start.
    package func stop() {
        queue.change { $0.isStopped = true }
        wake.wake()
        let running = threads.read { threads in
            let running = threads
            threads = []
            return running
        }
        for thread in running { thread.join() }
    }

    /// Asks for a rescan.
    ///
    /// - Parameters:
    ///   - areas: Nil: all rules.
    ///   - isFull: Every file is hashed anew.
    package func rescan(_ areas: [FilePath]? = nil, isFull: Bool) {
        queue.change { $0.add(RescanRequest(areas: areas, isFull: isFull, reasons: [.requested], closes: [])) }
    }

    /// Waits until everything that happened before the call is reported and in the observed state.
    ///
    /// - Returns: False when that took longer than `seconds`.
    package func waitUntilQuiet(seconds: Double) -> Bool {
        let wanted = queue.change { queue in
            queue.barriersWanted += 1
            return queue.barriersWanted
        }
        wake.wake()
        return queue.wait(seconds: seconds) { $0.barriersReached >= wanted && $0.isQuiet ? true : nil } ?? false
    }

    /// Which guarantee each rule has now.
    package var coverage: [RuleCoverage] { register.coverage }
}
