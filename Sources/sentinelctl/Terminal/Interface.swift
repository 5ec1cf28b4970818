internal import Glibc
internal import Platform

/// How this run of `sentinelctl` speaks: language, JSON or text, terminal or pipe.
struct Interface: Sendable {
    var language: Language
    var isJSON: Bool

    /// The language before options are parsed: `--lang`, then the locale. Help texts need it while they are built.
    static let initialLanguage: Language = {
        let arguments = CommandLine.arguments
        for (index, argument) in arguments.enumerated() {
            if argument == "--lang", index + 1 < arguments.count, let language = Language(rawValue: arguments[index + 1]) {
                return language
            }
            if argument.hasPrefix("--lang="), let language = Language(rawValue: String(argument.dropFirst(7))) { return language }
        }
        for name in ["SENTINEL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"] {
            if let value = environmentValue(name), let language = Language(locale: value) { return language }
        }
        return .vi
    }()

    var isTerminal: Bool { isatty(1) == 1 }
    /// True when ``progress(_:)`` shows anything.
    var showsProgress: Bool { isatty(2) == 1 }

    func callAsFunction(_ vi: String, _ en: String) -> String { language == .vi ? vi : en }
    func text(_ phrase: Phrase) -> String { phrase.text(language) }

    /// Prints one line on standard output.
    func line(_ text: String = "") { write(text + "\n", to: 1) }

    /// Prints one line on standard error.
    func warn(_ text: String) { write(text + "\n", to: 2) }

    /// A line that replaces itself; nothing when standard error is no terminal.
    func progress(_ text: String) {
        if isatty(2) == 1 { write("\r\u{1B}[K" + text, to: 2) }
    }

    func endProgress() {
        if isatty(2) == 1 { write("\r\u{1B}[K", to: 2) }
    }

    /// Prints columns; the last one is not padded. Widths count characters, not bytes, so Vietnamese lines up.
    func table(_ header: [String], _ rows: [[String]]) {
        var widths = header.map(\.count)
        for row in rows {
            for (index, cell) in row.enumerated() where index < widths.count { widths[index] = max(widths[index], cell.count) }
        }
        for row in [header] + rows {
            var text = ""
            for (index, cell) in row.enumerated() {
                text += cell
                if index < row.count - 1 { text += String(repeating: " ", count: max(0, widths[index] - cell.count) + 2) }
            }
            line(text)
        }
    }

    private func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes[done...].withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // A closed pipe ends the program by SIGPIPE, as for every tool in a pipeline; other errors have nowhere to be told.
            if count <= 0 { return }
            done += count
        }
    }
}

/// A help text in the language of this run.
func help(_ vi: String, _ en: String) -> String { Interface.initialLanguage == .vi ? vi : en }
