package import Platform
internal import Synchronization

/// Looks at every entry below the rules and makes a record of each.
///
/// One thread walks, as many as there are processors hash, the caller's thread gets the records in tree order. Memory is bounded by the
/// window between them (about 16 000 records), whatever the size of the tree.
package struct Scanner: Sendable {
    package struct Options: Sendable {
        /// Hashing threads; the number of processors (at least 2) when nil.
        package var threads: Int?
        /// Bytes read per second by all threads together; no limit when nil.
        package var maximumBytesPerSecond: UInt64?
        /// Lets other processes go first.
        package var isBackground = false
        /// Asked before each directory entry; true ends the scan early.
        package var isCancelled: @Sendable () -> Bool = { false }
        package init() {}
    }

    /// Directories open at one time beside those on the way to the current one.
    private static let openDirectories = 128
    private let options: Options

    package init(_ options: Options = Options()) { self.options = options }

    /// Scans the trees of `rules`.
    ///
    /// - Parameters:
    ///   - areas: Only these trees, which lie in those of the rules; all when nil.
    ///   - reuse: Earlier records: a metadata pass, which takes over the hash of each file that nothing has touched. Nil: a full pass.
    ///   - emit: Called on this thread, in tree order, each path once.
    /// - Throws: What `emit` and `reuse` throw, and a failure of the hash library. Files that cannot be read are findings of the report.
    package func scan(
        _ rules: RuleSet, areas: [FilePath]? = nil, reuse: (any RecordSource)? = nil, emit: (ScanItem) throws -> Void
    ) throws -> ScanReport {
        var report = ScanReport(started: .now())
        let pipeline = ScanPipeline()
        let budget = HandleBudget(limit: Self.openDirectories)
        let starts = Self.starts(rules, areas)
        let rate = options.maximumBytesPerSecond.map { RateLimit(bytesPerSecond: $0) }
        var threads: [WorkerThread] = []
        let isBackground = options.isBackground
        let isCancelled = options.isCancelled
        let wasCancelled = Shared(false)
        do {
            threads.append(
                try WorkerThread(name: "scan-walk") {
                    if isBackground { Self.lowerPriority() }
                    Self.walk(starts, rules, reuse, pipeline, budget, isCancelled: isCancelled, wasCancelled)
                })
            for _ in 0..<(options.threads ?? max(2, ThreadPriority.processorCount)) {
                threads.append(
                    try WorkerThread(name: "scan-hash") {
                        if isBackground { Self.lowerPriority() }
                        do throws(CryptoError) {
                            var reader = try RecordReader(rate: rate)
                            pipeline.work(&reader)
                        } catch {
                            pipeline.stop(error)
                        }
                        budget.wakeAll()
                    })
            }
            while let chunk = try pipeline.next() {
                for index in 0..<chunk.count { try Self.emit(chunk.result(index), &report, emit) }
            }
        } catch {
            pipeline.stop(error)
            budget.wakeAll()
            for thread in threads { thread.join() }
            throw error
        }
        pipeline.stop()
        budget.wakeAll()
        for thread in threads { thread.join() }
        report.isComplete = !wasCancelled.value
        report.finished = .now()
        return report
    }

    /// Scans rules given one by one; see ``scan(_:areas:reuse:emit:)``.
    package func scan(
        _ rules: [WatchRule], reuse: (any RecordSource)? = nil, emit: (ScanItem) throws -> Void
    ) throws -> ScanReport {
        try scan(RuleSet(rules), reuse: reuse, emit: emit)
    }

    /// A lower priority is a courtesy; the scan is right without it.
    private static func lowerPriority() { _ = try? ThreadPriority.lower() }

    private static func emit(_ result: ScanResult, _ report: inout ScanReport, _ emit: (ScanItem) throws -> Void) throws {
        switch result {
        case .pending: return
        case .missed(let path, let finding):
            report.add(finding)
            if finding.kind != .missingRoot { try emit(.unexamined(path)) }
        case .done(let outcome, let walkFinding):
            switch outcome {
            case .missing: return
            case .unexamined(let finding):
                report.add(finding)
                try emit(.unexamined(finding.path))
            case .record(let record, let isReused, let finding):
                if let walkFinding { report.add(walkFinding) }
                if let finding { report.add(finding) }
                report.count(record, isReused: isReused)
                try emit(.record(record))
            }
        }
    }

    /// The topmost starts in tree order: a root or area below another is reached through it.
    static func starts(_ rules: RuleSet, _ areas: [FilePath]?) -> [FilePath] {
        let wanted: [FilePath]
        if let areas {
            // An area above a root stands for that root.
            wanted = areas.flatMap { area in
                (rules.rule(of: area) != nil ? [area] : []) + rules.rules.map(\.path).filter { $0.isInTree(of: area) }
            }
        } else {
            wanted = rules.rules.map(\.path)
        }
        var result: [FilePath] = []
        for path in wanted.sorted(by: { $0.precedesInTree($1) }) {
            if let last = result.last, path.isInTree(of: last) { continue }
            result.append(path)
        }
        return result
    }

    private static func walk(
        _ starts: [FilePath], _ rules: RuleSet, _ reuse: (any RecordSource)?, _ pipeline: ScanPipeline,
        _ budget: HandleBudget, isCancelled: @escaping @Sendable () -> Bool, _ wasCancelled: Shared<Bool>
    ) {
        let items = ChunkBuilder(pipeline)
        var walk = TreeWalk(
            rules: rules, budget: budget,
            isStopped: {
                if isCancelled() { wasCancelled.value = true }
                return wasCancelled.value || pipeline.isStopped
            },
            priors: reuse.map { PriorRecords($0) }, hand: { items.add(.entry($0)) },
            miss: { items.add(.missed($0, $1)) })
        do {
            for start in starts where !pipeline.isStopped { try walk.walk(start) }
            items.flush()
            pipeline.endWalk()
        } catch {
            pipeline.stop(error)
        }
    }
}

/// A value that threads share.
final class Shared<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>
    init(_ value: Value) { storage = Mutex(value) }
    var value: Value {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}

/// Collects entries into chunks; used by the walking thread alone.
private final class ChunkBuilder {
    private let pipeline: ScanPipeline
    private var items: [ScanChunkItem] = []

    init(_ pipeline: ScanPipeline) { self.pipeline = pipeline }

    func add(_ item: ScanChunkItem) {
        items.append(item)
        if items.count == ScanChunk.capacity { flush() }
    }

    func flush() {
        if items.isEmpty { return }
        pipeline.push(ScanChunk(items))
        items.removeAll(keepingCapacity: true)
    }
}
