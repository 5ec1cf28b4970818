internal import Glibc
internal import Platform

/// Walks the sources depth first, by open directories and single names, so that nothing that is renamed or linked meanwhile leads it astray.
///
/// Uses the thread it runs on; files go to the workers, trees are finished by whoever delivers their last entry.
struct DirectoryWalk {
    /// A directory on the way down.
    private final class Level {
        /// nil while the directory is parked: deep trees must not take all descriptors.
        var directory: HeldDescriptor?
        let status: FileStatus
        let path: FilePath
        let names: [[UInt8]]
        var next = 0
        let builder: DirectoryBuilder
        var previous: PreviousTree?

        init(
            _ directory: HeldDescriptor, _ status: FileStatus, _ path: FilePath, _ names: [[UInt8]], _ builder: DirectoryBuilder,
            _ previous: PreviousTree?
        ) {
            self.directory = directory
            self.status = status
            self.path = path
            self.names = names
            self.builder = builder
            self.previous = previous
        }
    }

    /// Levels that keep their descriptor; those above are parked and found again through `..`.
    private static let openLevels = 128
    private static let depthLimit = 8192
    private static let namesLimit = 1 << 24
    /// Entries of one directory that may wait for a slow file before them.
    private static let pendingLimit = 4096

    private let run: ArchiveRun
    private let streams: StreamArchiver
    /// The time of the snapshot, for directories that exist nowhere else.
    private let time: Timestamp
    private let excludes: PathPatterns
    private let staysOnFileSystem: Bool
    private let workingDirectory: FilePath
    private var levels: [Level] = []
    /// The absolute path of the entry at hand, for the exclude patterns.
    private var components: [[UInt8]] = []
    private var sourceDevice: UInt64 = 0
    /// True when a source was found, whatever became of what lies in it.
    private(set) var hasFoundSource = false

    init(
        run: ArchiveRun, streams: StreamArchiver, time: Timestamp, excludes: PathPatterns, staysOnFileSystem: Bool,
        workingDirectory: FilePath
    ) {
        self.run = run
        self.streams = streams
        self.time = time
        self.excludes = excludes
        self.staysOnFileSystem = staysOnFileSystem
        self.workingDirectory = workingDirectory
    }

    /// Walks everything. The root tree is complete when the workers are done, too.
    ///
    /// - Throws: What ended the run: a failure of the repository, or a cancellation. Unreadable entries are reported to the run instead.
    mutating func archive(_ sources: SourceTree, parentTree: Digest?) throws(RepositoryError) {
        let root = DirectoryBuilder(parent: nil, slot: 0, node: Node(name: [], kind: .dir), previous: nil, path: "/")
        try visit(sources, root, parentTree.flatMap(loadPrevious))
        try run.close(root)
    }

    // MARK: The part above the sources

    private mutating func visit(
        _ tree: SourceTree, _ builder: DirectoryBuilder, _ previous: PreviousTree?
    ) throws(RepositoryError) {
        var previous = previous
        for (name, child) in tree.children.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let old = previous?.find(name)
            if let stream = child.stream {
                streams.submit(stream, name: name, builder, slot: builder.reserve(), previous: old)
            } else if let path = child.path {
                try archiveSource(path, nodeName: name, builder, old)
            } else {
                let slot = builder.reserve()
                let path = child.metadataPath ?? "."
                let inner = DirectoryBuilder(
                    parent: builder, slot: slot, node: child.isVirtual ? virtualDirectory(name) : leadingDirectory(path, name: name), previous: old, path: path)
                try visit(child, inner, old?.subtree.flatMap(loadPrevious))
                try run.close(inner)
            }
        }
    }

    /// The node of a directory that only leads to a source. Links on the way are followed, as the path of the source does.
    private func leadingDirectory(_ path: FilePath, name: [UInt8]) -> Node {
        do {
            let directory = try FileDescriptor.openPath(path)
            var node = Node(name: name, try directory.status(path: path), run.accounts)
            node.extendedAttributes = try ExtendedAttributes.all(ofOpenDirectory: directory).map(ExtendedAttribute.init)
            return node
        } catch {
            run.reportUnreadable(path, error.message)
            var node = Node(name: name, kind: .dir)
            node.mode = FileMode(rawValue: FileMode.directory | 0o700)
            return node
        }
    }

    private func virtualDirectory(_ name: [UInt8]) -> Node {
        var node = Node(name: name, kind: .dir)
        node.mode = FileMode(rawValue: FileMode.directory | 0o755)
        (node.modified, node.accessed, node.changed) = (time, time, time)
        return node
    }

    private mutating func archiveSource(
        _ path: FilePath, nodeName: [UInt8], _ builder: DirectoryBuilder, _ previous: Node?
    ) throws(RepositoryError) {
        let absolute = (path.isAbsolute ? path : workingDirectory.appending(path.bytes)).normalised
        components = absolute.components
        guard let name = components.popLast() else { return }
        let parent: HeldDescriptor
        do {
            parent = HeldDescriptor(try FileDescriptor.openPath(path.parent))
            sourceDevice = try parent.descriptor.statusOfEntry(name).device
        } catch {
            run.reportUnreadable(absolute, error.message)
            return
        }
        try archive(name, as: nodeName, in: parent.descriptor, absolute.parent, builder, previous)
        while !levels.isEmpty { try step() }
    }

    // MARK: Below a source

    /// Takes the next entry of the deepest level, or leaves it.
    private mutating func step() throws(RepositoryError) {
        guard let level = levels.last else { return }
        if level.next < level.names.count, let directory = level.directory {
            let name = level.names[level.next]
            level.next += 1
            let previous = level.previous?.find(name)
            if level.builder.pendingCount > Self.pendingLimit { run.waitUntilIdle() }
            try archive(name, as: name, in: directory.descriptor, level.path, level.builder, previous)
            return
        }
        levels.removeLast()
        components.removeLast()
        if let above = levels.last, above.directory == nil { reopen(above, from: level) }
        try run.close(level.builder)
    }

    /// Finds a parked directory again as the parent of the one just left.
    private func reopen(_ above: Level, from level: Level) {
        do throws(SystemError) {
            guard let below = level.directory else { throw SystemError("open", EBADF) }
            let parent = try below.descriptor.openParent()
            let status = try parent.status(path: above.path)
            guard status.inode == above.status.inode, status.device == above.status.device else { throw SystemError("open", ESTALE) }
            above.directory = HeldDescriptor(parent)
        } catch {
            // Without a descriptor the level is left at the next step, and what it still holds is missing.
            run.reportUnreadable(
                above.path,
                Phrase(
                    vi: "thư mục bị di chuyển khi đang sao lưu, phần còn lại bị bỏ qua: \(error.message.vi)",
                    en: "the directory was moved during the backup, the rest of it is missing: \(error.message.en)"))
        }
    }

    /// What an entry turned out to be.
    private enum Entry {
        /// Left out on purpose.
        case skipped
        /// A file whose stored content is still good.
        case unchanged(Node)
        /// A file to read.
        case file(HeldDescriptor)
        case directory(HeldDescriptor, FileStatus, Node, names: [[UInt8]])
        /// Everything that has no content.
        case other(Node)
    }

    private mutating func archive(
        _ name: [UInt8], as nodeName: [UInt8], in directory: borrowing FileDescriptor, _ directoryPath: FilePath,
        _ builder: DirectoryBuilder, _ previous: Node?
    ) throws(RepositoryError) {
        try run.check()
        components.append(name)
        var isEntered = false
        defer { if !isEntered { components.removeLast() } }
        if !excludes.isEmpty && excludes.matches(components) { return }
        let entry: Entry
        do {
            entry = try examine(name, as: nodeName, in: directory, directoryPath, previous)
        } catch {
            // What was listed and is gone now was deleted meanwhile; a snapshot a moment later would not have it either.
            if error.number == ENOENT && !levels.isEmpty { return }
            run.reportUnreadable(directoryPath.appending(name), error.message)
            return
        }
        if case .skipped = entry { return }
        hasFoundSource = true
        switch entry {
        case .skipped: return
        case .unchanged(let node):
            run.countFile(.unmodified, bytes: node.size)
            try run.complete(builder, slot: builder.reserve(), node)
        case .other(let node): try run.complete(builder, slot: builder.reserve(), node)
        case .file(let file):
            run.submit(
                ArchiveRun.FileJob(
                    file: file, directory: directoryPath, name: name, nodeName: nodeName, builder: builder,
                    slot: builder.reserve(), previous: previous))
        case .directory(let opened, let status, let node, let names):
            let path = directoryPath.appending(name)
            let inner = DirectoryBuilder(parent: builder, slot: builder.reserve(), node: node, previous: previous, path: path)
            levels.append(Level(opened, status, path, names, inner, previous?.subtree.flatMap(loadPrevious)))
            if levels.count > Self.openLevels { levels[levels.count - 1 - Self.openLevels].directory = nil }
            isEntered = true
            run.enter(path)
        }
    }

    private func examine(
        _ name: [UInt8], as nodeName: [UInt8], in directory: borrowing FileDescriptor, _ directoryPath: FilePath,
        _ previous: Node?
    ) throws(SystemError) -> Entry {
        let status = try directory.statusOfEntry(name)
        switch status.kind {
        case .file:
            if let previous, previous.isUnchanged(status), hasContent(of: previous, directoryPath, name) {
                var node = Node(name: nodeName, status, run.accounts)
                node.extendedAttributes = attributes(name, directory, directoryPath)
                node.content = previous.content
                return .unchanged(node)
            }
            return .file(HeldDescriptor(try directory.openEntryForReading(name, isDirectory: false)))
        case .directory:
            if levels.count >= Self.depthLimit { throw SystemError("open", ENAMETOOLONG) }
            let opened = HeldDescriptor(try directory.openEntryForReading(name, isDirectory: true))
            // Asked again: what was opened counts, not what was there before.
            let status = try opened.descriptor.status(path: "")
            var node = Node(name: nodeName, status, run.accounts)
            do {
                node.extendedAttributes = try ExtendedAttributes.all(of: opened.descriptor).map(ExtendedAttribute.init)
            } catch {
                run.reportUnreadable(directoryPath.appending(name), error.message)
            }
            let isElsewhere = staysOnFileSystem && status.device != sourceDevice
            let names = isElsewhere ? [] : try opened.descriptor.sortedNames(limit: Self.namesLimit)
            return .directory(opened, status, node, names: names)
        case .socket: return .skipped
        case .unknown: throw SystemError("lstat", EINVAL)
        case .symlink, .fifo, .blockDevice, .characterDevice:
            var node = Node(name: nodeName, status, run.accounts)
            if status.kind == .symlink { node.linkTarget = try directory.linkTargetOfEntry(name) }
            node.extendedAttributes = attributes(name, directory, directoryPath)
            return .other(node)
        }
    }

    /// An entry whose attributes cannot be read is stored without them, and reported.
    private func attributes(
        _ name: [UInt8], _ directory: borrowing FileDescriptor, _ directoryPath: FilePath
    ) -> [ExtendedAttribute] {
        do {
            return try ExtendedAttributes.all(ofEntry: name, in: directory).map(ExtendedAttribute.init)
        } catch {
            run.reportUnreadable(directoryPath.appending(name), error.message)
            return []
        }
    }

    /// True when the repository still has every blob of a file of the parent snapshot.
    private func hasContent(of previous: Node, _ directoryPath: FilePath, _ name: [UInt8]) -> Bool {
        guard let content = previous.content else { return false }
        if content.allSatisfy({ run.repository.contains(.data, $0) }) { return true }
        let path = directoryPath.appending(name).description
        run.note(
            Phrase(
                vi: "kho thiếu nội dung cũ của '\(path)', lưu lại từ đầu", en: "the repository lacks parts of '\(path)'; it is stored again"))
        return false
    }

    /// A damaged parent costs time, not content: everything below is read again.
    private func loadPrevious(_ id: Digest) -> PreviousTree? {
        do {
            return PreviousTree(try run.repository.loadTree(id))
        } catch {
            run.note(
                Phrase(
                    vi: "không đọc được cây \(id.short) của bản trước: \(error.message.vi)",
                    en: "tree \(id.short) of the parent snapshot is unreadable: \(error.message.en)"))
            return nil
        }
    }
}
