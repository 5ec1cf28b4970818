internal import Platform

/// A directory with a watch.
final class WatchedDirectory {
    let path: FilePath
    let watch: Int32
    /// Nil: it is watched only for the root that lies in it.
    let rule: Int?
    fileprivate weak var parent: WatchedDirectory?
    fileprivate var children: [ArraySlice<UInt8>: WatchedDirectory] = [:]

    init(path: FilePath, watch: Int32, rule: Int?, parent: WatchedDirectory?) {
        self.path = path
        self.watch = watch
        self.rule = rule
        self.parent = parent
    }

    func child(_ name: ArraySlice<UInt8>) -> WatchedDirectory? { children[name] }
}

/// Which directory each watch stands for. Used by the reading thread alone.
struct WatchTable {
    private var byWatch: [Int32: WatchedDirectory] = [:]
    private(set) var countByRule: [Int: Int] = [:]

    subscript(watch: Int32) -> WatchedDirectory? { byWatch[watch] }

    var count: Int { byWatch.count }

    /// Looks through all of them: for rare questions.
    func directory(at path: FilePath) -> WatchedDirectory? { byWatch.values.first { $0.path == path } }

    mutating func insert(_ directory: WatchedDirectory) {
        byWatch[directory.watch] = directory
        if let parent = directory.parent { parent.children[Self.key(directory.path)] = directory }
        if let rule = directory.rule { countByRule[rule, default: 0] += 1 }
    }

    /// Forgets a directory and everything below it.
    ///
    /// - Returns: The watches that were forgotten; the kernel still has those of directories that moved away.
    mutating func remove(_ directory: WatchedDirectory) -> [Int32] {
        if let parent = directory.parent, parent.children[Self.key(directory.path)] === directory {
            parent.children[Self.key(directory.path)] = nil
        }
        var removed: [Int32] = []
        var rest = [directory]
        while let next = rest.popLast() {
            // The number may stand for the same directory under its new path by now.
            if byWatch[next.watch] === next {
                byWatch[next.watch] = nil
                removed.append(next.watch)
                if let rule = next.rule { countByRule[rule, default: 0] -= 1 }
            }
            rest.append(contentsOf: next.children.values)
            next.children = [:]
        }
        return removed
    }

    private static func key(_ path: FilePath) -> ArraySlice<UInt8> { path.lastComponent }
}
