internal import Platform

/// Which blobs of an index snapshots refer to: a byte per record, at the number of the first record of each blob.
struct UsedBlobs: Sendable {
    /// 0: not used. The meaning of other values is the caller's; ``find(in:of:cancellation:progress:)`` sets 1.
    var data: [UInt8]
    var trees: [UInt8]

    init(_ index: BlobIndex) {
        data = [UInt8](repeating: 0, count: index.table(.data).records.count)
        trees = [UInt8](repeating: 0, count: index.table(.tree).records.count)
    }

    subscript(_ type: BlobType, _ number: Int) -> UInt8 {
        get { type == .data ? data[number] : trees[number] }
        set {
            if type == .data { data[number] = newValue } else { trees[number] = newValue }
        }
    }
}

/// Walks the trees of snapshots on several threads, each tree once.
struct UsedBlobSearch {
    private let repository: Repository
    private let index: BlobIndex
    private let cancellation: CancellationFlag

    /// More readers than processors: on a distant backend each waits for its answer.
    private static let threadCount = 4
    /// Missing blobs that are named; a repository that lost its packs misses all of them.
    private static let namedMissing = 5

    private struct Search: Sendable {
        var used: UsedBlobs
        var waiting: [Digest]
        /// Trees in the hands of threads.
        var busy = 0
        var running = 0
        var done = 0
        var missing: [BlobHandle] = []
        var missingCount = 0
        var failure: RepositoryError?

        var isOver: Bool { failure != nil || waiting.isEmpty && busy == 0 }

        mutating func miss(_ handle: BlobHandle) {
            missingCount += 1
            if missing.count < namedMissing { missing.append(handle) }
        }

        mutating func visit(_ handle: BlobHandle, _ number: Int?) {
            guard let number else { return miss(handle) }
            if used[handle.type, number] != 0 { return }
            used[handle.type, number] = 1
            if handle.type == .tree { waiting.append(handle.id) }
        }
    }

    init(_ repository: Repository, _ index: BlobIndex, _ cancellation: CancellationFlag) {
        self.repository = repository
        self.index = index
        self.cancellation = cancellation
    }

    /// Marks everything that is reachable from `roots`.
    ///
    /// - Throws: `.corrupt` when a tree cannot be read, or a blob is in no index: nothing may be removed then.
    func find(from roots: [Digest], progress: (_ trees: Int) -> Void) throws(RepositoryError) -> UsedBlobs {
        let search = Monitor(Search(used: UsedBlobs(index), waiting: []))
        for root in roots {
            let number = index.table(.tree).firstNumber(root)
            search.change { $0.visit(BlobHandle(.tree, root), number) }
        }
        var threads: [WorkerThread] = []
        do throws(SystemError) {
            for _ in 0..<Self.threadCount {
                search.change { $0.running += 1 }
                threads.append(
                    try WorkerThread(name: "prune-trees") { [self] in
                        work(search)
                        search.change { $0.running -= 1 }
                    })
            }
        } catch {
            search.change { state in
                state.running -= 1
                state.failure = .storage(error)
            }
        }
        while search.wait(seconds: 0.25, { $0.running == 0 ? true : nil }) == nil { progress(search.read { $0.done }) }
        for thread in threads { thread.join() }
        let result = search.read { $0 }
        if let failure = result.failure { throw failure }
        if result.missingCount > 0 { throw Self.missing(result.missing, count: result.missingCount) }
        progress(result.done)
        return result.used
    }

    private static func missing(_ handles: [BlobHandle], count: Int) -> RepositoryError {
        let names = handles.map { "\($0.type.name) \($0.id.short)" }.joined(separator: ", ")
        let rest = count > handles.count ? ", …" : ""
        return RepositoryError(
            .corrupt,
            Phrase(
                vi: "\(count) blob đang được dùng không có trong chỉ mục: \(names)\(rest); không dọn để không mất thêm dữ liệu",
                en: "\(count) blobs in use are in no index: \(names)\(rest); nothing is pruned, to lose no more data"),
            hint: Phrase(
                vi: "chạy 'sentinelctl repo check', rồi 'repo repair index' và 'repo repair snapshots'",
                en: "run 'sentinelctl repo check', then 'repo repair index' and 'repo repair snapshots'"))
    }

    private func work(_ search: Monitor<Search>) {
        while true {
            let tree: Digest?? = search.wait { (state) -> Digest?? in
                if state.isOver { return .some(nil) }
                guard let tree = state.waiting.popLast() else { return nil }
                state.busy += 1
                return .some(tree)
            }
            guard let tree = tree ?? nil else { return }
            do throws(RepositoryError) {
                try cancellation.check()
                let references = try references(of: tree)
                // Hashing happens here, outside the lock.
                let data = references.data.map { ($0, index.table(.data).firstNumber($0)) }
                let subtrees = references.subtrees.map { ($0, index.table(.tree).firstNumber($0)) }
                search.change { state in
                    for (id, number) in data { state.visit(BlobHandle(.data, id), number) }
                    for (id, number) in subtrees { state.visit(BlobHandle(.tree, id), number) }
                    state.busy -= 1
                    state.done += 1
                }
            } catch {
                search.change { state in
                    if state.failure == nil { state.failure = error }
                    state.busy -= 1
                }
            }
        }
    }

    private func references(of tree: Digest) throws(RepositoryError) -> TreeReferences {
        let bytes: [UInt8]
        do throws(RepositoryError) {
            bytes = try repository.loadBlob(.tree, tree)
        } catch {
            // A pack that is not there is damage of the repository, not a wrong name.
            throw error.code == .missing ? .corrupt(error.message, cause: error) : error
        }
        do throws(TreeFormatError) {
            return try TreeReferences(decoding: bytes)
        } catch {
            throw .corrupt(
                Phrase(vi: "cây \(tree.short): \(error.message.vi)", en: "tree \(tree.short): \(error.message.en)"), cause: error)
        }
    }
}
