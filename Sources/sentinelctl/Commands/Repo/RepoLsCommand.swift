internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoLsCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: help("Liệt kê tệp trong một bản sao lưu.", "List the files of a snapshot."),
        discussion: help(
            "Với thư mục được nêu: chỉ các mục ngay trong đó, hoặc tất cả bên dưới với --recursive.",
            "With directories: only what lies directly in them, or everything below with --recursive."))

    enum Sort: String, ExpressibleByArgument, CaseIterable { case name, size, time, mtime, atime, ctime, `extension` }

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SnapshotOptions
    @Flag(name: [.customShort("l"), .long], help: ArgumentHelp(help("Kèm quyền, chủ, kích thước, thời gian.", "With mode, owner, size and time."))) var long =
        false
    @Flag(help: ArgumentHelp(help("Cả các thư mục con của thư mục được nêu.", "Subdirectories of the named directories, too."))) var recursive = false
    @Flag(help: ArgumentHelp(help("Kích thước dễ đọc.", "Sizes for people."))) var humanReadable = false
    @Option(
        name: [.customShort("s"), .long],
        help: ArgumentHelp(help("Xếp theo name, size, time, mtime, atime, ctime, extension.", "Sort by name, size, time, mtime, atime, ctime, extension.")))
    var sort: Sort = .name
    @Flag(help: ArgumentHelp(help("Xếp ngược lại.", "Reverse the order."))) var reverse = false
    @Argument(help: ArgumentHelp(help("Thư mục trong bản sao lưu, bắt đầu bằng '/'.", "Directories in the snapshot, beginning with '/'."))) var directories:
        [String] = []

    func execute(_ interface: Interface) async throws -> Int32 {
        for directory in directories where !directory.hasPrefix("/") {
            throw CommandFailure(
                vi: "đường dẫn lọc phải bắt đầu bằng '/': '\(escapedForDisplay(directory))'",
                en: "path filters must begin with '/': '\(escapedForDisplay(directory))'")
        }
        let opened = try await repository.open()
        return try repository.withReadLock(opened) {
            var (snapshot, tree) = try selection.open(in: opened)
            snapshot.tree = tree
            if interface.isJSON {
                interface.line(NodeText.snapshot(snapshot))
            } else {
                interface.line(
                    interface(
                        "Bản sao lưu \(snapshot.id.short) lúc \(CivilTime(local: snapshot.time).display):",
                        "Snapshot \(snapshot.id.short) of \(CivilTime(local: snapshot.time).display):"))
            }
            try list(opened, tree, interface)
            return .success
        }
    }

    private func list(_ repository: Repository, _ tree: Digest, _ interface: Interface) throws {
        let wanted = directories.map { FilePath($0).normalised.components }
        var entries: [(path: FilePath, node: Node)] = []
        let isSorted = sort != .name || reverse
        try SnapshotWalk(repository: repository).run(tree) { (entry) throws(RepositoryError) in
            let components = entry.path.components
            let isWithin = wanted.isEmpty || wanted.contains { components.starts(with: $0) }
            if isWithin {
                if isSorted {
                    entries.append((entry.path, entry.node))
                } else {
                    show(entry.path, entry.node, interface)
                }
                if recursive || wanted.isEmpty { return .enter }
            }
            return wanted.contains { $0.starts(with: components) } ? .enter : .pass
        }
        for entry in sorted(entries) { show(entry.path, entry.node, interface) }
    }

    private func sorted(_ entries: [(path: FilePath, node: Node)]) -> [(path: FilePath, node: Node)] {
        var entries = entries
        func order<Key: Comparable>(_ key: (FilePath, Node) -> Key) {
            let keyed = entries.map { (key: key($0.path, $0.node), entry: $0) }
            entries = keyed.sorted { ($0.key, $0.entry.path) < ($1.key, $1.entry.path) }.map(\.entry)
        }
        switch sort {
        case .name: break
        case .size: order { _, node in node.kind == .file ? node.size : 0 }
        case .time, .mtime: order { _, node in node.modified }
        case .atime: order { _, node in node.accessed }
        case .ctime: order { _, node in node.changed }
        case .extension:
            order { path, _ in
                let name = path.name
                return FilePath(bytes: name.lastIndex(of: UInt8(ascii: ".")).map { name[$0...] } ?? [])
            }
        }
        return reverse ? entries.reversed() : entries
    }

    private func show(_ path: FilePath, _ node: Node, _ interface: Interface) {
        if interface.isJSON {
            interface.line(NodeText.listing(path, node))
        } else if long {
            let size = node.kind == .file ? node.size : 0
            interface.line(NodeText.long(path, node, size: humanReadable ? sizeText(size) : String(size)))
        } else {
            interface.line(path.description)
        }
    }
}
