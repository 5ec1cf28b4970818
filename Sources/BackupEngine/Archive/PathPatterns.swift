internal import Platform

/// A list of path patterns with the meaning of restic's `--exclude` and `--include`.
///
/// A pattern is split at slashes and compared component by component: one that starts with a slash is anchored at the root, another may
/// start at any component. `**` stands for any number of components; the rest is ``GlobComponent``. A pattern that matches a directory
/// matches everything below it. `!pattern` takes back what earlier patterns matched.
package struct PathPatterns: Sendable {
    private enum Part: Sendable, Hashable {
        case literal([UInt8])
        case glob(GlobComponent)
        case anyDepth
    }
    private struct Pattern: Sendable {
        let isAnchored: Bool
        let isNegated: Bool
        let parts: [Part]
    }
    private let patterns: [Pattern]
    private let hasNegated: Bool

    /// - Throws: `.invalidArgument` for a malformed pattern. Empty patterns are ignored.
    package init(_ texts: [String]) throws(RepositoryError) {
        var patterns: [Pattern] = []
        for text in texts where !text.isEmpty {
            var bytes = Array(text.utf8)
            let isNegated = bytes.first == UInt8(ascii: "!")
            if isNegated { bytes.removeFirst() }
            let path = FilePath(bytes: bytes).normalised
            var parts: [Part] = []
            for component in path.components {
                if component == Array("**".utf8) {
                    if parts.last != .anyDepth { parts.append(.anyDepth) }
                } else if !component.contains(where: { "\\[]*?".utf8.contains($0) }) {
                    parts.append(.literal(component))
                } else if let glob = GlobComponent(component) {
                    parts.append(.glob(glob))
                } else {
                    let shown = escapedForDisplay(text)
                    throw RepositoryError(
                        .invalidArgument, Phrase(vi: "mẫu đường dẫn sai: '\(shown)'", en: "malformed path pattern: '\(shown)'"),
                        hint: Phrase(
                            vi: "đóng mọi ngoặc '[', và đặt '\\' trước ký tự đặc biệt", en: "close every '[', and put '\\' before a special character"))
                }
            }
            patterns.append(Pattern(isAnchored: path.isAbsolute, isNegated: isNegated, parts: parts))
        }
        self.patterns = patterns
        hasNegated = patterns.contains { $0.isNegated }
    }

    package var isEmpty: Bool { patterns.isEmpty }

    /// True when the path of these components, seen from the root, is matched.
    package func matches(_ path: [[UInt8]]) -> Bool {
        var isMatched = false
        for pattern in patterns {
            if pattern.isNegated {
                isMatched = isMatched && !Self.matches(pattern, path)
            } else if !isMatched {
                isMatched = Self.matches(pattern, path)
                if isMatched && !hasNegated { return true }
            }
        }
        return isMatched
    }

    /// True when something below this directory might be matched: whether it is worth entering.
    package func mayMatchBelow(_ path: [[UInt8]]) -> Bool {
        patterns.contains { pattern in
            if pattern.isNegated { return false }
            if !pattern.isAnchored { return true }
            let fixed = pattern.parts.prefix { $0 != .anyDepth }
            return zip(fixed, path).allSatisfy { Self.matches($0, $1) }
        }
    }

    /// The same walk as for `*` in one component, one level up: `**` is a run of components, an unanchored pattern begins with one,
    /// and every pattern ends with one.
    private static func matches(_ pattern: Pattern, _ path: [[UInt8]]) -> Bool {
        var part = 0
        var position = 0
        var retry: (part: Int, position: Int)? = pattern.isAnchored ? nil : (0, 0)
        while true {
            if part == pattern.parts.count { return true }
            if pattern.parts[part] == .anyDepth {
                part += 1
                retry = (part, position)
                continue
            }
            if position < path.count, matches(pattern.parts[part], path[position]) {
                part += 1
                position += 1
                continue
            }
            guard let last = retry, last.position < path.count else { return false }
            retry = (last.part, last.position + 1)
            (part, position) = (last.part, last.position + 1)
        }
    }

    private static func matches(_ part: Part, _ component: [UInt8]) -> Bool {
        switch part {
        case .literal(let literal): literal == component
        case .glob(let glob): glob.matches(component)
        case .anyDepth: true
        }
    }
}
