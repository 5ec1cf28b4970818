internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Platform

struct RepoDiffCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: help("So sánh hai bản sao lưu.", "Compare two snapshots."),
        discussion: help(
            """
            + có thêm, - không còn, M nội dung khác, T loại khác, U thông tin khác (với --metadata), ? nội dung khác dù mọi thông tin đều như cũ: \
            có thể đĩa hỏng.
            """,
            """
            + added, - removed, M content changed, T type changed, U metadata changed (with --metadata), ? content changed although nothing else did: \
            perhaps a failing disk.
            """))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Flag(help: ArgumentHelp(help("Kể cả thay đổi chỉ ở thông tin của tệp.", "Changes of metadata alone, too."))) var metadata = false
    @Argument(help: ArgumentHelp(help("Bản cũ: mã, 'latest' hoặc mã:thư-mục.", "The old one: ID, 'latest', or ID:folder."))) var old: String
    @Argument(help: ArgumentHelp(help("Bản mới.", "The new one."))) var new: String

    private struct Change: Encodable {
        let message_type = "change"
        let path, modifier: String
    }

    private struct Side: Encodable {
        let files, dirs, others, data_blobs, tree_blobs: Int
        let bytes: UInt64

        init(_ side: DiffStatistics.Side) {
            files = side.files
            dirs = side.directories
            others = side.others
            data_blobs = side.dataBlobs
            tree_blobs = side.treeBlobs
            bytes = side.bytes
        }
    }

    private struct Statistics: Encodable {
        let message_type = "statistics"
        let source_snapshot, target_snapshot: String
        let changed_files: Int
        let added, removed: Side
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let opened = try await repository.open()
        return try repository.withReadLock(opened) {
            let (left, right) = (SnapshotReference(old), SnapshotReference(new))
            let (one, other) = (try opened.findSnapshot(left.snapshot), try opened.findSnapshot(right.snapshot))
            try opened.loadIndex()
            let walker = TreeWalker(repository: opened)
            let (oldTree, newTree) = (try walker.tree(at: left.subfolder, in: one), try walker.tree(at: right.subfolder, in: other))
            if !interface.isJSON {
                interface.line(interface("So sánh \(one.id.short) với \(other.id.short):", "Comparing \(one.id.short) with \(other.id.short):"))
                interface.line()
            }
            var isComplete = true
            var diff = SnapshotDiff(repository: opened, showsMetadata: metadata)
            let statistics = try diff.run(oldTree, newTree) { change in
                if interface.isJSON {
                    if let line = try? jsonText(Change(path: change.path.utf8 ?? change.path.description, modifier: change.modifier)) {
                        interface.line(line)
                    }
                } else {
                    interface.line(change.modifier + String(repeating: " ", count: max(0, 5 - change.modifier.count)) + change.path.description)
                }
            } unreadable: { path, error in
                isComplete = false
                interface.warn("\(interface("lỗi", "error")): \(path): \(interface.text(error.message))")
            }
            try show(statistics, interface)
            return isComplete ? .success : ControlAPI.ExitCode.failure.rawValue
        }
    }

    private func show(_ statistics: DiffStatistics, _ interface: Interface) throws {
        let (added, removed) = (statistics.added, statistics.removed)
        if interface.isJSON {
            interface.line(
                try jsonText(
                    Statistics(
                        source_snapshot: old, target_snapshot: new, changed_files: statistics.changedFiles, added: Side(added),
                        removed: Side(removed))))
            return
        }
        interface.line()
        interface.line(
            interface(
                "Tệp:       \(added.files) mới, \(removed.files) mất, \(statistics.changedFiles) đổi",
                "Files:       \(added.files) new, \(removed.files) removed, \(statistics.changedFiles) changed"))
        interface.line(
            interface(
                "Thư mục:   \(added.directories) mới, \(removed.directories) mất", "Dirs:        \(added.directories) new, \(removed.directories) removed"))
        interface.line(
            interface("Khác:      \(added.others) mới, \(removed.others) mất", "Others:      \(added.others) new, \(removed.others) removed"))
        interface.line(
            interface(
                "Khối:      \(added.dataBlobs) mới, \(removed.dataBlobs) mất", "Data Blobs:  \(added.dataBlobs) new, \(removed.dataBlobs) removed"))
        interface.line(
            interface(
                "Cây:       \(added.treeBlobs) mới, \(removed.treeBlobs) mất", "Tree Blobs:  \(added.treeBlobs) new, \(removed.treeBlobs) removed"))
        interface.line(interface("  Thêm:    \(sizeText(added.bytes))", "  Added:   \(sizeText(added.bytes))"))
        interface.line(interface("  Bớt:     \(sizeText(removed.bytes))", "  Removed: \(sizeText(removed.bytes))"))
    }
}
