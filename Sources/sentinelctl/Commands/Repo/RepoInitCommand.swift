internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoInitCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: help("Tạo kho sao lưu mới.", "Make a new repository."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let storage = try repository.storage()
        let made = try Repository.create(in: storage, password: try await repository.password(confirming: true))
        struct Initialized: Encodable {
            let message_type = "initialized"
            let id: String
            let repository: String
        }
        interface.line(
            interface.isJSON
                ? try jsonText(Initialized(id: made.configuration.id, repository: made.location))
                : interface(
                    "Đã tạo kho \(made.configuration.id.prefix(10)) tại \(made.location).\nGiữ kỹ mật khẩu: mất mật khẩu là mất dữ liệu.",
                    "Created repository \(made.configuration.id.prefix(10)) at \(made.location).\nKeep the password safe: without it the data is lost."))
        return .success
    }
}
