internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Platform

struct RepoKeyGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: help("Mật khẩu của kho sao lưu.", "Passwords of a repository."),
        subcommands: [RepoKeyListCommand.self, RepoKeyAddCommand.self, RepoKeyRemoveCommand.self, RepoKeyPasswdCommand.self])
}

struct RepoKeyListCommand: SentinelCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: help("Liệt kê các khóa.", "List the keys."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions

    private struct Line: Encodable {
        let current: Bool
        let id, userName, hostName, created: String
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let opened = try await repository.open()
        let lock = try opened.lock(exclusive: false)
        defer { lock.release() }
        let (keys, unreadable) = try opened.listKeys()
        for (id, error) in unreadable { interface.warn("\(interface("chú ý", "note")): \(id.short): \(interface.text(error.message))") }
        func created(_ key: KeyDescription) -> String { String(CivilTime(local: key.created).display.prefix(19)) }
        if interface.isJSON {
            interface.line(
                try jsonText(
                    keys.map { Line(current: $0.isCurrent, id: $0.id.hex, userName: $0.username, hostName: $0.hostname, created: created($0)) }))
            return .success
        }
        interface.table(
            [" ID", interface("Người dùng", "User"), interface("Máy", "Host"), interface("Tạo lúc", "Created")],
            keys.map { key in
                [(key.isCurrent ? "*" : " ") + key.id.short, escapedForDisplay(key.username), escapedForDisplay(key.hostname), created(key)]
            })
        return .success
    }
}

/// Options of a new key.
struct NewKeyOptions: ParsableArguments {
    @Option(help: ArgumentHelp(help("Tệp chứa mật khẩu mới.", "File with the new password."))) var newPasswordFile: String?
    @Flag(help: ArgumentHelp(help("Dùng mật khẩu rỗng (không an toàn).", "Use an empty password (insecure)."))) var newInsecureNoPassword = false
    @Option(help: ArgumentHelp(help("Tên người dùng ghi vào khóa.", "User name to record in the key."))) var user: String?
    @Option(help: ArgumentHelp(help("Tên máy ghi vào khóa.", "Host name to record in the key."))) var host: String?

    func password() throws -> [UInt8] {
        if newInsecureNoPassword {
            if newPasswordFile != nil {
                throw CommandFailure(
                    vi: "chỉ dùng một trong hai: --new-password-file, --new-insecure-no-password",
                    en: "use either --new-password-file or --new-insecure-no-password")
            }
            return []
        }
        if let file = newPasswordFile {
            let password = PasswordText.trimmed(try DurableFiles.read(FilePath(file), limit: 64 << 10))
            if password.isEmpty { throw CommandFailure(vi: "mật khẩu mới để trống", en: "the new password is empty") }
            return password
        }
        let first = try PasswordText.ask(help("Mật khẩu mới: ", "New password: "))
        guard try PasswordText.ask(help("Nhập lại: ", "Again: ")) == first else {
            throw CommandFailure(vi: "hai lần nhập không giống nhau", en: "the passwords differ")
        }
        return first
    }
}

struct RepoKeyAddCommand: SentinelCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: help("Thêm một mật khẩu.", "Add a password."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var new: NewKeyOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let opened = try await repository.open()
        let lock = try opened.lock(exclusive: false)
        defer { lock.release() }
        let id = try opened.addKey(
            password: try new.password(), username: new.user, hostname: new.host, allowsEmpty: new.newInsecureNoPassword)
        try showKey(id, "Đã lưu khóa mới", "saved new key with ID", interface)
        return .success
    }
}

struct RepoKeyRemoveCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: help("Gỡ một khóa.", "Remove a key."),
        discussion: help(
            "Ai đã từng mở kho bằng khóa này có thể còn giữ khóa chính: gỡ khóa không thu hồi được điều đó.",
            "Whoever opened the repository with it may have kept the master key: removing the key does not take that back."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Argument(help: ArgumentHelp(help("Mã của khóa.", "ID of the key."))) var id: String

    func execute(_ interface: Interface) async throws -> Int32 {
        let opened = try await repository.open()
        let lock = try opened.lock(exclusive: true)
        defer { lock.release() }
        try showKey(try opened.removeKey(id), "Đã gỡ khóa", "removed key", interface)
        return .success
    }
}

struct RepoKeyPasswdCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwd", abstract: help("Đổi mật khẩu đang dùng.", "Change the password in use."),
        discussion: help("Thêm khóa mới, thử mở kho bằng nó, rồi gỡ khóa cũ.", "Adds a new key, proves that it opens the repository, then removes the old one.")
    )

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var new: NewKeyOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let opened = try await repository.open()
        let lock = try opened.lock(exclusive: true)
        defer { lock.release() }
        let id = try opened.changePassword(
            try new.password(), username: new.user, hostname: new.host, allowsEmpty: new.newInsecureNoPassword)
        try showKey(id, "Đã lưu khóa mới", "saved new key as", interface)
        return .success
    }
}

private func showKey(_ id: Digest, _ vi: String, _ en: String, _ interface: Interface) throws {
    interface.line(interface.isJSON ? try jsonText(["message_type": "summary", "id": id.hex]) : "\(interface(vi, en)) \(id.hex)")
}
