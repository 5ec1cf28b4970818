package import Platform

/// A shell pattern over the bytes of a path.
///
/// `*` and `?` stop at a slash, `**` does not, `[a-z]` and `[!a-z]` are sets, `\` takes the next byte as it is.
/// A pattern without a slash is for the name of the entry at any depth; one that begins with a slash is for the whole path;
/// any other is for the path below the root of the rule. A directory that matches is left out with everything below it.
package struct GlobPattern: Sendable, Hashable {
    private enum Token: Hashable { case byte(UInt8), any, star, doubleStar, set([ClosedRange<UInt8>], isNegated: Bool) }
    private enum Scope: Hashable { case name, relative, absolute }
    package let text: String
    private let tokens: [Token]
    private let scope: Scope
    /// Longest pattern that is taken.
    package static let maximumBytes = 4096

    /// - Throws: ``IntegrityError`` `.invalidRule` for an empty, unfinished or oversized pattern.
    package init(_ text: String) throws(IntegrityError) {
        self.text = text
        var bytes = Array(text.utf8)
        if bytes.count > 1, bytes.last == FilePath.slash { bytes.removeLast() }
        scope = bytes.first == FilePath.slash ? .absolute : bytes.contains(FilePath.slash) ? .relative : .name
        if bytes.isEmpty || bytes.count > Self.maximumBytes { throw Self.invalid(text) }
        var tokens: [Token] = []
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "*"):
                let isDouble = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "*")
                if isDouble { index += 1 }
                if tokens.last != .doubleStar, !(tokens.last == .star && !isDouble) { tokens.append(isDouble ? .doubleStar : .star) }
            case UInt8(ascii: "?"): tokens.append(.any)
            case UInt8(ascii: "\\"):
                index += 1
                if index >= bytes.count { throw Self.invalid(text) }
                tokens.append(.byte(bytes[index]))
            case UInt8(ascii: "["):
                guard let (set, next) = Self.set(bytes, index + 1) else { throw Self.invalid(text) }
                tokens.append(set)
                index = next - 1
            default: tokens.append(.byte(bytes[index]))
            }
            index += 1
        }
        self.tokens = tokens
    }

    private static func invalid(_ text: String) -> IntegrityError {
        let shown = escapedForDisplay(text)
        return IntegrityError(
            code: .invalidRule,
            message: Phrase(vi: "mẫu loại trừ '\(shown)' không hợp lệ", en: "the exclude pattern '\(shown)' is not valid"),
            hint: Phrase(vi: "ví dụ: *.tmp, cache/**, /etc/mtab", en: "examples: *.tmp, cache/**, /etc/mtab"))
    }

    private static func set(_ bytes: [UInt8], _ start: Int) -> (Token, Int)? {
        var index = start
        var ranges: [ClosedRange<UInt8>] = []
        let isNegated = index < bytes.count && (bytes[index] == UInt8(ascii: "!") || bytes[index] == UInt8(ascii: "^"))
        if isNegated { index += 1 }
        let first = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "]") || index == first {
            let low = bytes[index]
            if index + 2 < bytes.count, bytes[index + 1] == UInt8(ascii: "-"), bytes[index + 2] != UInt8(ascii: "]") {
                if bytes[index + 2] < low { return nil }
                ranges.append(low...bytes[index + 2])
                index += 3
            } else {
                ranges.append(low...low)
                index += 1
            }
        }
        return index < bytes.count ? (.set(ranges, isNegated: isNegated), index + 1) : nil
    }

    /// - Parameters:
    ///   - path: An entry in the tree of `root`.
    ///   - root: The root of the rule.
    package func matches(_ path: FilePath, root: FilePath) -> Bool {
        switch scope {
        case .name: return matches(path.lastComponent)
        case .absolute: return matches(path.bytes[...])
        case .relative:
            let skipped = root.bytes.last == FilePath.slash ? root.bytes.count : root.bytes.count + 1
            return path.bytes.count > skipped && matches(path.bytes[skipped...])
        }
    }

    /// Linear backtracking over the last star of each kind: no pattern takes more than tokens x bytes steps for each of the two.
    private func matches(_ subject: ArraySlice<UInt8>) -> Bool {
        var (token, position) = (0, subject.startIndex)
        var star: (token: Int, position: Int)?
        var doubleStar: (token: Int, position: Int)?
        while true {
            if token == tokens.count, position == subject.endIndex { return true }
            if token < tokens.count {
                switch tokens[token] {
                case .star:
                    star = (token + 1, position)
                    token += 1
                    continue
                case .doubleStar:
                    doubleStar = (token + 1, position)
                    star = nil
                    token += 1
                    continue
                default:
                    if position < subject.endIndex, Self.accepts(tokens[token], subject[position]) {
                        token += 1
                        position += 1
                        continue
                    }
                }
            }
            if let last = star, last.position < subject.endIndex, subject[last.position] != FilePath.slash {
                star = (last.token, last.position + 1)
                (token, position) = (last.token, last.position + 1)
            } else if let last = doubleStar, last.position < subject.endIndex {
                doubleStar = (last.token, last.position + 1)
                star = nil
                (token, position) = (last.token, last.position + 1)
            } else {
                return false
            }
        }
    }

    private static func accepts(_ token: Token, _ byte: UInt8) -> Bool {
        switch token {
        case .byte(let wanted): byte == wanted
        case .any: byte != FilePath.slash
        case .set(let ranges, let isNegated): byte != FilePath.slash && ranges.contains { $0.contains(byte) } != isNegated
        case .star, .doubleStar: false
        }
    }
}
