internal import Platform

/// What the job process is told about one backup. Names, not secrets: the job process finds the passwords itself.
package struct BackupOrder: Codable, Sendable, Equatable {
    package struct Source: Codable, Sendable, Equatable {
        package var paths: [String]
        /// Patterns with restic's meaning, for these paths only.
        package var excludes: [String]

        package init(paths: [String], excludes: [String]) {
            self.paths = paths
            self.excludes = excludes
        }
    }

    package struct Target: Codable, Sendable, Equatable {
        package var repository: String
        package var path: String

        package init(repository: String, path: String) {
            self.repository = repository
            self.path = path
        }
    }

    package var job: String
    package var sources: [Source]
    /// Databases and commands.
    package var streams: [StreamSetting] = []
    package var targets: [Target]
    package var hostname: String
    package var asset: String?

    package init(job: String, sources: [Source], targets: [Target], hostname: String, asset: String? = nil) {
        self.job = job
        self.sources = sources
        self.targets = targets
        self.hostname = hostname
        self.asset = asset
    }

    /// The order for a job of the configuration.
    ///
    /// - Throws: `.notFound` for an unknown job, with the nearest name.
    package init(job name: String, of configuration: Configuration, hostname: String) throws {
        guard let job = configuration.backup.job(named: name) else {
            throw IncidentService.unknown(
                Phrase(vi: "việc sao lưu", en: "backup job"), name, among: configuration.backup.jobs.map(\.name))
        }
        self.init(
            job: job.name,
            sources: try job.sources.map { Source(paths: try $0.paths.map(wireText), excludes: $0.excludes) },
            targets: try job.repositories.compactMap { configuration.backup.repository(named: $0) }.map {
                Target(repository: $0.name, path: try wireText($0.path))
            }, hostname: hostname, asset: job.asset)
        streams = job.streams
    }

    /// The tag by which snapshots of a job are known in every repository.
    package static func tag(for job: String) -> String { "job:\(job)" }

    /// All paths, in order, each once.
    var allPaths: [FilePath] {
        var seen: Set<String> = []
        return sources.flatMap(\.paths).filter { seen.insert($0).inserted }.map { FilePath($0) }
    }

    /// The exclusions of all sources as one list. With several sources a relative pattern is tied to its own paths, so that
    /// `*.tmp` of one source drops nothing of another.
    var allExcludes: [String] {
        let lists = sources.map(\.excludes)
        guard let first = lists.first, lists.contains(where: { $0 != first }) else { return lists.first ?? [] }
        return sources.flatMap { source in
            source.excludes.flatMap { pattern -> [String] in
                let isNegated = pattern.hasPrefix("!")
                let bare = isNegated ? String(pattern.dropFirst()) : pattern
                if bare.hasPrefix("/") { return [pattern] }
                return source.paths.map { path in
                    let root = path.hasSuffix("/") ? String(path.dropLast()) : path
                    return "\(isNegated ? "!" : "")\(root)/**/\(bare)"
                }
            }
        }
    }
}

/// A path of the configuration as text: a YAML file is UTF-8, so its paths are.
///
/// - Throws: `.invalidArgument` for any other path.
func wireText(_ path: FilePath) throws -> String {
    if let text = path.utf8 { return text }
    throw IncidentError(
        .invalidArgument, Phrase(vi: "đường dẫn '\(path)' không phải UTF-8", en: "the path '\(path)' is no UTF-8"))
}
