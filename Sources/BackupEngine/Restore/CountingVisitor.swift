internal import Platform

/// Counts what a restore will bring back, for its progress.
struct CountingVisitor: TreeVisitor {
    private(set) var entries: UInt64 = 0
    private(set) var bytes: UInt64 = 0

    mutating func enter(_ node: Node, _ path: FilePath, in directory: Void, isSelected: Bool) throws(RepositoryError) -> Void? {
        if isSelected { entries += 1 }
        return ()
    }

    mutating func visit(_ node: Node, _ path: FilePath, in directory: Void) throws(RepositoryError) {
        if node.kind == .socket { return }
        entries += 1
        bytes += node.size
    }

    mutating func leave(_ directory: Void, _ nodes: [Node]?) throws(RepositoryError) {}
    mutating func refuse(_ path: FilePath, _ reason: Phrase) throws(RepositoryError) {}
}

/// A dry run into a directory that does not exist: everything would be restored.
struct PretendVisitor: TreeVisitor {
    let run: RestoreRun

    mutating func enter(_ node: Node, _ path: FilePath, in directory: Void, isSelected: Bool) throws(RepositoryError) -> Void? {
        try run.check()
        if isSelected {
            run.count { report in
                report.entriesTotal += 1
                report.directoriesRestored += 1
            }
            run.tell(.restored, path)
        }
        return ()
    }

    mutating func visit(_ node: Node, _ path: FilePath, in directory: Void) throws(RepositoryError) {
        try run.check()
        if node.kind == .socket { return run.count { $0.socketsSkipped += 1 } }
        run.count { report in
            report.entriesTotal += 1
            report.bytesTotal += node.size
        }
        if node.kind == .file { return run.countFile(path, node, isUpdate: false) }
        run.count { $0.othersRestored += 1 }
        run.tell(.restored, path)
    }

    mutating func leave(_ directory: Void, _ nodes: [Node]?) throws(RepositoryError) {}
    mutating func refuse(_ path: FilePath, _ reason: Phrase) throws(RepositoryError) { run.report(path, reason) }
}
