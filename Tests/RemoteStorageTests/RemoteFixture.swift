import BackupEngine
import Platform
import RemoteStorage
import TestSupport
import Testing

let remotePassword = Array("correct horse".utf8)

/// Access with waits that a test can afford.
func quickAccess(_ change: (inout StorageAccess) -> Void = { _ in }) -> StorageAccess {
    var access = StorageAccess()
    access.retry.firstPauseSeconds = 0.01
    access.retry.longestPauseSeconds = 0.05
    access.retry.totalSeconds = 1.5
    access.retry.firstContactSeconds = 0.3
    access.timing.connectSeconds = 5
    access.timing.idleSeconds = 20
    change(&access)
    return access
}

func openStorage(_ address: String, _ access: StorageAccess = quickAccess()) throws -> any Backend {
    try Storage.open(try RepositoryLocation(address), access)
}

/// Makes a repository whose password costs nothing.
func makeRepository(_ backend: any Backend) throws -> Repository {
    try Repository.create(in: backend, password: remotePassword, cost: .fixed(n: 1024, r: 8, p: 1))
}

/// A directory with a few files, one of them of several blobs.
func makeSource(_ directory: FilePath, seed: UInt64 = 7, sizeBytes: Int = 3 << 20) throws {
    var random = SeededRandom(seed: seed)
    try DurableFiles.makeDirectories(directory / "sâu" / "hơn")
    try DurableFiles.replace(directory / "lớn.bin", random.bytes(sizeBytes))
    try DurableFiles.replace(directory / "công văn.txt", Array(String(repeating: "Số 68/BV. ", count: 500).utf8))
    try DurableFiles.replace(directory / "sâu" / "hơn" / "a", [1, 2, 3])
}

@discardableResult
func backUp(_ source: FilePath, into repository: Repository) throws -> Digest {
    let request = BackupRequest(sources: [source], hostname: "may-chu")
    return try Archiver(repository: repository).run(request, cancellation: CancellationFlag()) { _ in }.snapshotID
}

/// The `RepositoryError` that `body` throws; nil when it throws nothing or something else.
func failure(_ body: () throws -> Void) -> RepositoryError? {
    do {
        try body()
        return nil
    } catch {
        return error as? RepositoryError
    }
}

/// Runs stock restic.
func restic(_ repository: String, _ arguments: [String], environment: [String: String] = [:]) async throws -> ProcessOutput {
    var variables: [String: String?] = ["RESTIC_REPOSITORY": repository, "RESTIC_PASSWORD": "correct horse"]
    for (name, value) in environment { variables[name] = value }
    return try await runProcess([try Peers.restic, "--no-cache"] + arguments, environment: inheritedEnvironment(variables), timeLimitSeconds: 120)
}

/// Bytes with their name.
func object(_ count: Int, seed: UInt64 = 1) throws -> (id: Digest, bytes: [UInt8]) {
    var random = SeededRandom(seed: seed)
    let bytes = random.bytes(count)
    return (try SHA256.hash(bytes), bytes)
}

/// Reads a part of a file.
func read(_ backend: any Backend, _ type: FileType, _ id: Digest, offset: UInt64, count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try unsafe bytes.withUnsafeMutableBytes { try unsafe backend.read(type, id, offset: offset, into: $0) }
    return bytes
}
