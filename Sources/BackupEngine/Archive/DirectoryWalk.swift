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

    /// Small files go to the workers so many at a time, or when they come to so many bytes.
    private static let batchFiles = 64
    private static let batchBytes: UInt64 = 1 << 20

    private let run: ArchiveRun
    private let streams: StreamArchiver
    /// The time of the snapshot, for directories that exist nowhere else.
    private let time: Timestamp
    private let selection: EntrySelection
    private let detection: ChangeDetection
    private let staysOnFileSystem: Bool
    private let workingDirectory: FilePath
    private var tally = Tally()
    private var batch: [FileJob] = []
    private var batchedBytes: UInt64 = 0
    private var levels: [Level] = []
    /// The absolute path of the entry at hand, for the exclude patterns.
    private var components: [[UInt8]] = []
    private var sourceDevice: UInt64 = 0
    /// True when a source was found, whatever became of what lies in it.
    private(set) var hasFoundSource = false

    init(
        run: ArchiveRun, streams: StreamArchiver, time: Timestamp, _ request: BackupRequest, _ selection: EntrySelection,
        workingDirectory: FilePath
    ) {
        self.run = run
        self.streams = streams
        self.time = time
        self.selection = selection
        detection = request.detection
        staysOnFileSystem = request.staysOnFileSystem
        self.workingDirectory = workingDirectory
    }

    /// Walks everything. The root tree is complete when the workers are done, too.
    ///
    /// - Throws: What ended the run: a failure of the repository, or a cancellation. Unreadable entries are reported to the run instead.
    mutating func archive(_ sources: SourceTree, parentTree: Digest?) throws(RepositoryError) {
        let root = DirectoryBuilder(parent: nil, slot: 0, node: Node(name: [], kind: .dir), previous: nil, path: "/")
        try visit(sources, root, parentTree.flatMap(loadPrevious))
        submitBatch()
        try run.close(root, &tally)
        run.take(&tally)
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
                let node = child.isVirtual ? virtualDirectory(name) : leadingDirectory(path, name: name)
                let inner = DirectoryBuilder(parent: builder, slot: slot, node: node, previous: old, path: path)
                try visit(child, inner, old?.subtree.flatMap(loadPrevious))
                try run.close(inner, &tally)
            }
        }
    }

    /// The node of a directory that only leads to a source. Links on the way are followed, as the path of the source does.
    private func leadingDirectory(_ path: FilePath, name: [UInt8]) -> Node {
        do {
            let directory = try FileDescriptor.openPath(path)
            var node = self.node(name, try directory.status(path: path))
            node.extendedAttributes = try ExtendedAttributes.all(ofOpenDirectory: directory).map(ExtendedAttribute.init)
            return node
        } catch {
            run.reportUnreadable(path, error)
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
            run.reportUnreadable(absolute, error)
            return
        }
        try archive(name, as: nodeName, in: parent, absolute.parent, builder, previous)
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
            if level.builder.pendingCount > Self.pendingLimit {
                submitBatch()
                run.waitUntilIdle()
            }
            try archive(name, as: name, in: directory, level.path, level.builder, previous)
            return
        }
        levels.removeLast()
        components.removeLast()
        if let above = levels.last, above.directory == nil { reopen(above, from: level) }
        try run.close(level.builder, &tally)
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
        case file(FileStatus)
        case directory(HeldDescriptor, FileStatus, Node, names: [[UInt8]])
        /// Everything that has no content.
        case other(Node)
    }

    private mutating func archive(
        _ name: [UInt8], as nodeName: [UInt8], in directory: HeldDescriptor, _ directoryPath: FilePath,
        _ builder: DirectoryBuilder, _ previous: Node?
    ) throws(RepositoryError) {
        try run.check()
        components.append(name)
        var isEntered = false
        defer { if !isEntered { components.removeLast() } }
        if selection.excludes(components) { return }
        let entry: Entry
        do {
            entry = try examine(name, as: nodeName, in: directory.descriptor, directoryPath, previous)
        } catch {
            // What was listed and is gone now was deleted meanwhile; a snapshot a moment later would not have it either.
            if error.number == ENOENT && !levels.isEmpty { return }
            run.reportUnreadable(directoryPath.appending(name), error)
            return
        }
        if case .skipped = entry { return }
        hasFoundSource = true
        switch entry {
        case .skipped: return
        case .unchanged(let node):
            tally.countFile(.unmodified, bytes: node.size)
            tally.bytesSeen += node.size
            run.tellItem(.unmodified, directoryPath.appending(name), since: 0)
            try run.complete(builder, slot: builder.reserve(), node, &tally)
        case .other(let node): try run.complete(builder, slot: builder.reserve(), node, &tally)
        case .file(let status):
            submit(
                FileJob(
                    directory: directory, directoryPath: directoryPath, name: name, nodeName: nodeName, status: status, builder: builder,
                    slot: builder.reserve(), previous: previous))
        case .directory(let opened, let status, let node, let names):
            let path = directoryPath.appending(name)
            let inner = DirectoryBuilder(parent: builder, slot: builder.reserve(), node: node, previous: previous, path: path)
            levels.append(Level(opened, status, path, names, inner, previous?.subtree.flatMap(loadPrevious)))
            if levels.count > Self.openLevels { levels[levels.count - 1 - Self.openLevels].directory = nil }
            isEntered = true
            run.enter(path)
            run.take(&tally)
        }
    }

    private mutating func submit(_ job: FileJob) {
        if job.status.sizeBytes >= SegmentedFile.smallestBytes {
            submitBatch()
            if submitSegments(job) { return }
        }
        batch.append(job)
        batchedBytes += job.status.sizeBytes
        if batch.count >= Self.batchFiles || batchedBytes >= Self.batchBytes { submitBatch() }
    }

    private mutating func submitBatch() {
        if batch.isEmpty { return }
        run.submit(.files(batch))
        batch.removeAll()
        batchedBytes = 0
    }

    /// - Returns: False when it is not the file that was listed, or cannot be opened: the ordinary way says what is wrong with it.
    private func submitSegments(_ job: FileJob) -> Bool {
        guard let opened = try? job.directory.descriptor.openEntryForReading(job.name, isDirectory: false),
            let status = try? opened.status(path: ""), status.inode == job.status.inode, status.device == job.status.device
        else { return false }
        opened.willReadSequentially()
        let file = SegmentedFile(job, HeldDescriptor(opened))
        for segment in 0..<file.count { run.submit(.segment(file, segment)) }
        return true
    }

    private func examine(
        _ name: [UInt8], as nodeName: [UInt8], in directory: borrowing FileDescriptor, _ directoryPath: FilePath,
        _ previous: Node?
    ) throws(SystemError) -> Entry {
        let status = try directory.statusOfEntry(name)
        if selection.excludes(status) { return .skipped }
        if staysOnFileSystem && status.device != sourceDevice && status.kind != .directory && !levels.isEmpty { return .skipped }
        switch status.kind {
        case .file:
            if let previous, detection.isUnchanged(previous, status), hasContent(of: previous, directoryPath, name) {
                var node = node(nodeName, status)
                node.extendedAttributes =
                    previous.hasCurrentAttributes(status) ? previous.extendedAttributes : attributes(name, directory, directoryPath)
                node.content = previous.content
                return .unchanged(node)
            }
            return .file(status)
        case .directory:
            if levels.count >= Self.depthLimit { throw SystemError("open", ENAMETOOLONG) }
            let opened = HeldDescriptor(try directory.openEntryForReading(name, isDirectory: true))
            // Asked again: what was opened counts, not what was there before.
            let status = try opened.descriptor.status(path: "")
            var node = node(nodeName, status)
            if let previous, previous.kind == .dir, previous.hasCurrentAttributes(status) {
                node.extendedAttributes = previous.extendedAttributes
            } else {
                do {
                    node.extendedAttributes = try ExtendedAttributes.all(of: opened.descriptor).map(ExtendedAttribute.init)
                } catch {
                    run.reportUnreadable(directoryPath.appending(name), error)
                }
            }
            if staysOnFileSystem && status.device != sourceDevice { return .directory(opened, status, node, names: []) }
            let names = try opened.descriptor.sortedNames(limit: Self.namesLimit)
            return .directory(opened, status, node, names: selection.keptNames(names, in: opened.descriptor))
        case .socket: return .skipped
        case .unknown: throw SystemError("lstat", EINVAL)
        case .symlink, .fifo, .blockDevice, .characterDevice:
            var node = node(nodeName, status)
            if let previous, previous.kind == node.kind, previous.hasCurrentAttributes(status) {
                node.linkTarget = previous.linkTarget
                node.extendedAttributes = previous.extendedAttributes
            } else {
                if status.kind == .symlink { node.linkTarget = try directory.linkTargetOfEntry(name) }
                node.extendedAttributes = attributes(name, directory, directoryPath)
            }
            return .other(node)
        }
    }

    private func node(_ name: [UInt8], _ status: FileStatus) -> Node {
        Node(name: name, status, run.accounts, withAccessTime: run.options.withAccessTime)
    }

    /// An entry whose attributes cannot be read is stored without them, and reported.
    private func attributes(
        _ name: [UInt8], _ directory: borrowing FileDescriptor, _ directoryPath: FilePath
    ) -> [ExtendedAttribute] {
        do {
            return try ExtendedAttributes.all(ofEntry: name, in: directory).map(ExtendedAttribute.init)
        } catch {
            run.reportUnreadable(directoryPath.appending(name), error)
            return []
        }
    }

    /// True when the repository still has every blob of a file of the parent snapshot.
    private func hasContent(of previous: Node, _ directoryPath: FilePath, _ name: [UInt8]) -> Bool {
        guard let content = previous.content else { return false }
        if run.repository.contains(.data, all: content) { return true }
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
