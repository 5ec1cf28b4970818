import Platform
import TestSupport

@testable import BackupEngine

/// A stock restic on a repository, the judge of what we write.
struct StockRestic {
    let program: String
    let repository: FilePath
    let cache: FilePath

    static let password = "correct horse"

    /// - Parameter version: Which restic; Debian's own unless a test needs another.
    /// - Throws: `MissingPeer` when it is not there.
    init(_ repository: FilePath, scratch: FilePath, version: Peer = .debianRestic) throws {
        program = try version.program()
        self.repository = repository
        cache = scratch / "cache-\(version)"
    }

    func run(_ arguments: [String], directory: FilePath? = nil, timeLimitSeconds: Double = 120) async throws -> ProcessOutput {
        try await runProcess(
            [program] + arguments, environment: environment, directory: directory, timeLimitSeconds: timeLimitSeconds)
    }

    /// What restic, and ours in a process of its own, find the repository by.
    var environment: [String: String] {
        inheritedEnvironment([
            "RESTIC_REPOSITORY": repository.utf8, "RESTIC_PASSWORD": Self.password, "RESTIC_CACHE_DIR": cache.utf8,
            // The cache directory of a child is not that of the user.
            "HOME": cache.utf8,
        ])
    }

    /// Opens the repository with ours.
    func open() throws -> Repository { try Repository.open(at: repository, password: Array(Self.password.utf8)) }

    /// A repository made by ours, with a cheap key.
    func create() throws -> Repository {
        try Repository.create(at: repository, password: Array(Self.password.utf8), cost: .fixed(n: 1024, r: 8, p: 1))
    }
}
