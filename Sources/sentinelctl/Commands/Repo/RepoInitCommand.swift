internal import ArgumentParser
internal import BackupEngine
internal import Platform
internal import RemoteStorage

struct RepoInitCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: help("Tạo kho sao lưu mới.", "Make a new repository."),
        discussion: help(
            """
            Cách cắt tệp được chọn một lần cho cả đời kho: 'gear' nhanh hơn; 'rabin' là cách của restic, cho kho mà restic cũng ghi vào.
            """,
            """
            How files are cut is chosen once for the life of a repository: 'gear' is faster; 'rabin' is restic's way, for repositories that restic
            writes to as well.
            """))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Option(help: ArgumentHelp(help("Cách cắt tệp: gear hoặc rabin.", "How files are cut: gear or rabin."))) var chunker: String?
    @Option(help: ArgumentHelp(help("Phiên bản định dạng: 1, 2, stable, latest.", "Version of the format: 1, 2, stable, latest.")))
    var repositoryVersion = "stable"
    @Flag(help: ArgumentHelp(help("Cắt tệp như kho nêu ở --from-repo.", "Cut files like the repository of --from-repo."))) var copyChunkerParams = false
    @Option(help: ArgumentHelp(help("Kho có sẵn (hoặc RESTIC_FROM_REPOSITORY).", "Another repository (or RESTIC_FROM_REPOSITORY).")))
    var fromRepo: String?
    @Option(help: ArgumentHelp(help("Tệp mật khẩu của kho đó (hoặc RESTIC_FROM_PASSWORD_FILE).", "Its password file (or RESTIC_FROM_PASSWORD_FILE).")))
    var fromPasswordFile: String?
    @Option(
        help: ArgumentHelp(help("Lệnh in ra mật khẩu đó (hoặc RESTIC_FROM_PASSWORD_COMMAND).", "Command for that password (or RESTIC_FROM_PASSWORD_COMMAND).")))
    var fromPasswordCommand: String?

    private struct Initialized: Encodable {
        let message_type = "initialized"
        let id: String
        let repository: String
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        var form = RepositoryForm()
        form.version = try version()
        form.chunker = try await chunkerChoice()
        let storage = try repository.storage()
        let made = try Repository.create(in: storage, password: try await repository.password(confirming: true), form: form)
        interface.line(
            interface.isJSON
                ? try jsonText(Initialized(id: made.configuration.id, repository: made.location))
                : interface(
                    "Đã tạo kho \(made.configuration.id.prefix(10)) tại \(made.location).\nGiữ kỹ mật khẩu: mất mật khẩu là mất dữ liệu.",
                    "Created repository \(made.configuration.id.prefix(10)) at \(made.location).\nKeep the password safe: without it the data is lost."))
        return .success
    }

    private func version() throws -> Int {
        switch repositoryVersion {
        case "1": return 1
        case "2", "stable", "latest", "": return 2
        default:
            throw CommandFailure(
                vi: "không có định dạng '\(escapedForDisplay(repositoryVersion))'", en: "there is no format '\(escapedForDisplay(repositoryVersion))'",
                hint: Phrase(verbatim: "1, 2, stable, latest"))
        }
    }

    private func chunkerChoice() async throws -> RepositoryForm.Chunker {
        if copyChunkerParams {
            if chunker != nil {
                throw CommandFailure(
                    vi: "--chunker không đi cùng --copy-chunker-params", en: "--chunker and --copy-chunker-params exclude each other")
            }
            return .like(try await otherConfiguration())
        }
        if fromRepo != nil {
            throw CommandFailure(
                vi: "--from-repo chỉ dùng cùng --copy-chunker-params", en: "--from-repo needs --copy-chunker-params")
        }
        switch chunker {
        case "gear"? where try version() < 2:
            throw CommandFailure(
                vi: "'gear' cần định dạng 2", en: "'gear' needs format 2",
                hint: Phrase(vi: "bỏ --repository-version 1, hoặc dùng --chunker rabin", en: "leave out --repository-version 1, or use --chunker rabin"))
        case nil, "gear": return .gear
        case "rabin": return .rabin
        case let name?:
            throw CommandFailure(
                vi: "không có cách cắt '\(escapedForDisplay(name))'", en: "there is no chunker '\(escapedForDisplay(name))'",
                hint: Phrase(verbatim: "gear, rabin"))
        }
    }

    /// The configuration of the repository to take after.
    private func otherConfiguration() async throws -> RepositoryConfiguration {
        guard let name = fromRepo ?? environmentValue("RESTIC_FROM_REPOSITORY"), !name.isEmpty else {
            throw CommandFailure(
                vi: "chưa nêu kho để lấy cách cắt", en: "the repository to copy the chunker from was not named",
                hint: Phrase(vi: "dùng --from-repo", en: "use --from-repo"))
        }
        let password: [UInt8]
        if let file = fromPasswordFile ?? environmentValue("RESTIC_FROM_PASSWORD_FILE") {
            password = PasswordText.trimmed(try DurableFiles.read(FilePath(file), limit: 64 << 10))
        } else if let command = fromPasswordCommand ?? environmentValue("RESTIC_FROM_PASSWORD_COMMAND") {
            password = PasswordText.trimmed(try await PasswordText.output(of: command))
        } else if let text = environmentValue("RESTIC_FROM_PASSWORD") {
            password = Array(text.utf8)
        } else {
            password = try PasswordText.ask(help("Mật khẩu kho nguồn: ", "Password of the source repository: "))
        }
        return try Repository.open(in: try Storage.open(try RepositoryLocation(name)), password: password).configuration
    }
}
