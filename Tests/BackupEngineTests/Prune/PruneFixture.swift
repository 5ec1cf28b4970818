import BackupEngine
import Platform
import TestSupport
import Testing

@testable import BackupEngine

/// A repository with many packs: each round of stores is flushed by itself.
struct PruneFixture {
    let path: FilePath
    let repository: Repository

    init(_ path: FilePath) throws {
        self.path = path
        repository = try makeStore(path)
    }

    /// One snapshot of files of random content, in packs of its own; some of the content is that of `shared`.
    @discardableResult
    func addSnapshot(
        day: Int, files: Int, size: Int = 20_000, sharing shared: [Digest] = [], host: String = "may-chu", _ random: inout SeededRandom
    ) throws -> (id: Digest, blobs: [Digest]) {
        var blobs: [Digest] = []
        var list: [(name: String, size: Int, content: [Digest])] = []
        for number in 0..<files {
            let bytes = random.bytes(size + number)
            blobs.append(try storeData(bytes, in: repository))
            list.append(("f\(padded(number, 4))", bytes.count, [blobs[number]]))
        }
        for (number, blob) in shared.enumerated() {
            list.append(("s\(padded(number, 4))", try #require(repository.blobSize(.data, blob)), [blob]))
        }
        let tree = try storeTree(list, in: repository)
        let id = try repository.saveSnapshot(snapshot(of: tree, at: 1_790_000_000 + Int64(day) * 86400, host: host))
        return (id, blobs)
    }

    func remove(_ snapshots: [Digest]) throws {
        let all = try repository.listSnapshots()
        _ = try repository.removeSnapshots(all.filter { snapshots.contains($0.id) })
    }

    @discardableResult
    func prune(_ configure: (inout PruneOptions) -> Void = { _ in }) throws -> PruneStatistics {
        var options = PruneOptions()
        configure(&options)
        let lock = try repository.lock(exclusive: true)
        defer { lock.release() }
        let plan = try repository.planPrune(options)
        let statistics = plan.statistics
        _ = try repository.prune(plan, lock: lock)
        return statistics
    }

    /// Every file of every snapshot opens.
    func requireReadable() throws {
        let opened = try Repository.open(at: path, password: storePassword)
        let snapshots = try opened.listSnapshots()
        try opened.loadIndex()
        for snapshot in snapshots {
            for node in try opened.loadTree(snapshot.tree).nodes {
                for blob in node.content ?? [] { _ = try opened.loadBlob(.data, blob) }
            }
        }
    }

    /// Sound for ours and for every restic that is to judge.
    func requireSound(_ judges: [Peer] = Peer.restics, _ label: String = "") async throws {
        let report = try Repository.open(at: path, password: storePassword).check(readData: true)
        #expect(report.errors == [], "\(label)")
        for judge in judges {
            let output = try await run(judge, ["check", "--read-data"])
            #expect(output.status == 0 && !output.errorText.contains("error"), "\(label) \(output)")
        }
    }

    func run(_ peer: Peer, _ arguments: [String]) async throws -> ProcessOutput {
        try await runProcess(
            [try peer.program(), "--no-cache"] + arguments,
            environment: inheritedEnvironment([
                "RESTIC_REPOSITORY": path.utf8, "RESTIC_PASSWORD": String(decoding: storePassword, as: UTF8.self),
            ]), timeLimitSeconds: 120)
    }

    /// Writes a pack as another writer might have: any mix of types, plain or compressed; and an index of it.
    @discardableResult
    func writePack(_ blobs: [(type: BlobType, bytes: [UInt8], isCompressed: Bool)], indexed: Bool = true) throws -> Digest {
        let store = repository.store
        let id: Digest = try store.contexts.use { (context) throws(RepositoryError) in
            do {
                var bytes: [UInt8] = []
                var entries: [PackEntry] = []
                for blob in blobs {
                    let sealed = try context.seal(blob.isCompressed ? try context.compress(blob.bytes) : blob.bytes)
                    entries.append(
                        PackEntry(
                            type: blob.type, id: try SHA256.hash(blob.bytes), offset: UInt32(bytes.count), length: UInt32(sealed.count),
                            uncompressedLength: blob.isCompressed ? UInt32(blob.bytes.count) : 0))
                    bytes += sealed
                }
                let header = try context.seal(PackHeader.encode(entries))
                bytes += header + PackHeader.lengthField(sealedHeaderBytes: header.count)
                let id = try context.hash(bytes)
                try store.backend.save(.pack, id, bytes)
                if indexed { _ = try store.saveDocument(.index, IndexFile.encode([(id, entries)])) }
                return id
            } catch {
                throw .corrupt(Phrase(verbatim: "\(error)"))
            }
        }
        try repository.loadIndex()
        return id
    }

    func packs() throws -> [StoredFile] { try repository.store.backend.list(.pack) }
}
