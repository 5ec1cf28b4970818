internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoLsCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: help("Liệt kê tệp trong một bản sao lưu.", "List the files of a snapshot."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SnapshotOptions
    @Flag(name: [.customShort("l"), .long], help: ArgumentHelp(help("Kèm quyền, chủ, kích thước, thời gian.", "With mode, owner, size and time."))) var long = false

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
        let lock = try opened.lock(exclusive: false)
        defer { lock.release() }
        let snapshot = try opened.findSnapshot(selection.snapshot, filter: selection.filter)
        try opened.loadIndex()
        if !interface.isJSON {
            interface.line(interface(
                "Bản sao lưu \(snapshot.id.short) lúc \(CivilTime(local: snapshot.time).display):",
                "Snapshot \(snapshot.id.short) of \(CivilTime(local: snapshot.time).display):"))
        }
        try TreeWalker(repository: opened).walk(snapshot) { path, node in
            if interface.isJSON {
                let name = FilePath(bytes: node.name)
                interface.line((try? jsonText(Line(
                    name: name.description, type: node.type.rawValue, path: path.utf8 ?? path.description,
                    path_b64: path.utf8 == nil ? base64Text(path.bytes) : nil, uid: node.uid, gid: node.gid,
                    size: node.type == .file ? node.size : nil, mode: node.mode, mtime: node.mtime.rfc3339Local))) ?? "{}")
            } else if long {
                let size = String(node.type == .file ? node.size : 0)
                let permissions = String(node.mode & 0o777, radix: 8)
                interface.line("\(node.type.rawValue.prefix(1)) \(permissions) \(node.uid):\(node.gid) \(String(repeating: " ", count: max(0, 10 - size.count)))\(size) \(CivilTime(local: node.mtime).display) \(path)")
            } else {
                interface.line(path.description)
            }
        }
        return .success
    }
}
