import Platform
import TestSupport
import Testing

/// The files of this repository, as text.
enum Repository {
    /// The root: `SENTINEL_ROOT` when set, else two folders above this file.
    static let root = environmentValue("SENTINEL_ROOT").map { FilePath($0) } ?? FilePath(#filePath).parent.parent.parent

    /// What a build makes, and what git keeps for itself.
    private static let skipped: Set<String> = [".git", "var", "__pycache__", "Package.resolved", "DerivedData"]

    /// Paths relative to the root, sorted: everything below `folder` whose name ends in `suffix`.
    static func files(in folder: String = "", endingIn suffix: String = "") throws -> [String] {
        var found: [String] = []
        var pending = [folder]
        while let next = pending.popLast() {
            let directory = next.isEmpty ? root : root / next
            for name in directoryEntries(directory) {
                let text = try #require(String(validating: name, as: UTF8.self))
                let path = next.isEmpty ? text : "\(next)/\(text)"
                if skipped.contains(text) || text.hasPrefix(".build") { continue }
                switch try FileStatus.ofLink(root / path).kind {
                case .directory: pending.append(path)
                case .file: if text.hasSuffix(suffix) { found.append(path) }
                default: continue
                }
            }
        }
        return found.sorted()
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try DurableFiles.read(root / path, limit: 16 << 20), as: UTF8.self)
    }
}

/// Swift source without its comments and the contents of its strings, line numbers kept.
///
/// Knows `//`, nested `/* */`, `"…"`, `"""…"""` and `#"…"#`; code inside `\(…)` is dropped with its string.
func codeOnly(_ source: String) -> String {
    let bytes = Array(source.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    func starts(_ text: String, at place: Int) -> Bool { bytes[place...].starts(with: text.utf8) }
    func skip(_ count: Int) {
        for byte in bytes[index..<min(bytes.count, index + count)] where byte == UInt8(ascii: "\n") { result.append(byte) }
        index += count
    }
    while index < bytes.count {
        if starts("//", at: index) {
            while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        } else if starts("/*", at: index) {
            var depth = 0
            repeat {
                if starts("/*", at: index) {
                    depth += 1
                    skip(2)
                } else if starts("*/", at: index) {
                    depth -= 1
                    skip(2)
                } else {
                    skip(1)
                }
            } while depth > 0 && index < bytes.count
        } else if bytes[index] == UInt8(ascii: "\"") || starts("#\"", at: index) {
            let isRaw = bytes[index] == UInt8(ascii: "#")
            if isRaw { index += 1 }
            let quotes = starts("\"\"\"", at: index) ? "\"\"\"" : "\""
            let closing = quotes + (isRaw ? "#" : "")
            index += quotes.utf8.count
            result += Array("\"\"".utf8)
            while index < bytes.count, !starts(closing, at: index) {
                skip(!isRaw && bytes[index] == UInt8(ascii: "\\") ? 2 : 1)
            }
            index += closing.utf8.count
        } else {
            result.append(bytes[index])
            index += 1
        }
    }
    return String(decoding: result, as: UTF8.self)
}

/// Lines of `code` that contain one of `words` as a whole word, as `path:line: word`.
func occurrences(of words: [String], in code: String, path: String) -> [String] {
    func isNamePart(_ character: Character) -> Bool { character.isLetter || character.isNumber || character == "_" }
    var found: [String] = []
    for (number, line) in code.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        for word in words {
            for range in line.ranges(of: word) {
                let before = range.lowerBound == line.startIndex ? " " : line[line.index(before: range.lowerBound)]
                let after = range.upperBound == line.endIndex ? " " : line[range.upperBound]
                let isWord = !isNamePart(before) && !(isNamePart(after) && isNamePart(word.last ?? " "))
                if isWord { found.append("\(path):\(number + 1): \(word)") }
            }
        }
    }
    return found
}
