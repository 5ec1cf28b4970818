package import Platform

/// Compares a known state with a scan, record by record, both in tree order; nothing is kept in memory.
package struct Comparison: ~Copyable {
    /// What the comparison saw.
    package struct Counts: Sendable, Equatable {
        package var added = 0
        package var removed = 0
        package var changed = 0
        package var same = 0
        /// Known paths about which the scan could say nothing.
        package var unexamined = 0
        /// Known paths that no rule covers any more.
        package var uncovered = 0
        package var isClean: Bool { added == 0 && removed == 0 && changed == 0 }
    }

    private let before: any RecordSource
    private let rules: RuleSet
    private let significance: Significance
    private var current: FileRecord?
    private var isStarted = false
    private var unexamined: FilePath?
    package private(set) var counts = Counts()

    /// - Parameters:
    ///   - before: The known state, limited to what the scan covers.
    ///   - rules: Known paths outside of them are not reported as removed.
    package init(before: any RecordSource, rules: RuleSet, significance: Significance) {
        self.before = before
        self.rules = rules
        self.significance = significance
    }

    /// Takes the next item of the scan.
    package mutating func take(_ item: ScanItem, _ report: (Change) throws -> Void) throws {
        switch item {
        case .unexamined(let path):
            try advance(to: path, report)
            unexamined = path
            try skipUnexamined()
        case .record(let record):
            try advance(to: record.path, report)
            var known: FileRecord?
            if let current, current.path == record.path {
                known = current
                self.current = try before.next()
            }
            if let change = Change(path: record.path, before: known, after: record, significance: significance) {
                if change.kind == .added { counts.added += 1 } else { counts.changed += 1 }
                try report(change)
            } else {
                counts.same += 1
            }
            if record.kind == .directory, case .notHashed = record.content {
                unexamined = record.path
                try skipUnexamined()
            }
        }
    }

    /// Call after the last item of a complete scan: what is left of the known state is gone.
    package mutating func finish(_ report: (Change) throws -> Void) throws {
        try advance(to: nil, report)
    }

    private mutating func advance(to path: FilePath?, _ report: (Change) throws -> Void) throws {
        if !isStarted {
            isStarted = true
            current = try before.next()
        }
        while let known = current {
            if let path, !known.path.precedesInTree(path) { return }
            current = try before.next()
            if let unexamined, known.path.isInTree(of: unexamined) {
                counts.unexamined += 1
            } else if rules.rule(of: known.path) == nil {
                counts.uncovered += 1
            } else if let change = Change(path: known.path, before: known, after: nil, significance: significance) {
                counts.removed += 1
                try report(change)
            }
        }
    }

    private mutating func skipUnexamined() throws {
        guard let area = unexamined else { return }
        while let known = current, known.path.isInTree(of: area) {
            counts.unexamined += 1
            current = try before.next()
        }
    }
}

/// What a comparison found, with the scan behind it.
package struct ComparisonReport: Sendable {
    package let counts: Comparison.Counts
    package let scan: ScanReport
}

/// Comparisons of the kept states with what is there.
extension BaselineStore {
    /// Scans and compares with a kept state.
    ///
    /// - Parameters:
    ///   - table: The approved state ("is it right?") or the observed one ("what changed while nobody looked?").
    ///   - areas: Only these trees; all when nil.
    ///   - isFull: Every file is hashed anew; else the hash of each file that nothing has touched is taken from the observed state.
    ///   - report: Called for each change in tree order.
    /// - Throws: What the store and `report` throw.
    package func compare(
        _ table: BaselineTable, with rules: RuleSet, areas: [FilePath]? = nil, isFull: Bool = true,
        scanner: Scanner = Scanner(), report: (Change) throws -> Void
    ) throws -> ComparisonReport {
        let before = try source(table, areas)
        var comparison = Comparison(
            before: before, rules: rules, significance: table == .approved ? .approved : .observed)
        let scan = try scanner.scan(rules, areas: areas, reuse: isFull ? nil : try source(.observed, areas)) { item in
            try comparison.take(item, report)
        }
        // An unfinished scan proves no removal.
        if scan.isComplete { try comparison.finish(report) }
        return ComparisonReport(counts: comparison.counts, scan: scan)
    }

    /// The records of several trees, one tree after the other in tree order.
    func source(_ table: BaselineTable, _ areas: [FilePath]?, isSnapshot: Bool = true) throws -> any RecordSource {
        guard let areas else { return try records(table, isSnapshot: isSnapshot) }
        var tops: [FilePath] = []
        for area in areas.sorted(by: { $0.precedesInTree($1) }) where !(tops.last.map { area.isInTree(of: $0) } ?? false) {
            tops.append(area)
        }
        return ConcatenatedRecords(try tops.map { try records(table, below: $0, isSnapshot: isSnapshot) })
    }

    /// The rows that would make the approved state equal to what is there now.
    ///
    /// - Parameter areas: Only these paths and what lies below them; everything when nil.
    /// - Returns: The rows (see ``AcceptBatch``), the root the approved state has with them, and the changes they stand for.
    package func acceptCandidates(
        _ rules: RuleSet, areas: [FilePath]? = nil, scanner: Scanner = Scanner()
    ) throws -> (rows: [AcceptedRow], root: Digest, changes: [Change], scan: ScanReport) {
        var rows: [AcceptedRow] = []
        var changes: [Change] = []
        let result = try compare(.approved, with: rules, areas: areas, scanner: scanner) { change in
            rows.append(change.after.map { AcceptedRow($0) } ?? AcceptedRow(removing: change.path))
            changes.append(change)
        }
        return (rows, try approvedRoot(applying: rows), changes, result.scan)
    }
}

/// Sources one after the other.
private final class ConcatenatedRecords: RecordSource {
    private let sources: Monitor<ArraySlice<any RecordSource>>
    init(_ sources: [any RecordSource]) { self.sources = Monitor(sources[...]) }

    func next() throws -> FileRecord? {
        try sources.read { sources in
            while let first = sources.first {
                if let record = try first.next() { return record }
                sources.removeFirst()
            }
            return nil
        }
    }
}
