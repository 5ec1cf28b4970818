internal import Platform

/// Which entries of a snapshot are wanted: the four lists of patterns of `restore`.
struct PathSelection: Sendable {
    var include: PathPatterns
    var exclude: PathPatterns
    /// Patterns in lower case, compared with paths in lower case.
    var includeIgnoringCase: PathPatterns
    var excludeIgnoringCase: PathPatterns
    private let hasInclude: Bool
    private let ignoresCase: Bool

    /// - Throws: `.invalidArgument` for a malformed pattern.
    init(
        include: [String] = [], exclude: [String] = [], includeIgnoringCase: [String] = [], excludeIgnoringCase: [String] = []
    ) throws(RepositoryError) {
        self.include = try PathPatterns(include)
        self.exclude = try PathPatterns(exclude)
        self.includeIgnoringCase = try PathPatterns(includeIgnoringCase.map { $0.lowercased() })
        self.excludeIgnoringCase = try PathPatterns(excludeIgnoringCase.map { $0.lowercased() })
        hasInclude = !self.include.isEmpty || !self.includeIgnoringCase.isEmpty
        ignoresCase = !self.includeIgnoringCase.isEmpty || !self.excludeIgnoringCase.isEmpty
    }

    /// Everything is wanted.
    var isEmpty: Bool { !hasInclude && exclude.isEmpty && excludeIgnoringCase.isEmpty }

    /// Whether an entry is wanted, and whether something below it may be.
    func select(_ components: [[UInt8]]) -> (isSelected: Bool, isEntered: Bool) {
        if isEmpty { return (true, true) }
        let folded = ignoresCase ? components.map(Self.lowercased) : []
        if !exclude.isEmpty && exclude.matches(components) { return (false, false) }
        if !excludeIgnoringCase.isEmpty && excludeIgnoringCase.matches(folded) { return (false, false) }
        if !hasInclude || include.matches(components) || ignoresCase && includeIgnoringCase.matches(folded) { return (true, true) }
        return (false, include.mayMatchBelow(components) || ignoresCase && includeIgnoringCase.mayMatchBelow(folded))
    }

    /// By Unicode's rules where the bytes are text, else by those of ASCII.
    static func lowercased(_ name: [UInt8]) -> [UInt8] {
        if name.allSatisfy({ $0 < 0x80 }) || String(validating: name, as: UTF8.self) == nil {
            return name.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }
        }
        return Array(String(decoding: name, as: UTF8.self).lowercased().utf8)
    }
}
