internal import Platform
internal import Synchronization

/// One entry on its way to a hashing thread.
struct WalkEntry {
    let path: FilePath
    let kind: FileStatus.Kind
    /// The directory it lies in. Let go as soon as the entry is done: descriptors are few.
    var directory: DirectoryHandle?
    /// The entry itself when it is a directory that could be opened.
    var own: DirectoryHandle?
    var prior: FileRecord?
    var listingFailure: FileRecord.NotHashedReason?
    var finding: ScanFinding?
}

/// Limits the directories that are open at one time.
final class HandleBudget: Sendable {
    private let open = Monitor(0)
    private let limit: Int
    init(limit: Int) { self.limit = limit }

    /// Waits for room, but never for what the caller itself holds.
    func acquire(held: Int, isStopped: () -> Bool) {
        open.wait { count in
            if count - held < limit || isStopped() {
                count += 1
                return ()
            }
            return nil
        }
    }
    func release() { open.change { $0 -= 1 } }
    func wakeAll() { open.change { _ in } }
}

/// Walks the trees of the rules and hands out every entry once, in tree order.
///
/// Each directory is opened in its parent without following a link, listed in one go and sorted; nothing is looked up by a long path.
struct TreeWalk {
    /// Directories deeper than this below a root are not entered: each level holds a descriptor. They are reported.
    static let maximumDepth = 256

    private struct Frame {
        let handle: DirectoryHandle
        let listing: DirectoryListing
        let rule: Int?
        let device: UInt64
        var index = 0
    }

    let rules: RuleSet
    let budget: HandleBudget
    let isStopped: () -> Bool
    /// Earlier records in tree order.
    var priors: PriorRecords?
    /// Takes an entry; the walk waits in it when the threads are behind.
    let hand: (WalkEntry) -> Void
    /// Takes what could not be looked at, in its place in the order.
    let miss: (FilePath, ScanFinding) -> Void

    /// Walks the tree of one start: a root of a rule, or something below one.
    mutating func walk(_ start: FilePath) throws {
        guard let rule = rules.rule(of: start) else { return }
        let parent: DirectoryHandle
        let status: FileStatus
        do throws(SystemError) {
            parent = try open { (onClose) throws(SystemError) in try .open(start.parent, onClose: onClose) }
            status = try parent.status(of: start)
        } catch {
            if !error.isMissing {
                miss(start, RecordReader.finding(start, error))
            } else if start == rules.rules[rule].path {
                miss(start, ScanFinding(kind: .missingRoot, path: start, message: error.message))
            }
            return
        }
        var entry = WalkEntry(path: start, kind: status.kind, directory: parent)
        entry.prior = try priors?.record(for: start)
        guard status.kind == .directory else { return hand(entry) }
        var stack: [Frame] = []
        if let frame = enter(&entry, rule: rule, parentDevice: nil, depth: 0) { stack.append(frame) }
        hand(entry)
        try drain(&stack)
    }

    private mutating func drain(_ stack: inout [Frame]) throws {
        while var frame = stack.popLast() {
            if isStopped() { return }
            if frame.index == frame.listing.count { continue }
            let name = frame.listing.name(frame.index)
            var kind = frame.listing.kind(frame.index)
            let path = FilePath(directory: frame.handle.path, entry: name)
            frame.index += 1
            let rule = rules.rule(ofEntry: path, parent: frame.rule)
            if rule == nil, !rules.hasRoot(below: path) {
                stack.append(frame)
                continue
            }
            if kind == .unknown, let status = try? frame.handle.status(of: path) { kind = status.kind }
            var entry = WalkEntry(path: path, kind: kind, directory: frame.handle)
            if rule != nil { entry.prior = try priors?.record(for: path) }
            var below: Frame?
            if kind == .directory {
                below = enter(&entry, rule: rule, parentDevice: frame.device, depth: stack.count + 1)
            }
            stack.append(frame)
            if rule != nil { hand(entry) }
            if let below { stack.append(below) }
        }
    }

    /// Opens and lists a directory, unless it is a border; notes in the entry what went wrong.
    private func enter(_ entry: inout WalkEntry, rule: Int?, parentDevice: UInt64?, depth: Int) -> Frame? {
        guard let directory = entry.directory else { return nil }
        let path = entry.path
        if depth > Self.maximumDepth {
            entry.listingFailure = .tooDeep
            entry.finding = ScanFinding(
                kind: .unreadable, path: path,
                message: Phrase(
                    vi: "thư mục lồng sâu hơn \(Self.maximumDepth) cấp, không vào",
                    en: "the directory is nested deeper than \(Self.maximumDepth) levels, not entered"))
            return nil
        }
        do throws(SystemError) {
            let handle = try open(held: depth + 1) { (onClose) throws(SystemError) in
                try directory.openDirectory(path, onClose: onClose)
            }
            entry.own = handle
            let device = try handle.status().device
            let isBorder = parentDevice.map { $0 != device } ?? true
            if isBorder {
                if handle.isPseudoFileSystem { return nil }
                if parentDevice != nil, let rule, rules.rules[rule].staysOnFileSystem, rules.rules[rule].path != path { return nil }
            }
            return Frame(handle: handle, listing: try handle.list(), rule: rule, device: device)
        } catch {
            // Gone, or replaced by something else, since it was listed: the hashing thread sees what is there now.
            if error.isMissing || error.isLink { return nil }
            entry.listingFailure = RecordReader.reason(error)
            entry.finding = RecordReader.finding(path, error)
            return nil
        }
    }

    private func open(
        held: Int = 0, _ body: (_ onClose: @escaping @Sendable () -> Void) throws(SystemError) -> DirectoryHandle
    ) throws(SystemError) -> DirectoryHandle {
        let budget = budget
        budget.acquire(held: held, isStopped: isStopped)
        do throws(SystemError) {
            return try body { budget.release() }
        } catch {
            budget.release()
            throw error
        }
    }
}

/// Earlier records beside a walk in the same order: each is compared once, none is kept.
struct PriorRecords {
    private let source: any RecordSource
    private var current: FileRecord?
    private var isStarted = false

    init(_ source: any RecordSource) { self.source = source }

    /// The record of `path`, which must not come before that of the call before.
    mutating func record(for path: FilePath) throws -> FileRecord? {
        if !isStarted {
            isStarted = true
            current = try source.next()
        }
        while let record = current {
            let order = record.path.treeOrder(path)
            if order == 0 { return record }
            if order > 0 { return nil }
            current = try source.next()
        }
        return nil
    }
}
