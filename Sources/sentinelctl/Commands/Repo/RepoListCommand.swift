internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoListCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: help("Liệt kê mã các đối tượng trong kho.", "List the IDs of objects in the repository."),
        discussion: help("blobs | packs [BẢN-SAO-LƯU] | index | snapshots | keys | locks", "blobs | packs [SNAPSHOT] | index | snapshots | keys | locks"))

    enum Kind: String, ExpressibleByArgument, CaseIterable { case blobs, packs, index, snapshots, keys, locks }

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Argument(help: ArgumentHelp(help("Loại.", "What."))) var kind: Kind
    @Argument(help: ArgumentHelp(help("Với packs: chỉ các gói mà bản sao lưu này cần.", "With packs: only those that this snapshot needs."))) var snapshot:
        String?

    func execute(_ interface: Interface) async throws -> Int32 {
        if snapshot != nil, kind != .packs {
            throw CommandFailure(vi: "chỉ 'packs' nhận một bản sao lưu", en: "only 'packs' takes a snapshot")
        }
        let opened = try await repository.open()
        // Locks are listed without adding one.
        if kind == .locks {
            for file in try opened.listFiles(.lock) { interface.line(file.id.hex) }
            return .success
        }
        return try repository.withReadLock(opened) {
            switch kind {
            case .blobs:
                try opened.loadIndex()
                for pack in opened.indexedPacks() { for entry in pack.entries { interface.line("\(entry.type.name) \(entry.id.hex)") } }
            case .packs:
                if let snapshot {
                    let found = try opened.findSnapshot(SnapshotReference(snapshot).snapshot)
                    try opened.loadIndex()
                    for id in try opened.packs(of: found) { interface.line(id.hex) }
                } else {
                    for file in try opened.listFiles(.pack) { interface.line(file.id.hex) }
                }
            case .index: for file in try opened.listFiles(.index) { interface.line(file.id.hex) }
            case .snapshots: for file in try opened.listFiles(.snapshot) { interface.line(file.id.hex) }
            case .keys: for file in try opened.listFiles(.key) { interface.line(file.id.hex) }
            case .locks: break
            }
            return .success
        }
    }
}
