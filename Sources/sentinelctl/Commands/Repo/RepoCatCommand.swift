internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Glibc
internal import Platform

struct RepoCatCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: help("In một phần của kho như nó được lưu.", "Print a part of the repository as it is stored."),
        discussion: help(
            "config | index MÃ | snapshot MÃ | key MÃ | masterkey | lock MÃ | pack MÃ | blob MÃ | tree BẢN-SAO-LƯU:THƯ-MỤC",
            "config | index ID | snapshot ID | key ID | masterkey | lock ID | pack ID | blob ID | tree SNAPSHOT:FOLDER"))

    enum Part: String, ExpressibleByArgument, CaseIterable { case config, index, snapshot, key, masterkey, lock, pack, blob, tree }

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Argument(help: ArgumentHelp(help("Loại.", "What."))) var part: Part
    @Argument(help: ArgumentHelp(help("Mã (vài ký tự đầu).", "ID (its first digits)."))) var id: String?

    func execute(_ interface: Interface) async throws -> Int32 {
        let opened = try await repository.open()
        return try repository.withReadLock(opened) { try show(opened, interface) }
    }

    private func show(_ repository: Repository, _ interface: Interface) throws -> Int32 {
        switch part {
        case .config: interface.line(IndentedJSON.text(try repository.readConfiguration()))
        case .masterkey: interface.line(IndentedJSON.text(repository.masterKeyDocument))
        case .index: interface.line(String(decoding: try document(.index, repository), as: UTF8.self))
        case .key: interface.line(IndentedJSON.text(try document(.key, repository)))
        case .lock: interface.line(IndentedJSON.text(try document(.lock, repository)))
        case .snapshot:
            let snapshot = try repository.findSnapshot(SnapshotReference(try named()).snapshot)
            interface.line(IndentedJSON.text(try repository.readDocument(.snapshot, snapshot.id)))
        case .pack:
            let output = FileDescriptor(owning: dup(1))
            let isIntact = try repository.readPack(try repository.findFile(.pack, try named())) { (bytes) throws(RepositoryError) in
                try Self.write(bytes, to: output)
            }
            if !isIntact {
                interface.warn(interface("lỗi: nội dung gói không khớp tên (SHA-256)", "error: the content of the pack does not match its name (SHA-256)"))
                return ControlAPI.ExitCode.failure.rawValue
            }
        case .blob:
            try repository.loadIndex()
            try Self.write(try blob(repository), to: FileDescriptor(owning: dup(1)))
        case .tree:
            let reference = SnapshotReference(try named())
            let snapshot = try repository.findSnapshot(reference.snapshot)
            try repository.loadIndex()
            let tree = try TreeWalker(repository: repository).tree(at: reference.subfolder, in: snapshot)
            try Self.write(try repository.loadBlob(.tree, tree), to: FileDescriptor(owning: dup(1)))
        }
        return .success
    }

    private func named() throws -> String {
        guard let id, !id.isEmpty else { throw CommandFailure(vi: "chưa nêu mã", en: "no ID was named") }
        return id
    }

    private func document(_ type: FileType, _ repository: Repository) throws -> [UInt8] {
        try repository.readDocument(type, try repository.findFile(type, try named()).id)
    }

    private func blob(_ repository: Repository) throws -> [UInt8] {
        let prefix = try named().lowercased()
        if let whole = Digest(hex: prefix) {
            for type in [BlobType.data, .tree] where repository.contains(type, whole) { return try repository.loadBlob(type, whole) }
        } else {
            var found: Set<Digest> = []
            var type = BlobType.data
            for entry in repository.indexedPacks().lazy.flatMap(\.entries) where entry.id.hex.hasPrefix(prefix) {
                if found.insert(entry.id).inserted { type = entry.type }
            }
            if found.count > 1 { throw CommandFailure(vi: "'\(prefix)' chỉ đến nhiều khối", en: "'\(prefix)' means several blobs") }
            if let only = found.first { return try repository.loadBlob(type, only) }
        }
        throw CommandFailure(vi: "không có khối '\(escapedForDisplay(prefix))'", en: "there is no blob '\(escapedForDisplay(prefix))'")
    }

    private static func write(_ bytes: [UInt8], to output: borrowing FileDescriptor) throws(RepositoryError) {
        do throws(SystemError) { try output.writeAll(bytes, path: "") } catch { throw .storage(error) }
    }
}
