internal import ArgumentParser
internal import BackupEngine
internal import FoundationEssentials
internal import Platform

/// Backing up what a pipe or a command yields instead of files: restic's options.
struct StreamOptions: ParsableArguments {
    @Flag(help: ArgumentHelp(help("Sao lưu dữ liệu từ đầu vào chuẩn.", "Back up standard input.")))
    var stdin = false
    @Option(help: ArgumentHelp(help("Tên tệp trong bản sao lưu.", "Name of the file in the snapshot.")))
    var stdinFilename = "stdin"
    @Flag(
        help: ArgumentHelp(
            help(
                "Sao lưu dữ liệu do lệnh in ra: --stdin-from-command -- LỆNH THAM-SỐ...",
                "Back up what a command prints: --stdin-from-command -- COMMAND ARGUMENT...")))
    var stdinFromCommand = false

    var isUsed: Bool { stdin || stdinFromCommand }

    /// A month: the longest that a command may run.
    private static let longestSeconds = 30.0 * 86400

    /// - Parameter words: The arguments of the command line: the command, or what must not be there beside `--stdin`.
    /// - Returns: Empty when files are meant.
    func sources(_ words: [String]) throws -> [StreamSource] {
        if stdin && stdinFromCommand {
            throw CommandFailure(
                vi: "--stdin và --stdin-from-command không dùng cùng nhau", en: "--stdin and --stdin-from-command cannot be used together")
        }
        if !isUsed { return [] }
        let path = FilePath("/\(stdinFilename)").normalised
        if path.components.isEmpty {
            throw CommandFailure(
                vi: "tên '\(escapedForDisplay(stdinFilename))' không dùng được cho --stdin-filename",
                en: "'\(escapedForDisplay(stdinFilename))' is no name for --stdin-filename")
        }
        if stdin {
            if !words.isEmpty {
                throw CommandFailure(
                    vi: "đã có --stdin thì không nêu tệp hay thư mục", en: "--stdin was specified and files/dirs were listed as arguments")
            }
            return [StreamSource(path: path, producer: StandardInputProducer())]
        }
        guard let name = words.first else {
            throw CommandFailure(
                vi: "chưa nêu lệnh cho --stdin-from-command", en: "no command was specified as argument",
                hint: Phrase(verbatim: "repo backup --stdin-from-command -- pg_dump -Fc -Z0 motcua"))
        }
        guard let program = executable(named: name) else {
            throw CommandFailure(vi: "không tìm thấy lệnh '\(escapedForDisplay(name))'", en: "command not found: '\(escapedForDisplay(name))'")
        }
        // The environment is handed on, as restic does: the command is the caller's own.
        let request = CommandRequest(
            argv: [program] + words.dropFirst(), environment: ProcessInfo.processInfo.environment, timeoutSeconds: Self.longestSeconds,
            outputLimitBytes: 16 << 10, workingDirectory: try WorkingDirectory.current())
        return [StreamSource(path: path, producer: CommandProducer(request))]
    }

    /// As a shell looks for it: a name with a slash is a path, any other is looked up in PATH.
    private func executable(named name: String) -> String? {
        func isProgram(_ path: FilePath) -> Bool {
            guard let status = try? FileStatus.of(path) else { return false }
            return status.kind == .file && status.mode & 0o111 != 0
        }
        if name.contains("/") {
            let path = name.hasPrefix("/") ? FilePath(name) : (try? WorkingDirectory.current())?.appending(name.utf8)
            return path.flatMap { isProgram($0) ? $0.utf8 : nil }
        }
        for directory in (environmentValue("PATH") ?? "/usr/bin:/bin").split(separator: ":") where directory.hasPrefix("/") {
            let path = FilePath(String(directory)) / name
            if isProgram(path) { return path.utf8 }
        }
        return nil
    }
}
