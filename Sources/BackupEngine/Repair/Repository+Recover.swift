package import Platform

/// What `recover` found.
package struct RecoveryReport: Sendable {
    /// Root trees that no snapshot and no other tree refers to.
    package internal(set) var roots: [Digest] = []
    package internal(set) var treesRead = 0
    package internal(set) var unreadableTrees = 0
    /// The snapshot with a directory for each root; nil when there is none.
    package internal(set) var snapshot: Digest?
}

extension Repository {
    /// Makes a snapshot of all directory trees that nothing refers to any more, as after a `forget` by mistake.
    ///
    /// The caller holds an exclusive lock and has repaired the index.
    ///
    /// - Parameters:
    ///   - hostname: For the new snapshot, which has the tag `recovered` and the path `/recover`.
    ///   - progress: Called with the number of trees read.
    package func recover(
        hostname: String, cancellation: CancellationFlag = CancellationFlag(), progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(RepositoryError) -> RecoveryReport {
        var report = RecoveryReport()
        let snapshots = try readSnapshots().snapshots
        try loadIndex()
        let index = index.current()
        let table = index.table(.tree)
        var isReferenced = [Bool](repeating: false, count: table.records.count)
        for snapshot in snapshots {
            if let number = table.firstNumber(snapshot.tree) { isReferenced[number] = true }
        }
        for (number, record) in table.records.enumerated() where table.firstNumber(record.id) == number {
            try cancellation.check()
            do {
                for subtree in try TreeReferences(decoding: try loadBlob(.tree, record.id)).subtrees {
                    if let child = table.firstNumber(subtree) { isReferenced[child] = true }
                }
                report.treesRead += 1
            } catch let error as RepositoryError where error.code == .storage {
                throw error
            } catch {
                report.unreadableTrees += 1
                // What cannot be read is no root that could be shown.
                isReferenced[number] = true
            }
            if report.treesRead % 256 == 0 { progress(report.treesRead, table.records.count) }
        }
        for (number, record) in table.records.enumerated() where !isReferenced[number] && table.firstNumber(record.id) == number {
            report.roots.append(record.id)
        }
        report.roots.sort()
        if !report.roots.isEmpty { report.snapshot = try saveRecovered(report.roots, hostname) }
        return report
    }

    private func saveRecovered(_ roots: [Digest], _ hostname: String) throws(RepositoryError) -> Digest {
        let now = Timestamp.now()
        let isShortUnique = Set(roots.map(\.short)).count == roots.count
        let nodes = roots.map { root in
            var node = Node(name: Array((isShortUnique ? root.short : root.hex).utf8), kind: .dir)
            node.mode = FileMode(rawValue: FileMode.directory | 0o755)
            (node.modified, node.accessed, node.changed) = (now, now, now)
            node.subtree = root
            return node
        }
        guard let bytes = Tree(nodes: nodes).encoded() else {
            throw .corrupt(Phrase(vi: "hai cây trùng mã", en: "two trees of one ID"))
        }
        let tree: Digest
        do throws(CryptoError) {
            tree = try SHA256.hash(bytes)
        } catch {
            throw .crypto(error)
        }
        _ = try storeBlob(.tree, tree, bytes)
        return try saveSnapshot(
            Snapshot(
                time: now, tree: tree, paths: ["/recover"], hostname: hostname, username: identity.username, uid: identity.uid,
                gid: identity.gid, tags: ["recovered"]))
    }
}
