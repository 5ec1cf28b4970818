internal import Glibc
internal import Platform

/// Makes what a snapshot holds below the target; the content of files goes to the workers.
struct RestoreVisitor: TreeVisitor {
    /// Directories that keep their descriptor on the way down; those above are parked.
    private static let openLevels = 128

    private struct FileIdentity: Hashable {
        let device: UInt64
        let inode: UInt64
    }
    private struct FirstName {
        let directory: RestoreDirectory
        let name: [UInt8]
    }

    let run: RestoreRun
    /// The first name of each file that had several, for the others to be linked to.
    private var firstNames: [FileIdentity: FirstName] = [:]
    private var open: [RestoreDirectory] = []

    init(run: RestoreRun) { self.run = run }

    mutating func enter(
        _ node: Node, _ path: FilePath, in directory: RestoreDirectory, isSelected: Bool
    ) throws(RepositoryError) -> RestoreDirectory? {
        try run.check()
        let inner = RestoreDirectory(node, path, in: directory, isSelected: isSelected)
        if isSelected {
            do {
                _ = try inner.open()
            } catch {
                run.report(path, error)
                return nil
            }
        }
        directory.retain()
        open.append(inner)
        if open.count > Self.openLevels { open[open.count - 1 - Self.openLevels].park() }
        run.enter(path)
        return inner
    }

    mutating func leave(_ directory: RestoreDirectory) throws(RepositoryError) {
        if open.last === directory { open.removeLast() }
        run.finish(entryOf: directory)
    }

    mutating func refuse(_ path: FilePath, _ reason: Phrase) throws(RepositoryError) { run.report(path, reason) }

    mutating func visit(_ node: Node, _ path: FilePath, in directory: RestoreDirectory) throws(RepositoryError) {
        try run.check()
        if node.kind == .socket {
            run.count { $0.socketsSkipped += 1 }
            return
        }
        do throws(SystemError) {
            let place = try directory.open()
            if try link(node, in: place.descriptor) { return }
            try clear(node.name, in: place.descriptor)
            switch node.kind {
            case .file:
                if !hasWholeContent(node, path) { return }
                let file = HeldDescriptor(try place.descriptor.openEntry(node.name, O_WRONLY | O_CREAT | O_EXCL))
                directory.retain()
                run.submit(RestoreRun.Job(file, node, path, directory))
            case .symlink:
                try place.descriptor.makeSymlink(node.name, target: node.linkTarget)
                try finish(node, in: place.descriptor)
            case .fifo, .dev, .chardev:
                if try !makeSpecialFile(node, in: place.descriptor) { return }
                try finish(node, in: place.descriptor)
            case .dir, .socket, .irregular, .unknown:
                run.report(path, Phrase(vi: "loại tệp không biết", en: "unknown type of file"))
                return
            }
            remember(node, in: directory)
        } catch {
            run.report(path, error)
        }
    }

    private func finish(_ node: Node, in directory: borrowing FileDescriptor) throws(SystemError) {
        try MetadataWriter(run: run).apply(node, toEntryOf: directory)
        run.count { $0.othersRestored += 1 }
    }

    /// Removes what has the name of an entry to be made; a directory is left, and is an error.
    private func clear(_ name: [UInt8], in directory: borrowing FileDescriptor) throws(SystemError) {
        do throws(SystemError) {
            try directory.removeEntry(name, isDirectory: false)
        } catch {
            if error.number != ENOENT { throw error }
        }
    }

    /// - Returns: False for a device that only root may make.
    private func makeSpecialFile(_ node: Node, in directory: borrowing FileDescriptor) throws(SystemError) -> Bool {
        let kind: FileStatus.Kind =
            switch node.kind {
            case .fifo: .fifo
            case .dev: .blockDevice
            default: .characterDevice
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

    // MARK: Hard links

    private func identity(_ node: Node) -> FileIdentity? {
        node.links > 1 && node.inode != 0 ? FileIdentity(device: node.deviceID, inode: node.inode) : nil
    }

    private mutating func remember(_ node: Node, in directory: RestoreDirectory) {
        if let identity = identity(node) { firstNames[identity] = FirstName(directory: directory, name: node.name) }
    }

    /// - Returns: True when the entry is a further name of a file made before, and has been made.
    private func link(_ node: Node, in directory: borrowing FileDescriptor) throws(SystemError) -> Bool {
        guard let identity = identity(node), let first = firstNames[identity] else { return false }
        try clear(node.name, in: directory)
        let source = try first.directory.open(making: false, keeping: false)
        try directory.makeHardLink(node.name, to: first.name, in: source.descriptor)
        run.count { $0.hardLinksRestored += 1 }
        return true
    }
}
