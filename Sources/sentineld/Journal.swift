internal import Glibc
internal import Logging
internal import Platform
internal import Synchronization

/// Lines for the journal: one write each to standard error, with the priority prefix that journald understands.
struct Journal: LogHandler {
    /// The language of the site; the locale's until the configuration has been read.
    static let language = Mutex<Language>(environmentValue("LANG").flatMap { Language(locale: $0) } ?? .vi)
    private static let hasJournal = environmentValue("JOURNAL_STREAM") != nil

    let label: String
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .notice

    init(label: String) { self.label = label }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        Self.write(escapedForDisplay(event.message.description), priority: Self.priority(event.level), part: label)
    }

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }

    /// Writes one line: `sentineld[core]: text`.
    static func write(_ text: String, priority: Int, part: String) {
        let line = (hasJournal ? "<\(priority)>" : "") + "sentineld[\(part)]: \(text)\n"
        let bytes = Array(line.utf8)
        // There is nowhere to report that the journal is gone.
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
    }

    static func notice(_ part: String, _ phrase: Phrase) {
        write(phrase.text(language.withLock { $0 }), priority: 5, part: part)
    }

    /// An error for people: what happened, then how to mend it.
    static func report(_ part: String, _ error: any Error) {
        let language = language.withLock { $0 }
        let explained = error as? any ExplainedError
        write(explained?.message.text(language) ?? escapedForDisplay("\(error)"), priority: 3, part: part)
        if let hint = explained?.hint {
            write("\(language == .vi ? "gợi ý" : "hint"): \(hint.text(language))", priority: 3, part: part)
        }
    }
}
