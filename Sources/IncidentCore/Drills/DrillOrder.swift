package import Platform

/// What the job process is told about one drill.
package struct DrillOrder: Codable, Sendable, Equatable {
    package var drill: String
    package var job: String
    package var reference: RepositoryReference
    /// Snapshots of this host only.
    package var hostname: String
    /// Private directory of drills; a fresh one is made in it and removed again.
    package var scratch: String
    /// Databases that must pass SQLite's own check: a path inside the snapshot, or its end such as `app.db`.
    package var sqliteDatabases: [String]
    package var recoveryTimeObjectiveSeconds: Int?
    package var recoveryPointObjectiveSeconds: Int?
    package var asset: String?

    package var repository: String { reference.name }

    package init(
        drill: String, job: String, reference: RepositoryReference, hostname: String, scratch: String,
        sqliteDatabases: [String] = [], recoveryTimeObjectiveSeconds: Int? = nil, recoveryPointObjectiveSeconds: Int? = nil,
        asset: String? = nil
    ) {
        self.drill = drill
        self.job = job
        self.reference = reference
        self.hostname = hostname
        self.scratch = scratch
        self.sqliteDatabases = sqliteDatabases
        self.recoveryTimeObjectiveSeconds = recoveryTimeObjectiveSeconds
        self.recoveryPointObjectiveSeconds = recoveryPointObjectiveSeconds
        self.asset = asset
    }

    /// The order for a drill of the configuration. It restores from the job's first repository, as people would.
    ///
    /// - Throws: `.notFound` for an unknown drill, with the nearest name.
    package init(drill name: String, of configuration: Configuration, hostname: String, scratch: FilePath) throws {
        guard let drill = configuration.drill(named: name) else {
            throw IncidentService.unknown(Phrase(vi: "cuộc diễn tập", en: "drill"), name, among: configuration.drills.map(\.name))
        }
        guard let job = configuration.backup.job(named: drill.job), let first = job.repositories.first,
            let repository = configuration.backup.repository(named: first)
        else {
            throw IncidentError(
                .notFound, Phrase(vi: "việc sao lưu '\(drill.job)' không còn", en: "the backup job '\(drill.job)' is gone"))
        }
        self.init(
            drill: drill.name, job: job.name, reference: try RepositoryReference(repository),
            hostname: hostname, scratch: try wireText(scratch),
            sqliteDatabases: try drill.assertions.map { assertion in
                switch assertion {
                case .sqliteIntegrity(let path): try wireText(path)
                }
            },
            recoveryTimeObjectiveSeconds: job.objectives.recoveryTimeSeconds,
            recoveryPointObjectiveSeconds: job.objectives.recoveryPointSeconds, asset: job.asset)
    }
}
