internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Glibc
internal import Platform
internal import RemoteStorage

/// Which repository, and its password: the options and variables that restic users know.
struct RepositoryOptions: ParsableArguments {
    @Option(name: [.customShort("r"), .long], help: ArgumentHelp(help("Kho sao lưu (hoặc RESTIC_REPOSITORY).", "The repository (or RESTIC_REPOSITORY).")))
    var repo: String?

    @Option(
        name: [.customShort("p"), .long],
        help: ArgumentHelp(help("Tệp chứa mật khẩu (hoặc RESTIC_PASSWORD_FILE).", "File with the password (or RESTIC_PASSWORD_FILE).")))
    var passwordFile: String?

    @Option(help: ArgumentHelp(help("Lệnh in ra mật khẩu (hoặc RESTIC_PASSWORD_COMMAND).", "Command that prints the password (or RESTIC_PASSWORD_COMMAND).")))
    var passwordCommand: String?

    func location() throws -> RepositoryLocation {
        guard let name = repo ?? environmentValue("RESTIC_REPOSITORY"), !name.isEmpty else {
            throw CommandFailure(
                vi: "chưa nêu kho sao lưu", en: "no repository was named",
                hint: Phrase(vi: "dùng -r ĐƯỜNG-DẪN hoặc đặt RESTIC_REPOSITORY", en: "use -r PATH or set RESTIC_REPOSITORY"))
        }
        return try RepositoryLocation(name)
    }

    func storage() throws -> any Backend { try Storage.open(try location()) }

    /// The password, from the first source that is set: option, then environment, then the terminal.
    func password(confirming: Bool = false) async throws -> [UInt8] {
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

    func open(writing: WriteSettings = WriteSettings()) async throws -> Repository {
        try Repository.open(in: try storage(), password: try await password(), writing: writing)
    }
}

/// Passwords as bytes: from files, commands and the terminal.
enum PasswordText {
    /// restic's rule: a byte order mark is removed, then white space at both ends.
    static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        var slice = bytes[...]
        if slice.starts(with: [0xEF, 0xBB, 0xBF]) { slice = slice.dropFirst(3) }
        func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
        while let byte = slice.first, isSpace(byte) { slice = slice.dropFirst() }
        while let byte = slice.last, isSpace(byte) { slice = slice.dropLast() }
        return Array(slice)
    }

    /// Standard output of a command given as words; quotes group, no shell is involved.
    static func output(of command: String) async throws -> [UInt8] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        var isOpen = false
        for character in command {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                isOpen = true
            } else if character == " " {
                if isOpen || !word.isEmpty { words.append(word) }
                word = ""
                isOpen = false
            } else {
                word.append(character)
            }
        }
        if isOpen || !word.isEmpty { words.append(word) }
        guard let program = words.first else {
            throw CommandFailure(vi: "lệnh lấy mật khẩu rỗng", en: "the password command is empty")
        }
        let executable = program.hasPrefix("/") ? program : resolve(program)
        guard let executable else {
            throw CommandFailure(vi: "không tìm thấy lệnh '\(escapedForDisplay(program))'", en: "command not found: '\(escapedForDisplay(program))'")
        }
        words[0] = executable
        var environment: [String: String] = [:]
        for name in ["PATH", "HOME", "USER", "LANG", "XDG_RUNTIME_DIR"] { environment[name] = environmentValue(name) }
        let result = try await CommandRunner().run(CommandRequest(argv: words, environment: environment, timeoutSeconds: 60, outputLimitBytes: 64 << 10))
        guard result.isSuccess else {
            throw CommandFailure(vi: "lệnh lấy mật khẩu thất bại", en: "the password command failed")
        }
        return result.stdout
    }

    private static func resolve(_ program: String) -> String? {
        for directory in (environmentValue("PATH") ?? "/usr/bin:/bin").split(separator: ":") {
            let candidate = "\(directory)/\(program)"
            if unsafe access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }

    /// Reads one line from the terminal without showing it.
    static func ask(_ prompt: String) throws -> [UInt8] {
        var settings = termios()
        unsafe tcgetattr(0, &settings)
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        unsafe tcsetattr(0, TCSAFLUSH, &silent)
        defer {
            unsafe tcsetattr(0, TCSAFLUSH, &settings)
            print("", terminator: "\n")
        }
        print(prompt, terminator: "")
        fflush(nil)
        guard let line = readLine(strippingNewline: true) else { throw CancellationError() }
        return Array(line.utf8)
    }
}
