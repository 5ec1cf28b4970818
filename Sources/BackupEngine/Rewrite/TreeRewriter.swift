internal import Platform

/// What becomes of a node when a tree is rewritten.
enum NodeDecision {
    case keep
    case drop
    /// For files.
    case replace(content: [Digest], size: UInt64)
}

/// Rewrites the trees of snapshots from the leaves up. Trees in which nothing changes keep their ID, nodes their bytes.
struct TreeRewriter {
    /// What a rewritten tree holds, the sums over everything below it.
    struct Result: Sendable {
        /// nil when the tree is to be left out.
        var tree: Digest?
        var files: UInt64 = 0
        var bytes: UInt64 = 0
    }

    private struct Place: Hashable {
        let tree: Digest
        /// Empty when the decisions do not depend on it.
        let path: [[UInt8]]
    }

    fileprivate struct Frame {
        let tree: RawTree
        let id: Digest
        var next = 0
        var nodes: [[UInt8]] = []
        var isChanged = false
        var sums = Result()
    }

    private let repository: Repository
    /// False when nothing may be stored.
    private let isStoring: Bool
    /// True when the decision on a node depends on its path.
    private let dependsOnPath: Bool
    private let cancellation: CancellationFlag
    private var done: [Place: Result] = [:]
    private var path: [[UInt8]] = []

    /// Directories remembered, so that the second of many similar snapshots costs little.
    private static let rememberedLimit = 500_000

    init(_ repository: Repository, isStoring: Bool, dependsOnPath: Bool, cancellation: CancellationFlag) {
        self.repository = repository
        self.isStoring = isStoring
        self.dependsOnPath = dependsOnPath
        self.cancellation = cancellation
    }

    /// Rewrites a snapshot's tree.
    ///
    /// - Parameters:
    ///   - decide: Called for each node with the components of its path.
    ///   - failed: Called for a tree that cannot be read: a replacement, nil to leave it out; or throws.
    mutating func rewrite(
        _ root: Digest, decide: (RawTree.Entry, [[UInt8]]) -> NodeDecision,
        failed: (RepositoryError, [[UInt8]]) throws(RepositoryError) -> [UInt8]?
    ) throws(RepositoryError) -> Result {
        path = []
        var frames: [Frame] = []
        var finished = try enter(root, &frames, failed)
        // By index: a copy of the top frame would make every change to it copy the whole directory.
        while !frames.isEmpty {
            let top = frames.count - 1
            if let result = finished {
                finished = nil
                frames[top].receive(result)
                path.removeLast()
                continue
            }
            guard frames[top].next < frames[top].tree.entries.count else {
                let result = try store(frames.removeLast())
                if frames.isEmpty { return result }
                finished = result
                continue
            }
            let entry = frames[top].tree.entries[frames[top].next]
            path.append(entry.name)
            switch decide(entry, path) {
            case .drop: frames[top].skip()
            case .replace(let content, let size): frames[top].take(entry, content: content, size: size)
            case .keep:
                if entry.isDirectory {
                    if frames.count >= TreeTraversal.depthLimit {
                        throw .corrupt(Phrase(vi: "thư mục lồng quá sâu", en: "directories are nested too deeply"))
                    }
                    // The node is finished when its tree is.
                    finished = try enter(entry.subtree, &frames, failed)
                    continue
                }
                frames[top].take(entry)
            }
            path.removeLast()
        }
        return finished ?? Result()
    }

    private func place(_ tree: Digest) -> Place { Place(tree: tree, path: dependsOnPath ? path : []) }

    /// - Returns: The result, when the tree is known or cannot be read; nil when a frame was put on the stack.
    private mutating func enter(
        _ tree: Digest?, _ frames: inout [Frame], _ failed: (RepositoryError, [[UInt8]]) throws(RepositoryError) -> [UInt8]?
    ) throws(RepositoryError) -> Result? {
        try cancellation.check()
        if let tree, let known = done[place(tree)] { return known }
        do throws(RepositoryError) {
            guard let tree else { throw .corrupt(Phrase(vi: "thư mục không có cây", en: "directory without a tree")) }
            let bytes = try repository.loadBlob(.tree, tree)
            do throws(TreeFormatError) {
                frames.append(Frame(tree: try RawTree(decoding: bytes), id: tree))
                return nil
            } catch {
                throw .corrupt(
                    Phrase(vi: "cây \(tree.short): \(error.message.vi)", en: "tree \(tree.short): \(error.message.en)"), cause: error)
            }
        } catch {
            guard error.code == .corrupt || error.code == .missing else { throw error }
            guard let replacement = try failed(error, path) else { return Result(tree: nil) }
            return Result(tree: try save(replacement))
        }
    }

    private mutating func store(_ frame: Frame) throws(RepositoryError) -> Result {
        var result = frame.sums
        result.tree = frame.isChanged ? try save(frame.tree.rebuilt(frame.nodes)) : frame.id
        if done.count >= Self.rememberedLimit { done.removeAll() }
        done[place(frame.id)] = result
        return result
    }

    private func save(_ bytes: [UInt8]) throws(RepositoryError) -> Digest {
        let id: Digest
        do throws(CryptoError) {
            id = try SHA256.hash(bytes)
        } catch {
            throw .crypto(error)
        }
        if isStoring { _ = try repository.storeBlob(.tree, id, bytes) }
        return id
    }
}

extension TreeRewriter.Frame {
    fileprivate mutating func skip() {
        next += 1
        isChanged = true
    }

    fileprivate mutating func take(_ entry: RawTree.Entry) {
        next += 1
        nodes.append(tree.bytes(of: entry))
        if entry.isFile {
            sums.files += 1
            sums.bytes &+= entry.size
        }
    }

    fileprivate mutating func take(_ entry: RawTree.Entry, content: [Digest], size: UInt64) {
        next += 1
        isChanged = true
        nodes.append(tree.bytes(of: entry, content: content, size: size))
        sums.files += 1
        sums.bytes &+= size
    }

    /// The tree of the directory at ``next`` is done.
    fileprivate mutating func receive(_ result: TreeRewriter.Result) {
        let entry = tree.entries[next]
        next += 1
        guard let subtree = result.tree else {
            isChanged = true
            return
        }
        if subtree == entry.subtree {
            nodes.append(tree.bytes(of: entry))
        } else {
            nodes.append(tree.bytes(of: entry, subtree: subtree))
            isChanged = true
        }
        sums.files += result.files
        sums.bytes &+= result.bytes
    }
}
