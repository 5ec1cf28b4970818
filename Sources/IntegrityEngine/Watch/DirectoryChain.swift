internal import Platform

/// Opens the directories of paths in tree order, keeping those on the way to the last one; no link is followed below the root of a rule.
struct DirectoryChain {
    private var open: [DirectoryHandle] = []
    private let rules: RuleSet

    init(_ rules: RuleSet) { self.rules = rules }

    /// The directory that `path` lies in.
    ///
    /// - Throws: ENOENT, ENOTDIR or ELOOP when there is no way to it that a scan would take.
    mutating func directory(of path: FilePath, rule: Int) throws(SystemError) -> DirectoryHandle {
        let root = rules.rules[rule].path
        if path == root { return try .open(path.parent) }
        let wanted = FilePath(parentOf: path)
        while let last = open.last, !(wanted.isInTree(of: last.path) && last.path.isInTree(of: root)) { open.removeLast() }
        if open.isEmpty { open.append(try DirectoryHandle.open(root.parent).openDirectory(root)) }
        while let last = open.last {
            if last.path == wanted { return last }
            // The next component after the last open directory.
            var end = last.path.bytes.count + (last.path.bytes.last == FilePath.slash ? 0 : 1)
            while end < wanted.bytes.count, wanted.bytes[end] != FilePath.slash { end += 1 }
            open.append(try last.openDirectory(FilePath(bytes: wanted.bytes[..<end])))
        }
        throw SystemError("open", 2 /* ENOENT */, path: path)
    }

    /// Closes everything: what was open may have moved.
    mutating func close() { open.removeAll(keepingCapacity: true) }
}

extension FilePath {
    /// The directory of a normalised absolute path, by its bytes.
    init(parentOf path: FilePath) {
        let end = path.bytes.lastIndex(of: FilePath.slash) ?? 0
        self.init(bytes: end == 0 ? path.bytes[..<1] : path.bytes[..<end])
    }
}
