import Platform
import TestSupport

@testable import BackupEngine

/// The stock restic of this machine, the judge of what we write.
struct StockRestic {
    let program: String
    let repository: FilePath
    let cache: FilePath

    static let password = "correct horse"

    /// - Returns: nil when restic is not installed.
    init?(_ repository: FilePath, scratch: FilePath) {
        guard let program = availableCommand("restic") else { return nil }
        self.program = program
        self.repository = repository
        cache = scratch / "cache"
    }

    func run(_ arguments: [String], directory: FilePath? = nil) async throws -> ProcessOutput {
        try await runProcess(
            [program] + arguments,
            environment: inheritedEnvironment([
                "RESTIC_REPOSITORY": repository.utf8, "RESTIC_PASSWORD": Self.password, "RESTIC_CACHE_DIR": cache.utf8,
                // The cache directory of a child is not that of the user.
                "HOME": cache.utf8,
            ]), directory: directory, timeLimitSeconds: 120)
    }

    /// Opens the repository with ours.
    func open() throws -> Repository { try Repository.open(at: repository, password: Array(Self.password.utf8)) }

    /// A repository made by ours, with a cheap key.
    func create() throws -> Repository {
        try Repository.create(at: repository, password: Array(Self.password.utf8), cost: .fixed(n: 1024, r: 8, p: 1))
    }
}
