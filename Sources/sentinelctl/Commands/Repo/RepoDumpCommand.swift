internal import ArgumentParser
internal import BackupEngine
internal import Glibc
internal import Platform

struct RepoDumpCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump", abstract: help("In nội dung một tệp của bản sao lưu.", "Print the content of a file of a snapshot."),
        discussion: help(
            "Một thư mục được in thành kho nén tar hoặc zip (không nén).", "A directory is printed as an archive, tar or zip (stored, not compressed)."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SnapshotOptions
    @Option(name: [.customShort("a"), .long], help: ArgumentHelp(help("Dạng của thư mục: tar hoặc zip.", "Form of a directory: tar or zip.")))
    var archive: SnapshotDump.Archive = .tar
    @Option(
        name: [.customShort("t"), .long], help: ArgumentHelp(help("Ghi vào tệp này thay vì ra màn hình.", "Write to this file instead of standard output.")))
    var target: String?
    @Argument(help: ArgumentHelp(help("Đường dẫn trong bản sao lưu.", "Path in the snapshot."))) var file: String

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let opened = try await repository.open()
        return try repository.withReadLock(opened) {
            let (snapshot, tree) = try selection.open(in: opened)
            let path = FilePath(bytes: Array("/".utf8) + Array(file.utf8)).normalised
            let walker = TreeWalker(repository: opened)
            // The path starts at the named folder of the snapshot.
            var root = snapshot
            root.tree = tree
            let node = path.components.isEmpty ? nil : try walker.node(at: path, in: root)
            if let node, node.kind != .file, node.kind != .dir {
                throw CommandFailure(
                    vi: "'\(path)' không phải tệp hay thư mục mà là \(node.kind.rawValue)",
                    en: "'\(path)' is neither a file nor a directory but a \(node.kind.rawValue)")
            }
            let dump = SnapshotDump(repository: opened, cancellation: interruption.flag)
            func write(to output: SnapshotDump.Output) throws(RepositoryError) {
                if let node, node.kind == .file { return try dump.write(node, to: output) }
                try dump.write(try walker.tree(at: path, in: root), at: path, as: archive, to: output)
            }
            if let target {
                var failure: SystemError?
                var temporary = try TemporaryFile(beside: FilePath(target))
                try write { (bytes) throws(RepositoryError) in
                    do throws(SystemError) { try temporary.write(bytes) } catch {
                        failure = error
                        throw .storage(error)
                    }
                }
                if let failure { throw failure }
                try temporary.publish(as: FilePath(target), mode: 0o600, replacing: true)
                return .success
            }
            if isatty(1) == 1, node?.kind != .file {
                throw CommandFailure(
                    vi: "không in kho nén ra màn hình", en: "an archive is not printed on a terminal",
                    hint: Phrase(vi: "chuyển hướng, hoặc dùng --target", en: "redirect it, or use --target"))
            }
            let output = FileDescriptor(owning: dup(1))
            try write { (bytes) throws(RepositoryError) in
                do throws(SystemError) { try output.writeAll(bytes, path: "") } catch { throw .storage(error) }
            }
            return .success
        }
    }
}

extension SnapshotDump.Archive: ExpressibleByArgument {}
