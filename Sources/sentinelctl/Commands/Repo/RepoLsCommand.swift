internal import ArgumentParser
internal import BackupEngine
internal import FoundationEssentials
internal import Platform

struct RepoLsCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: help("Liệt kê tệp trong một bản sao lưu.", "List the files of a snapshot."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SnapshotOptions
    @Flag(name: [.customShort("l"), .long], help: ArgumentHelp(help("Kèm quyền, chủ, kích thước, thời gian.", "With mode, owner, size and time."))) var long =
        false

    private struct Line: Encodable {
        let message_type = "node"
        let struct_type = "node"
        let name, type, path: String
        let path_b64: String?
        let uid, gid: UInt32
        let size: UInt64?
        let mode: UInt32
        let mtime: String
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let opened = try await repository.open()
        let lock = try repository.lockForReading(opened)
        defer { lock?.release() }
        let snapshot = try opened.findSnapshot(selection.snapshot, filter: selection.filter)
        try opened.loadIndex()
        if !interface.isJSON {
            interface.line(
                interface(
                    "Bản sao lưu \(snapshot.id.short) lúc \(CivilTime(local: snapshot.time).display):",
                    "Snapshot \(snapshot.id.short) of \(CivilTime(local: snapshot.time).display):"))
        }
        try TreeWalker(repository: opened).list(snapshot) { path, node throws(RepositoryError) in
            guard interface.isJSON else { return interface.line(long ? columns(path, node) : path.description) }
            do {
                interface.line(try jsonText(json(path, node)))
            } catch {
                throw RepositoryError(.invalidArgument, Phrase(verbatim: "JSON: \(path)"), cause: error)
            }
        }
        return .success
    }

    private func json(_ path: FilePath, _ node: Node) -> Line {
        Line(
            name: FilePath(bytes: node.name).description, type: node.kind.rawValue, path: path.utf8 ?? path.description,
            path_b64: path.utf8 == nil ? Data(path.bytes).base64EncodedString() : nil, uid: node.uid, gid: node.gid,
            size: node.kind == .file ? node.size : nil, mode: node.mode.rawValue, mtime: node.modified.rfc3339Local)
    }

    private func columns(_ path: FilePath, _ node: Node) -> String {
        let size = String(node.kind == .file ? node.size : 0)
        let padding = String(repeating: " ", count: max(0, 10 - size.count))
        let permissions = String(node.mode.rawValue & 0o777, radix: 8)
        let time = CivilTime(local: node.modified).display
        return "\(node.kind.rawValue.prefix(1)) \(permissions) \(node.uid):\(node.gid) \(padding)\(size) \(time) \(path)"
    }
}
