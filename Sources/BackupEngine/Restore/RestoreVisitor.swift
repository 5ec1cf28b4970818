internal import Glibc
internal import Platform

/// Makes what a snapshot holds below the target; the content of files goes to the workers, many files at a time.
struct RestoreVisitor: TreeVisitor {
    /// The first batches are small so that the workers have something to do early.
    private static let firstBatchBlobs = 256
    private static let largestBatchBlobs = 16 * 1024
    private static let compareFiles = 64
    private static let finishFiles = 64

    let run: RestoreRun
    private let selection: PathSelection
    /// Files that had several names, for their further ones to be linked to the first.
    private var linked: [FileIdentity: LinkedNames] = [:]
    private var files: [RestoreFile] = []
    private var blobCount = 0
    private var batchBlobs = Self.firstBatchBlobs
    /// A name was refused, or a tree could not be loaded: what the snapshot lacks is not known, and nothing is deleted.
    private var deletes: Bool

    init(run: RestoreRun, selection: PathSelection) {
        self.run = run
        self.selection = selection
        deletes = run.options.deletes
    }

    mutating func enter(
        _ node: Node, _ path: FilePath, in directory: RestoreDirectory, isSelected: Bool
    ) throws(RepositoryError) -> RestoreDirectory? {
        try run.check()
        let inner = RestoreDirectory(node, path, in: directory, isSelected: isSelected)
        if isSelected {
            run.count { $0.entriesTotal += 1 }
            if !run.options.isDryRun {
                do {
                    _ = try inner.open()
                } catch {
                    run.report(path, error)
                    return nil
                }
            }
        }
        directory.retain()
        run.enter(path)
        return inner
    }

    mutating func leave(_ directory: RestoreDirectory, _ nodes: [Node]?) throws(RepositoryError) {
        if deletes, let nodes { deleteStrangers(in: directory, nodes) }
        run.finish(entryOf: directory)
    }

    mutating func refuse(_ path: FilePath, _ reason: Phrase) throws(RepositoryError) {
        deletes = false
        run.report(path, reason)
    }

    mutating func visit(_ node: Node, _ path: FilePath, in directory: RestoreDirectory) throws(RepositoryError) {
        try run.check()
        if node.kind == .socket {
            run.count { $0.socketsSkipped += 1 }
            return
        }
        do throws(SystemError) {
            if !run.options.isDryRun { _ = try directory.open() }
            if try keeps(node, path, in: directory) { return }
            if link(node, path, in: directory) { return }
            if node.kind == .file { return try addFile(node, path, in: directory) }
            run.count { $0.entriesTotal += 1 }
            if try !makeOther(node, path, in: directory) { return }
            run.count { $0.othersRestored += 1 }
            run.tell(.restored, path)
            _ = names(of: node, in: directory, isDone: true)
        } catch {
            run.report(path, error)
        }
    }

    // MARK: Files

    private mutating func addFile(_ node: Node, _ path: FilePath, in directory: RestoreDirectory) throws(SystemError) {
        if !hasWholeContent(node, path) { return }
        run.count { report in
            report.entriesTotal += 1
            report.bytesTotal += node.size
        }
        directory.retain()
        files.append(RestoreFile(node, path, in: directory, names: names(of: node, in: directory, isDone: false)))
        blobCount += max(1, node.content?.count ?? 0)
        if blobCount >= batchBlobs {
            flush()
            batchBlobs = min(batchBlobs * 2, Self.largestBatchBlobs)
        }
    }

    /// Hands the files collected so far to the workers.
    mutating func flush() {
        let batchFiles = files
        files = []
        blobCount = 0
        if batchFiles.isEmpty { return }
        compare(batchFiles.filter { run.options.isDryRun || !$0.directory.isMade })
        if run.isStopped { return }
        for file in batchFiles {
            if case .kept = file.found {
                run.keep(file.path, size: file.node.size, isCounted: true)
                run.finishNames(file.names, isDone: true)
                run.finish(entryOf: file.directory)
            } else if run.options.isDryRun {
                pretend(file)
            }
        }
        if run.options.isDryRun { return }
        let batch = RestoreBatch(batchFiles, run.repository.index)
        for segment in batch.segments { run.submit(.segment(batch, segment)) }
        if !batch.unplanned.isEmpty { run.submit(.single(batch)) }
        for start in stride(from: 0, to: batch.finished.count, by: Self.finishFiles) {
            run.submit(.finish(Array(batch.finished[start..<min(start + Self.finishFiles, batch.finished.count)])))
        }
    }

    /// Finds out what is there already. Only directories that were there before can hold anything.
    private func compare(_ files: [RestoreFile]) {
        if files.isEmpty { return }
        let starts = Array(stride(from: 0, to: files.count, by: Self.compareFiles))
        let countdown = Countdown(starts.count)
        for start in starts {
            run.submit(.compare(Array(files[start..<min(start + Self.compareFiles, files.count)]), countdown))
        }
        countdown.wait(unless: run)
    }

    /// A dry run ends where the real one would write.
    private func pretend(_ file: RestoreFile) {
        switch file.found {
        case .nothing: run.countFile(file.path, file.node, isUpdate: false)
        case .different: run.countFile(file.path, file.node, isUpdate: true)
        case .same: run.countSkipped(file.path, file.node)
        case .kept: return
        }
        run.finishNames(file.names, isDone: true)
        run.finish(entryOf: file.directory)
    }

    /// A file whose blobs do not add up to its size is refused: whichever of the two is wrong, the result would not be the file.
    private func hasWholeContent(_ node: Node, _ path: FilePath) -> Bool {
        guard let content = node.content else {
            run.report(path, Phrase(vi: "tệp không có danh sách nội dung", en: "the file has no list of content"))
            return false
        }
        var sum: UInt64 = 0
        for id in content {
            guard let size = run.repository.blobSize(.data, id) else {
                run.report(path, Phrase(vi: "kho thiếu khối \(id.short)", en: "the repository lacks blob \(id.short)"))
                return false
            }
            sum &+= UInt64(size)
        }
        if sum != node.size {
            run.report(
                path,
                Phrase(
                    vi: "kích thước \(node.size) không khớp với nội dung \(sum) byte",
                    en: "its size \(node.size) does not match its content of \(sum) bytes"))
        }
        return sum == node.size
    }

    // MARK: Links, pipes and devices

    /// True for an entry that the options leave as it is; a file is looked at with its neighbours later.
    private func keeps(_ node: Node, _ path: FilePath, in directory: RestoreDirectory) throws(SystemError) -> Bool {
        let isLinked = identity(node).flatMap { linked[$0] } != nil
        guard run.options.overwrite == .never || run.options.overwrite == .ifNewer, node.kind != .file || isLinked else { return false }
        do throws(SystemError) {
            let place = try directory.open(making: !run.options.isDryRun)
            let status = try place.descriptor.statusOfEntry(node.name)
            if ExistingFile.mayReplace(status, with: node, run.options.overwrite) { return false }
        } catch {
            if error.isMissing { return false }
            throw error
        }
        run.keep(path, size: 0, isCounted: false)
        return true
    }

    /// - Returns: False for what is reported or passed over.
    private func makeOther(_ node: Node, _ path: FilePath, in directory: RestoreDirectory) throws(SystemError) -> Bool {
        if ![.symlink, .fifo, .dev, .chardev].contains(node.kind) {
            run.report(path, Phrase(vi: "loại tệp không biết", en: "unknown type of file"))
            return false
        }
        if run.options.isDryRun { return true }
        let place = try directory.open()
        if !directory.isMade { try EntryRemoval.clear(node.name, in: place.descriptor, recursively: run.options.deletes) }
        do throws(SystemError) {
            if try !make(node, in: place.descriptor) { return false }
        } catch {
            // A tree with the same name twice: the last one counts.
            if !error.isExisting { throw error }
            try EntryRemoval.clear(node.name, in: place.descriptor, recursively: run.options.deletes)
            if try !make(node, in: place.descriptor) { return false }
        }
        try MetadataWriter(run: run).apply(
            node, toEntryOf: place.descriptor, traits: directory.isMade ? directory.traits : DirectoryTraits())
        return true
    }

    /// - Returns: False for a device that only root may make.
    private func make(_ node: Node, in directory: borrowing FileDescriptor) throws(SystemError) -> Bool {
        let kind: FileStatus.Kind
        switch node.kind {
        case .symlink:
            try directory.makeSymlink(node.name, target: node.linkTarget)
            return true
        case .fifo: kind = .fifo
        case .dev: kind = .blockDevice
        default: kind = .characterDevice
        }
        do throws(SystemError) {
            try directory.makeSpecialFile(node.name, kind: kind, mode: 0o600, device: node.device)
            return true
        } catch {
            if kind == .fifo || !error.isPermission || run.isRoot { throw error }
            run.count { $0.metadataSkipped += 1 }
            return false
        }
    }

    // MARK: Further names

    private func identity(_ node: Node) -> FileIdentity? {
        node.links > 1 && node.inode != 0 ? FileIdentity(device: node.deviceID, inode: node.inode) : nil
    }

    /// Remembers the first name of a file that has several.
    private mutating func names(of node: Node, in directory: RestoreDirectory, isDone: Bool) -> LinkedNames? {
        guard let identity = identity(node) else { return nil }
        let names = LinkedNames(node.name, in: directory, isDone: isDone)
        linked[identity] = names
        return names
    }

    /// - Returns: True when the entry is a further name of a file met before; it is made now, or as soon as that file is there.
    private func link(_ node: Node, _ path: FilePath, in directory: RestoreDirectory) -> Bool {
        guard let identity = identity(node), let first = linked[identity] else { return false }
        run.count { $0.entriesTotal += 1 }
        let name = LinkedNames.Name(node: node, path: path, directory: directory)
        // Before the question, so that the directory is not finished by the answer.
        directory.retain()
        switch first.add(name) {
        case .pending: return true
        case .done: run.link(name, to: first)
        case .failed: run.reportUnlinked(path)
        }
        run.finish(entryOf: directory)
        return true
    }

    // MARK: Deleting

    /// Removes what a restored directory holds and the snapshot does not, as far as the patterns select it.
    private func deleteStrangers(in directory: RestoreDirectory, _ nodes: [Node]) {
        if directory.isMade || !directory.isUsed && !run.options.isDryRun { return }
        do throws(SystemError) {
            let place = try directory.open(making: false)
            let known = Set(nodes.map(\.name))
            for name in try place.descriptor.sortedNames(limit: EntryRemoval.nameLimit) where !known.contains(name) {
                let path = directory.path.appending(name)
                if run.isStopped || !selection.select(path.components).isSelected { continue }
                try EntryRemoval.removeTree(name, in: place.descriptor, isDryRun: run.options.isDryRun) { names in
                    run.count { $0.filesDeleted += 1 }
                    run.tell(.deleted, names.reduce(directory.path) { $0.appending($1) })
                }
            }
        } catch {
            if run.options.isDryRun && (error.isMissing || error.isLink) { return }
            run.report(directory.path, error)
        }
    }
}
