package import Platform

/// Lists of what to back up, read from files, in the three forms that restic knows.
package enum SourceList {
    /// One pattern per line, as of `--files-from`: white space around it does not count, nor do empty lines and those that begin with `#`.
    package static func patterns(_ text: [UInt8]) -> [String] {
        text.split(separator: UInt8(ascii: "\n"))
            .map { String(decoding: trimmed($0), as: UTF8.self) }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }

    /// One path per line, taken as it is; empty lines do not count.
    package static func verbatim(_ text: [UInt8]) -> [FilePath] {
        text.split(separator: UInt8(ascii: "\n")).map { FilePath(bytes: $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0) }.filter { !$0.isEmpty }
    }

    /// Paths that end in NUL each.
    ///
    /// - Returns: nil when a path is empty, or the last one has no end.
    package static func raw(_ bytes: [UInt8]) -> [FilePath]? {
        if bytes.isEmpty { return [] }
        guard bytes.last == 0 else { return nil }
        let parts = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
        return parts.contains { $0.isEmpty } ? nil : parts.map { FilePath(bytes: $0) }
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        var line = line
        while let byte = line.first, isSpace(byte) { line = line.dropFirst() }
        while let byte = line.last, isSpace(byte) { line = line.dropLast() }
        return line
    }

    /// The paths that a pattern of ``GlobComponent``s names, in order; a pattern without special characters names itself.
    ///
    /// - Throws: `.invalidArgument` for a malformed pattern.
    package static func expand(_ pattern: String) throws(RepositoryError) -> [FilePath] {
        let path = FilePath(pattern)
        var found: [FilePath] = [path.isAbsolute ? "/" : ""]
        for component in path.components {
            guard component.contains(where: { "\\[*?".utf8.contains($0) }) else {
                found = found.map { $0.appending(component) }
                continue
            }
            guard let glob = GlobComponent(component) else {
                let shown = escapedForDisplay(pattern)
                throw RepositoryError(.invalidArgument, Phrase(vi: "mẫu đường dẫn sai: '\(shown)'", en: "malformed path pattern: '\(shown)'"))
            }
            var next: [FilePath] = []
            for directory in found {
                // What cannot be listed matches nothing, as in Go.
                guard let opened = try? FileDescriptor.open(directory.isEmpty ? "." : directory),
                    let names = try? opened.sortedNames(limit: 1 << 24)
                else { continue }
                for name in names where glob.matches(name) { next.append(directory.appending(name)) }
            }
            found = next
        }
        return found.filter { (try? FileStatus.exists($0)) ?? false }
    }
}
