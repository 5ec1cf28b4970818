internal import Platform

/// Walks all trees of the snapshots, each once, on several threads: they wait for the storage, or for the processor, not for each other.
final class TreeCheck: Sendable {
    private struct State {
        var waiting: [Digest] = []
        var seen: Set<Digest> = []
        /// Trees in the hands of a thread.
        var busy = 0
        var done = 0
        var running = 0
        var findings: [CheckReport.Finding] = []
        var omitted = 0
        /// Numbers of packs that hold what the snapshots need; only filled when somebody asks.
        var usedPacks: Set<UInt32> = []
        var failure: RepositoryError?
    }
    private static let findingLimit = 1000

    private let store: ObjectStore
    private let index: BlobIndex
    private let recordsPacks: Bool
    private let cancellation: CancellationFlag
    private let state: Monitor<State>

    init(_ store: ObjectStore, _ index: BlobIndex, roots: [Digest], recordsPacks: Bool, cancellation: CancellationFlag) {
        self.store = store
        self.index = index
        self.recordsPacks = recordsPacks
        self.cancellation = cancellation
        var initial = State()
        for root in roots where initial.seen.insert(root).inserted { initial.waiting.append(root) }
        state = Monitor(initial)
    }

    struct Result {
        let trees: Int
        let findings: [CheckReport.Finding]
        let usedPacks: Set<UInt32>
    }

    func run(threads count: Int, _ progress: (CheckProgress) -> Void) throws(RepositoryError) -> Result {
        var threads: [WorkerThread] = []
        do throws(SystemError) {
            for _ in 0..<count {
                state.change { $0.running += 1 }
                threads.append(
                    try WorkerThread(name: "check-tree") {
                        self.work()
                        self.state.change { $0.running -= 1 }
                    })
            }
        } catch {
            state.change { state in
                state.failure = .storage(error)
                state.running -= 1
            }
        }
        while state.wait(seconds: 0.25, { $0.running == 0 ? true : nil }) == nil {
            progress(CheckProgress(stage: .trees, done: state.read { $0.done }, total: 0))
        }
        for thread in threads { thread.join() }
        let result = state.read { $0 }
        if let failure = result.failure { throw failure }
        try cancellation.check()
        progress(CheckProgress(stage: .trees, done: result.done, total: result.done))
        return Result(trees: result.done, findings: result.findings, usedPacks: result.usedPacks)
    }

    private func work() {
        while true {
            let next: Digest?? = state.wait { state -> Digest?? in
                if state.failure != nil || cancellation.isCancelled { return .some(.none) }
                if let tree = state.waiting.popLast() {
                    state.busy += 1
                    return .some(.some(tree))
                }
                return state.busy == 0 ? .some(.none) : .none
            }
            guard let found = next, let tree = found else { return }
            var examination = Examination()
            do {
                try examine(tree, &examination)
            } catch {
                let reason = (error as? any ExplainedError)?.message ?? Phrase(verbatim: "\(error)")
                examination.add(.damagedTree, "cây \(tree.hex): \(reason.vi)", "tree \(tree.hex): \(reason.en)")
            }
            state.change { state in
                state.busy -= 1
                state.done += 1
                for subtree in examination.subtrees where state.seen.insert(subtree).inserted { state.waiting.append(subtree) }
                state.findings += examination.findings.prefix(max(0, Self.findingLimit - state.findings.count))
                state.usedPacks.formUnion(examination.packs)
            }
        }
    }

    /// What one tree gave.
    private struct Examination {
        var subtrees: [Digest] = []
        var findings: [CheckReport.Finding] = []
        var packs: Set<UInt32> = []

        mutating func add(_ kind: CheckReport.Finding.Kind, _ vi: String, _ en: String) {
            if findings.count < TreeCheck.findingLimit {
                findings.append(CheckReport.Finding(kind: kind, message: Phrase(vi: vi, en: en)))
            }
        }
    }

    private func examine(_ tree: Digest, _ result: inout Examination) throws {
        var decoder = try TreeDecoder(try loadTree(tree))
        if recordsPacks { for record in index.all(BlobHandle(.tree, tree)) { result.packs.insert(record.pack) } }
        while let node = try decoder.next() {
            func place() -> String { "\(tree.short)/\(escapedForDisplay(node.name))" }
            switch node.kind {
            case .dir:
                guard let subtree = node.subtree else {
                    result.add(.damagedTree, "\(place()): thư mục không có cây", "\(place()): directory without a tree")
                    continue
                }
                if index.first(BlobHandle(.tree, subtree)) == nil {
                    result.add(.missingBlob, "\(place()): thiếu cây \(subtree.hex)", "\(place()): tree \(subtree.hex) is missing")
                } else {
                    result.subtrees.append(subtree)
                }
            case .file:
                guard let content = node.content else {
                    result.add(.damagedTree, "\(place()): tệp không có nội dung", "\(place()): file without content")
                    continue
                }
                for blob in content {
                    let handle = BlobHandle(.data, blob)
                    if index.first(handle) == nil {
                        result.add(.missingBlob, "\(place()): thiếu blob \(blob.hex)", "\(place()): blob \(blob.hex) is missing")
                    } else if recordsPacks {
                        for record in index.all(handle) { result.packs.insert(record.pack) }
                    }
                }
            case .irregular, .unknown:
                result.add(.damagedTree, "\(place()): loại không hợp lệ", "\(place()): invalid type")
            default: break
            }
            if node.name.isEmpty { result.add(.damagedTree, "\(place()): tên rỗng", "\(place()): empty name") }
        }
    }

    /// A tree from the first copy that is whole; a damaged copy beside a good one is found by reading the data.
    private func loadTree(_ id: Digest) throws(RepositoryError) -> [UInt8] {
        let handle = BlobHandle(.tree, id)
        var failure: RepositoryError?
        for record in index.all(handle) {
            do throws(RepositoryError) {
                return try store.loadBlob(handle, pack: index.packID(record), record)
            } catch {
                failure = error
            }
        }
        throw failure ?? RepositoryError(.missing, Phrase(vi: "không có trong chỉ mục", en: "in no index"))
    }
}
