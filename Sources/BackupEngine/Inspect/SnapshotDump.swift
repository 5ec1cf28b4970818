package import Platform

/// Writes a file of a snapshot as it is, or a directory as an archive.
package struct SnapshotDump {
    package enum Archive: String, Sendable, CaseIterable { case tar, zip }
    package typealias Output = ([UInt8]) throws(RepositoryError) -> Void

    private let repository: Repository
    private let cancellation: CancellationFlag

    /// - Parameter repository: Its index has been loaded.
    package init(repository: Repository, cancellation: CancellationFlag = CancellationFlag()) {
        self.repository = repository
        self.cancellation = cancellation
    }

    /// The content of a file, blob by blob.
    ///
    /// - Throws: Before anything is written when a blob is in no index or the sizes do not add up; later for damaged blobs.
    package func write(_ file: Node, to output: Output) throws(RepositoryError) {
        try checkSize(file)
        for id in file.content ?? [] {
            try cancellation.check()
            try output(try repository.loadBlob(.data, id))
        }
    }

    /// An archive of everything below a tree: files, directories, symbolic links; pipes and devices in tar only, sockets in neither.
    ///
    /// A file with several names is written under each of them.
    ///
    /// - Parameters:
    ///   - path: Where the tree stands in the snapshot; names in the archive are relative to the snapshot's root.
    ///   - top: The directory itself, when it is not the root.
    /// - Throws: For whatever cannot be had: an archive that lacks something must not look complete.
    package func write(
        _ tree: Digest, at path: FilePath, top: Node? = nil, as archive: Archive, to output: Output
    ) throws(RepositoryError) {
        switch archive {
        case .tar:
            try each(tree, path, top) { (name, node) throws(RepositoryError) in
                try output(TarHeader.bytes(name, node))
                guard node.kind == .file else { return }
                try write(node, to: output)
                try output(TarHeader.padding(node.size))
            }
            try output(TarHeader.end)
        case .zip:
            var zip = ZipArchive()
            try each(tree, path, top) { (name, node) throws(RepositoryError) in
                if ![.file, .dir, .symlink].contains(node.kind) { return }
                try output(zip.header(name, node))
                if node.kind == .symlink {
                    zip.add(node.linkTarget)
                    try output(node.linkTarget)
                } else if node.kind == .file {
                    try write(node) { (bytes) throws(RepositoryError) in
                        zip.add(bytes)
                        try output(bytes)
                    }
                }
                try output(zip.finishEntry())
            }
            try output(zip.finish())
        }
    }

    private func each(
        _ tree: Digest, _ path: FilePath, _ top: Node?, _ body: ([UInt8], Node) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        func name(_ path: FilePath, _ node: Node) -> [UInt8] {
            Array(path.bytes.drop { $0 == FilePath.slash }) + (node.kind == .dir ? [FilePath.slash] : [])
        }
        if let top { try body(name(path, top), top) }
        try SnapshotWalk(repository: repository).run(tree, at: path) { (entry) throws(RepositoryError) in
            try cancellation.check()
            let node = entry.node
            guard node.hasSafeName else {
                throw .corrupt(Phrase(vi: "'\(entry.path)' không phải tên hợp lệ", en: "'\(entry.path)' is not a valid name"))
            }
            if [.file, .dir, .symlink, .fifo, .dev, .chardev].contains(node.kind) { try body(name(entry.path, node), node) }
            return .enter
        }
    }

    private func checkSize(_ file: Node) throws(RepositoryError) {
        var sum: UInt64 = 0
        for id in file.content ?? [] {
            guard let size = repository.blobSize(.data, id) else {
                throw RepositoryError(.missing, Phrase(vi: "kho thiếu khối \(id.short)", en: "the repository lacks blob \(id.short)"))
            }
            sum &+= UInt64(size)
        }
        if sum != file.size {
            let name = FilePath(bytes: file.name)
            throw .corrupt(
                Phrase(
                    vi: "kích thước \(file.size) của '\(name)' không khớp với nội dung \(sum) byte",
                    en: "size \(file.size) of '\(name)' does not match its content of \(sum) bytes"))
        }
    }
}
