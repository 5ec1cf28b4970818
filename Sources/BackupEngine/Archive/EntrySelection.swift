internal import Platform

/// What of the sources is left out. The meaning of each rule is restic's.
package struct EntrySelection: Sendable {
    /// A file that marks its directory as not worth a backup: of the directory only this file is kept.
    package struct Marker: Sendable, Hashable {
        package var name: [UInt8]
        /// What the file must begin with; empty for any content.
        package var header: [UInt8]

        package init(name: [UInt8], header: [UInt8] = []) {
            self.name = name
            self.header = header
        }

        /// `CACHEDIR.TAG` of the Cache Directory Tagging Specification.
        package static let cache = Marker(
            name: Array("CACHEDIR.TAG".utf8), header: Array("Signature: 8a477f597d28d172789f06886806bc55".utf8))
    }

    package var patterns: PathPatterns
    /// Patterns that are compared without regard to case.
    package var caselessPatterns: PathPatterns
    package var markers: [Marker]
    /// Larger files are left out; bytes.
    package var largestFileBytes: UInt64?

    /// - Throws: `.invalidArgument` for a malformed pattern.
    package init(
        excludes: [String] = [], caselessExcludes: [String] = [], markers: [Marker] = [], largestFileBytes: UInt64? = nil
    ) throws(RepositoryError) {
        patterns = try PathPatterns(excludes)
        caselessPatterns = try PathPatterns(caselessExcludes.map { $0.lowercased() })
        self.markers = markers
        self.largestFileBytes = largestFileBytes
    }

    /// True when the entry at this path, seen from the root, is left out.
    func excludes(_ components: [[UInt8]]) -> Bool {
        if !patterns.isEmpty && patterns.matches(components) { return true }
        if caselessPatterns.isEmpty { return false }
        return caselessPatterns.matches(components.map { Array(String(decoding: $0, as: UTF8.self).lowercased().utf8) })
    }

    func excludes(_ status: FileStatus) -> Bool {
        guard let largestFileBytes else { return false }
        return status.kind == .file && status.sizeBytes > largestFileBytes
    }

    /// The entries of a directory that are kept, given all its names.
    func keptNames(_ names: [[UInt8]], in directory: borrowing FileDescriptor) -> [[UInt8]] {
        for marker in markers where names.contains(marker.name) && marker.isValid(in: directory) { return [marker.name] }
        return names
    }
}

extension EntrySelection.Marker {
    /// A marker that cannot be read marks nothing: what is not known to be worthless is kept.
    fileprivate func isValid(in directory: borrowing FileDescriptor) -> Bool {
        if header.isEmpty { return true }
        guard let file = try? directory.openEntryForReading(name, isDirectory: false) else { return false }
        var start = [UInt8](repeating: 0, count: header.count)
        let descriptor = file.raw
        let count = try? unsafe start.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) -> Int in
            try unsafe FileDescriptor.read(descriptor, into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
        return count == header.count && start == header
    }
}
