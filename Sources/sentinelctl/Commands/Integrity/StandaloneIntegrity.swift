internal import ControlAPI
internal import IncidentCore
internal import IntegrityEngine
internal import Platform

/// Baseline and comparison on a database file of one's own, without daemon and ledger: for rescue disks and measurements.
struct StandaloneIntegrity {
    struct Written: Encodable {
        let files: Int
        let unreadable: Int
        let root: String
    }

    let database: FilePath
    let paths: [FilePath]

    private var rules: RuleSet {
        get throws { RuleSet(try paths.map { try WatchRule(path: absolutePath($0)) }) }
    }

    /// Approves what is there now.
    func writeBaseline() throws -> Written {
        let store = try BaselineStore(database)
        let candidates = try store.acceptCandidates(try rules)
        let sequence = (try store.appliedSequence() ?? -1) + 1
        _ = try store.apply(candidates.rows, sequence: sequence, expectedRoot: candidates.root)
        return Written(files: try store.count(.approved), unreadable: candidates.scan.findingCount, root: candidates.root.hex)
    }

    /// Compares what is there with what was approved; every file is hashed.
    ///
    /// - Throws: ``CommandFailure`` when there is no such baseline.
    func check() throws -> ChangesAnswer {
        guard try FileStatus.exists(database) else {
            throw CommandFailure(
                vi: "không có mốc chuẩn '\(database)'", en: "there is no baseline '\(database)'",
                hint: Phrase(
                    vi: "tạo bằng 'sentinelctl integrity baseline --database \(database) …'",
                    en: "make one with 'sentinelctl integrity baseline --database \(database) …'"), .notFound)
        }
        let store = try BaselineStore(readOnly: database)
        return try ChangesAnswer(store: store, rules: try rules, isFull: true, hasBaseline: try store.appliedSequence() != nil)
    }
}
