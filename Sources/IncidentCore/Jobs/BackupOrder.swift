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
        package var reference: RepositoryReference
        /// How much of a local file system the backup leaves free; nil: no limit of ours.
        package var floor: SpaceFloor?
        /// Snapshots that the ledger knows: they need not be read again.
        package var known: [String]

        package var repository: String { reference.name }

        package init(_ reference: RepositoryReference, floor: SpaceFloor? = nil, known: [String] = []) {
            self.reference = reference
            self.floor = floor
            self.known = known
        }
    }

    package var job: String
    package var sources: [Source]
    /// Databases and commands.
    package var streams: [StreamSetting] = []
    package var targets: [Target]
    package var hostname: String
    package var asset: String?
    /// The incident that is an alarm at the start: the snapshots say so in a tag, for people with other tools.
    package var alarm: String?

    package init(job: String, sources: [Source], targets: [Target], hostname: String, asset: String? = nil, alarm: String? = nil) {
        self.job = job
        self.sources = sources
        self.targets = targets
        self.hostname = hostname
        self.asset = asset
        self.alarm = alarm
    }

    /// The order for a job of the configuration.
    ///
    /// - Throws: `.notFound` for an unknown job, with the nearest name.
    /// - Parameters:
    ///   - alarm: The open alarm, if there is one: a floor holds then in any case.
    ///   - known: Snapshots that the ledger knows, by repository.
    package init(
        job name: String, of configuration: Configuration, hostname: String, alarm: String? = nil, known: [String: [String]] = [:]
    ) throws {
        guard let job = configuration.backup.job(named: name) else {
            throw IncidentService.unknown(
                Phrase(vi: "việc sao lưu", en: "backup job"), name, among: configuration.backup.jobs.map(\.name))
        }
        self.init(
            job: job.name,
            sources: try job.sources.map { Source(paths: try $0.paths.map(wireText), excludes: $0.excludes) },
            targets: try job.repositories.compactMap { configuration.backup.repository(named: $0) }.map {
                Target(
                    try RepositoryReference($0), floor: SpaceFloor.forBackup(to: $0, isAlarmed: alarm != nil), known: known[$0.name] ?? [])
            }, hostname: hostname, asset: job.asset, alarm: alarm)
        streams = job.streams
    }

    /// The tag by which snapshots of a job are known in every repository.
    package static func tag(for job: String) -> String { "job:\(job)" }

    /// On snapshots that were begun while an alarm was open.
    package static let suspectTag = "suspect"

    var tags: [String] { [Self.tag(for: job)] + (alarm == nil ? [] : [Self.suspectTag]) }

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
