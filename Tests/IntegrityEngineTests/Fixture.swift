internal import Glibc
internal import IntegrityEngine
internal import Platform
internal import Synchronization
internal import TestSupport

/// Makes, changes and removes entries of a test tree; every call fails loudly.
enum Tree {
    static func makeDirectory(_ path: FilePath) throws {
        try systemCall("mkdir", path: path) { unsafe path.withCString { unsafe mkdir($0, 0o755) } }
    }

    static func write(_ path: FilePath, _ text: String) throws {
        let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try file.writeAll(Array(text.utf8), path: path)
    }

    static func link(_ path: FilePath, to target: String) throws {
        try systemCall("symlink", path: path) { unsafe path.withCString { unsafe symlink(target, $0) } }
    }

    static func pipe(_ path: FilePath) throws {
        try systemCall("mkfifo", path: path) { unsafe path.withCString { unsafe mkfifo($0, 0o644) } }
    }

    static func setMode(_ path: FilePath, _ mode: UInt32) throws {
        try systemCall("chmod", path: path) { unsafe path.withCString { unsafe chmod($0, mode) } }
    }

    static func remove(_ path: FilePath) throws {
        try systemCall("unlink", path: path) { unsafe path.withCString { unsafe unlink($0) } }
    }

    static func move(_ from: FilePath, _ to: FilePath) throws {
        try systemCall("rename", path: to) {
            unsafe from.withCString { source in unsafe to.withCString { unsafe rename(source, $0) } }
        }
    }

    /// Sets the modification time, so that only the content tells two states apart.
    static func setModified(_ path: FilePath, _ seconds: Int) throws {
        let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
        try systemCall("utimensat", path: path) {
            unsafe path.withCString { name in unsafe times.withUnsafeBufferPointer { unsafe utimensat(AT_FDCWD, name, $0.baseAddress, 0) } }
        }
    }
}

/// All records of a scan by path.
func scanned(_ rules: [WatchRule], options: Scanner.Options = .init()) throws -> (records: [FilePath: FileRecord], report: ScanReport) {
    var records: [FilePath: FileRecord] = [:]
    let report = try Scanner(options).scan(rules) { item in
        if case .record(let record) = item { records[record.path] = record }
    }
    return (records, report)
}

func record(of path: FilePath) throws -> FileRecord? {
    try scanned([try WatchRule(path: path)]).records[path]
}

/// A record that no file stands for.
func madeUpRecord(_ path: FilePath, _ random: inout SeededRandom) throws -> FileRecord {
    var record = FileRecord(path: path, status: try FileStatus.ofLink("/"))
    record.kind = [.file, .directory, .symlink, .fifo].randomElement(using: &random) ?? .file
    record.permissions = UInt16(random.number(0..<0o7777))
    record.uid = UInt32(truncatingIfNeeded: random.next())
    record.sizeBytes = random.next()
    record.modified = Timestamp(seconds: Int64(bitPattern: random.next()), nanoseconds: Int32(random.number(0..<1_000_000_000)))
    record.linkTarget = random.oneIn(2) ? random.bytes(random.number(0..<40)) : []
    record.content =
        [
            .none, .sha256(try SHA256.hash(random.bytes(8))), .notHashed(.unstable), .notHashed(.permission),
        ].randomElement(using: &random) ?? .none
    record.extendedAttributes = [.none, .sha256(try SHA256.hash(random.bytes(8))), .notRead(.other)].randomElement(using: &random) ?? .none
    return record
}

/// Keeps what a watcher reports.
final class ReportLog: Sendable {
    private let reports = Mutex<[WatcherReport]>([])

    func add(_ report: WatcherReport) { reports.withLock { $0.append(report) } }

    var all: [WatcherReport] { reports.withLock { $0 } }
    var changes: [ObservedChange] {
        all.flatMap { (report) -> [ObservedChange] in if case .changes(let changes) = report { changes } else { [] } }
    }
    var blind: [BlindInterval] {
        all.compactMap { (report) -> BlindInterval? in if case .blind(let interval) = report { interval } else { nil } }
    }
    var rescans: [RescanReport] {
        all.compactMap { (report) -> RescanReport? in if case .rescanned(let rescan) = report { rescan } else { nil } }
    }
    func kinds(of path: FilePath) -> [Change.Kind] { changes.filter { $0.change.path == path }.map(\.change.kind) }
    func clear() { reports.withLock { $0 = [] } }
}

/// What the observed table and a fresh scan say differently; empty when the watcher missed nothing.
func differences(_ store: BaselineStore, _ rules: [WatchRule]) throws -> [Change] {
    var found: [Change] = []
    _ = try store.compare(.observed, with: RuleSet(rules)) { found.append($0) }
    return found
}
