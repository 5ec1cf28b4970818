package import Platform

/// A tree (or one file) that is kept under observation.
package struct WatchRule: Sendable, Hashable, Codable {
    /// Stable name for reports and coverage.
    package let id: String
    /// Absolute and normalised.
    package let path: FilePath
    package let excludes: [GlobPattern]
    /// Mounted file systems below the root are left out. File systems of the kernel (proc, sysfs, …) always are.
    package let staysOnFileSystem: Bool

    /// The largest number of exclude patterns of one rule.
    package static let maximumExcludes = 1000

    /// - Parameters:
    ///   - id: The path when nil.
    ///   - excludes: See ``GlobPattern``.
    /// - Throws: ``IntegrityError`` `.invalidRule` for a relative path or a bad pattern.
    package init(
        path: FilePath, excludes: [String] = [], id: String? = nil, staysOnFileSystem: Bool = false
    ) throws(IntegrityError) {
        if !path.isAbsolute || excludes.count > Self.maximumExcludes {
            throw IntegrityError(
                code: .invalidRule,
                message: Phrase(
                    vi: "đường dẫn theo dõi '\(path)' phải là đường dẫn tuyệt đối",
                    en: "the watched path '\(path)' must be absolute"), hint: nil)
        }
        self.path = path.normalised
        self.id = id ?? path.description
        self.staysOnFileSystem = staysOnFileSystem
        var patterns: [GlobPattern] = []
        for text in excludes { patterns.append(try GlobPattern(text)) }
        self.excludes = patterns
    }

    /// True when a pattern matches the entry itself.
    func excludes(_ path: FilePath) -> Bool {
        for pattern in excludes where pattern.matches(path, root: self.path) { return true }
        return false
    }

    private enum CodingKeys: String, CodingKey { case id, path, excludes, staysOnFileSystem }

    /// The path is carried as its bytes: not every path is text.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(path.bytes, forKey: .path)
        try container.encode(excludes.map(\.text), forKey: .excludes)
        try container.encode(staysOnFileSystem, forKey: .staysOnFileSystem)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            path: FilePath(bytes: try container.decode([UInt8].self, forKey: .path)),
            excludes: try container.decode([String].self, forKey: .excludes),
            id: try container.decode(String.self, forKey: .id),
            staysOnFileSystem: try container.decode(Bool.self, forKey: .staysOnFileSystem))
    }
}
