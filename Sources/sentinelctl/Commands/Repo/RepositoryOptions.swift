internal import ArgumentParser
internal import BackupEngine
internal import Glibc
internal import Platform
internal import RemoteStorage

/// Which repository, how to reach it, and its password: the options and variables that restic users know.
struct RepositoryOptions: ParsableArguments {
    @Option(
        name: [.customShort("r"), .long],
        help: ArgumentHelp(
            help(
                "Kho sao lưu: đường dẫn, rest:URL hoặc rclone:TÊN:ĐƯỜNG-DẪN (hoặc RESTIC_REPOSITORY).",
                "The repository: a path, rest:URL or rclone:REMOTE:PATH (or RESTIC_REPOSITORY).")))
    var repo: String?

    @Option(help: ArgumentHelp(help("Tệp ghi tên kho (hoặc RESTIC_REPOSITORY_FILE).", "File with the name of the repository (or RESTIC_REPOSITORY_FILE).")))
    var repositoryFile: String?

    @Option(
        name: [.customShort("p"), .long],
        help: ArgumentHelp(help("Tệp chứa mật khẩu (hoặc RESTIC_PASSWORD_FILE).", "File with the password (or RESTIC_PASSWORD_FILE).")))
    var passwordFile: String?

    @Option(help: ArgumentHelp(help("Lệnh in ra mật khẩu (hoặc RESTIC_PASSWORD_COMMAND).", "Command that prints the password (or RESTIC_PASSWORD_COMMAND).")))
    var passwordCommand: String?

    @Option(help: ArgumentHelp(help("Thử khóa này trước (hoặc RESTIC_KEY_HINT).", "Key to try first (or RESTIC_KEY_HINT).")))
    var keyHint: String?

    @Flag(help: ArgumentHelp(help("Chấp nhận mật khẩu rỗng.", "Allow an empty password."))) var insecureNoPassword = false

    @OptionGroup(title: help("Kết nối", "Connection")) var connection: ConnectionOptions
    @OptionGroup(title: help("Khóa kho", "Locking")) var locking: LockOptions

    @Flag(name: .shortAndLong, help: ArgumentHelp(help("Không in tiến độ và ghi chú.", "Print no progress and no notes."))) var quiet = false

    func location() throws -> RepositoryLocation { try RepositoryLocation(try name()) }

    private func name() throws -> String {
        if let file = repositoryFile ?? (repo == nil ? environmentValue("RESTIC_REPOSITORY_FILE") : nil) {
            if repo != nil {
                throw CommandFailure(
                    vi: "chỉ dùng một trong hai: --repo và --repository-file", en: "use either --repo or --repository-file",
                    hint: Phrase(vi: "bỏ một tùy chọn", en: "leave one of them out"))
            }
            let text = String(validating: PasswordText.trimmed(try DurableFiles.read(FilePath(file), limit: 64 << 10)), as: UTF8.self)
            guard let text, !text.isEmpty else {
                throw CommandFailure(vi: "tệp tên kho rỗng hoặc không phải UTF-8", en: "the repository file is empty or not UTF-8")
            }
            return text
        }
        guard let name = repo ?? environmentValue("RESTIC_REPOSITORY"), !name.isEmpty else {
            throw CommandFailure(
                vi: "chưa nêu kho sao lưu", en: "no repository was named",
                hint: Phrase(vi: "dùng -r ĐƯỜNG-DẪN hoặc đặt RESTIC_REPOSITORY", en: "use -r PATH or set RESTIC_REPOSITORY"))
        }
        return name
    }

    /// The storage of the repository. Each call opens it anew.
    ///
    /// - Parameter cached: False for a command that must see what the server has, and not a copy of it.
    func storage(cached: Bool = true) throws -> any Backend {
        var access = try connection.access(isQuiet: quiet)
        if !cached { access.cacheDirectory = nil }
        return try Storage.open(try location(), access)
    }

    /// The password, from the first source that is set: option, then environment, then the terminal.
    func password(confirming: Bool = false) async throws -> [UInt8] {
        if insecureNoPassword {
            if passwordFile != nil || passwordCommand != nil {
                throw CommandFailure(
                    vi: "--insecure-no-password không đi cùng mật khẩu", en: "--insecure-no-password excludes a password")
            }
            return []
        }
        if let file = passwordFile ?? (passwordCommand == nil ? environmentValue("RESTIC_PASSWORD_FILE") : nil) {
            return PasswordText.trimmed(try DurableFiles.read(FilePath(file), limit: 64 << 10))
        }
        if let command = passwordCommand ?? environmentValue("RESTIC_PASSWORD_COMMAND") {
            return PasswordText.trimmed(try await PasswordText.output(of: command))
        }
        if let password = environmentValue("RESTIC_PASSWORD") { return Array(password.utf8) }
        guard isatty(0) == 1 else {
            throw CommandFailure(
                vi: "chưa có mật khẩu của kho sao lưu", en: "the password of the repository is missing",
                hint: Phrase(vi: "dùng --password-file hoặc đặt RESTIC_PASSWORD", en: "use --password-file or set RESTIC_PASSWORD"))
        }
        let first = try PasswordText.ask(help("Mật khẩu kho sao lưu: ", "Repository password: "))
        if confirming, try PasswordText.ask(help("Nhập lại: ", "Again: ")) != first {
            throw CommandFailure(vi: "hai lần nhập không giống nhau", en: "the passwords differ")
        }
        return first
    }

    /// Opens the repository, with the lock policy of the options.
    ///
    /// - Parameter cached: See ``storage(cached:)``.
    func open(cached: Bool = true, writing: WriteSettings = WriteSettings()) async throws -> Repository {
        let opened = try Repository.open(
            in: try storage(cached: cached), password: try await password(), keyHint: keyHint ?? environmentValue("RESTIC_KEY_HINT"),
            writing: writing)
        opened.lockPolicy = locking.policy(isQuiet: quiet)
        return opened
    }
}
