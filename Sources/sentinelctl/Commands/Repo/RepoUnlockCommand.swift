internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoUnlockCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: help("Gỡ các khóa cũ không còn chủ.", "Remove stale locks."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Flag(help: ArgumentHelp(help("Gỡ mọi khóa, kể cả của tiến trình đang chạy.", "Remove all locks, those of running processes too."))) var removeAll = false

    func execute(_ interface: Interface) async throws -> Int32 {
        let removed = try await repository.open().unlock(removeAll: removeAll)
        interface.line(
            interface.isJSON ? try jsonText(["removed": removed]) : interface("Đã gỡ \(removed) khóa.", "Removed \(removed) locks."))
        return .success
    }
}
