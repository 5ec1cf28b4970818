internal import BackupEngine
internal import Platform
internal import TestSupport
internal import Testing

/// The password of every repository that the store tests make.
let storePassword = Array("correct horse".utf8)

/// Makes a repository whose password costs nothing.
func makeStore(_ path: FilePath) throws -> Repository {
    try Repository.create(at: path, password: storePassword, cost: .fixed(n: 1024, r: 8, p: 1))
}

/// Stores text or bytes as one data blob.
@discardableResult
func storeData(_ bytes: [UInt8], in repository: Repository) throws -> Digest {
    let id = try SHA256.hash(bytes)
    _ = try repository.storeBlob(.data, id, bytes)
    return id
}

/// Stores a tree of files, each with the blobs given.
func storeTree(_ files: [(name: String, size: Int, content: [Digest])], in repository: Repository) throws -> Digest {
    let nodes = files.map { file in
        var node = Node(name: Array(file.name.utf8), kind: .file)
        node.mode = FileMode(rawValue: 0o644)
        node.size = UInt64(file.size)
        node.links = 1
        node.inode = 7
        node.content = file.content
        return node
    }
    let bytes = try #require(Tree(nodes: nodes).encoded())
    let id = try SHA256.hash(bytes)
    _ = try repository.storeBlob(.tree, id, bytes)
    return id
}

/// A snapshot of `tree` with fixed particulars.
func snapshot(of tree: Digest, at seconds: Int64 = 1_790_000_000, host: String = "may-chu", tags: [String] = []) -> Snapshot {
    Snapshot(
        time: Timestamp(seconds: seconds, nanoseconds: 120_000_000), tree: tree, paths: ["/srv/hồ sơ <1>"], hostname: host,
        username: "root", uid: 0, gid: 0, tags: tags)
}

/// A repository with two files, one of them in two blobs, and one snapshot.
@discardableResult
func fillStore(_ repository: Repository, seed: UInt64 = 1) throws -> (snapshot: Digest, blobs: [Digest], tree: Digest) {
    var random = SeededRandom(seed: seed)
    let texts = [
        Array(String(repeating: "Công văn số 68. ", count: 3000).utf8), random.bytes(100_000), Array("x".utf8),
    ]
    let blobs = try texts.map { try storeData($0, in: repository) }
    let tree = try storeTree(
        [
            ("a.txt", texts[0].count + texts[2].count, [blobs[0], blobs[2]]), ("b.bin", texts[1].count, [blobs[1]]),
            ("empty", 0, []),
        ], in: repository)
    return (try repository.saveSnapshot(snapshot(of: tree)), blobs, tree)
}

/// The only file in `directory`, or in its single non-empty subdirectory.
func onlyFiles(below directory: FilePath) -> [FilePath] {
    directoryEntries(directory).sorted { $0.lexicographicallyPrecedes($1) }.flatMap { name -> [FilePath] in
        let path = directory.appending(name)
        let isDirectory = (try? FileStatus.of(path))?.kind == .directory
        return isDirectory ? onlyFiles(below: path) : [path]
    }
}

/// Replaces a stored file, which is read-only, by changed content.
func rewrite(_ path: FilePath, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = try DurableFiles.read(path, limit: 1 << 30)
    change(&bytes)
    try DurableFiles.replace(path, bytes)
}

/// True when stock restic is installed.
let isResticInstalled = availableCommand("restic") != nil

/// Runs stock restic on a repository.
func restic(_ repository: FilePath, _ arguments: [String], password: [UInt8] = storePassword) async throws -> ProcessOutput {
    let program = try #require(availableCommand("restic"))
    return try await runProcess(
        [program, "--no-cache"] + arguments,
        environment: inheritedEnvironment([
            "RESTIC_REPOSITORY": repository.utf8, "RESTIC_PASSWORD": String(decoding: password, as: UTF8.self),
        ]), timeLimitSeconds: 120)
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

/// Its code alone.
func code(_ body: () throws -> Void) -> RepositoryError.Code? { failure(body)?.code }
