internal import Glibc
internal import Platform

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
