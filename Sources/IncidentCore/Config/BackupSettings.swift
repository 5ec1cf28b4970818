package import Platform

/// Where backups go, and what is backed up.
package struct BackupSettings: Sendable, Hashable {
    package let repositories: [RepositorySetting]
    package let jobs: [BackupJobSetting]

    package func repository(named name: String) -> RepositorySetting? { repositories.first { $0.name == name } }
    package func job(named name: String) -> BackupJobSetting? { jobs.first { $0.name == name } }
}

/// Where a secret lies. The secret itself never stands in the config.
package enum SecretReference: Sendable, Hashable {
    /// A systemd credential, or a file of this name in the keys directory.
    case credential(String)
    case file(FilePath)
}

/// One backup job.
package struct BackupJobSetting: Sendable, Hashable {
    package let name: String
    package let sources: [FileSource]
    /// Databases and commands.
    package let streams: [StreamSetting]
    /// Names of repositories, in order, without repetition.
    package let repositories: [String]
    /// nil: only on demand.
    package let schedule: Schedule?
    /// nil: nothing is ever deleted because of this job.
    package let retention: Retention?
    package let objectives: RecoveryObjectives
    /// Name of an ``Asset``.
    package let asset: String?
}

/// Files and directories that are backed up together.
package struct FileSource: Sendable, Hashable {
    package let paths: [FilePath]
    /// Patterns, with restic's meaning.
    package let excludes: [String]
}

/// What restoring must achieve; nil means that nothing was promised.
package struct RecoveryObjectives: Sendable, Hashable {
    /// At most this much work may be lost: the age of the newest good snapshot.
    package let recoveryPointSeconds: Int?
    /// Restoring may take this long.
    package let recoveryTimeSeconds: Int?
}

/// A restore that is tried regularly.
package struct DrillSettings: Sendable, Hashable {
    package enum Assertion: Sendable, Hashable {
        /// `PRAGMA integrity_check` of a database at this path below the restored tree.
        case sqliteIntegrity(FilePath)
    }

    package let name: String
    /// Name of a ``BackupJobSetting``.
    package let job: String
    /// nil: only on demand.
    package let schedule: Schedule?
    package let assertions: [Assertion]
}
