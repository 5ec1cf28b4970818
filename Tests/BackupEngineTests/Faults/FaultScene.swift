import Platform
import TestSupport

@testable import BackupEngine

/// A repository with a history and the directory it backs up; what every snapshot must bring back, whatever happens.
struct FaultScene: Sendable {
    let directory: FilePath
    /// What each snapshot holds, by its tree: the ID of a snapshot changes when it is tagged or rewritten.
    var kept: [Kept] = []

    struct Kept: Sendable {
        let snapshot: Digest
        let tree: Digest
        let content: TreeDescription
    }

    var repository: FilePath { directory / "repo" }
    var source: FilePath { directory / "source" }

    /// A repository whose password costs nothing, and two snapshots of a directory that has changed since.
    init(_ directory: FilePath, _ random: inout SeededRandom) async throws {
        self.directory = directory
        _ = try Repository.create(at: directory / "repo", password: storePassword, cost: .fixed(n: 1024, r: 8, p: 1))
        try DurableFiles.makeDirectories(directory / "source/Văn bản/cũ")
        try put("công văn.txt", Array(String(repeating: "Công văn số 68. ", count: 4000).utf8))
        try put("Văn bản/ngẫu nhiên", random.bytes(1_200_000))
        try put("Văn bản/cũ/rỗng", [])
        for number in 0..<20 { try put("Văn bản/cũ/tệp \(number)", random.bytes(number * 300)) }
        try await backUp()
        try put("Văn bản/mới", random.bytes(400_000))
        try put("công văn.txt", Array(String(repeating: "Công văn số 69. ", count: 4000).utf8))
        try await backUp()
        try put("Văn bản/ngẫu nhiên", random.bytes(1_500_000))
        try put("Văn bản/cũ/tệp 3", random.bytes(5000))
        try DurableFiles.makeDirectories(directory / "source/thêm")
        for number in 0..<10 { try put("thêm/\(number)", random.bytes(20_000)) }
    }

    private func put(_ name: String, _ bytes: [UInt8]) throws { try DurableFiles.replace(source / name, bytes, mode: 0o644) }

    /// One more snapshot of what the directory holds now.
    mutating func backUp() async throws {
        let output = try await run(["backup", "\(source)", "--host", "may"])
        guard output.status == 0 else { throw Complaint("\(output)") }
        let repository = try Repository.open(at: repository, password: storePassword)
        guard let newest = try repository.listSnapshots().last else { throw Complaint("no snapshot") }
        kept.append(Kept(snapshot: newest.id, tree: newest.tree, content: try TreeDescription(source)))
    }

    /// The same with a copy of the repository at another place; the source is shared.
    func copy(to place: FilePath) async throws -> SceneCopy {
        try DurableFiles.makeDirectories(place)
        guard let program = availableCommand("cp") else { throw Complaint("cp is missing") }
        let output = try await runProcess([program, "-a", "\(repository)", "\(place / "repo")"])
        guard output.status == 0 else { throw Complaint("\(output)") }
        return SceneCopy(scene: self, directory: place)
    }

    /// `sentinelctl repo …` on the repository.
    func run(_ arguments: [String]) async throws -> ProcessOutput {
        try await runProcess(try SentinelProgram.command(arguments), environment: Self.environment(repository), timeLimitSeconds: 120)
    }

    /// What the program finds its repository by; messages in English.
    static func environment(_ repository: FilePath) -> [String: String] {
        inheritedEnvironment([
            "RESTIC_REPOSITORY": repository.utf8, "RESTIC_PASSWORD": String(decoding: storePassword, as: UTF8.self), "LANG": "C.UTF-8",
            "LC_ALL": nil, "HOME": repository.parent.utf8, "RESTIC_CACHE_DIR": (repository.parent / "cache").utf8, "XDG_CACHE_HOME": nil,
        ])
    }
}

/// Something that must not be.
struct Complaint: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A copy of a scene's repository that something happens to, and the judgement of what is left.
struct SceneCopy: Sendable {
    let scene: FaultScene
    let directory: FilePath
    var repository: FilePath { directory / "repo" }
    var environment: [String: String] { FaultScene.environment(repository) }

    func run(_ arguments: [String], timeLimitSeconds: Double = 120) async throws -> ProcessOutput {
        try await runProcess(try SentinelProgram.command(arguments), environment: environment, timeLimitSeconds: timeLimitSeconds)
    }

    /// A stock restic on the copy, without a cache.
    func restic(_ version: Peer, _ arguments: [String]) async throws -> ProcessOutput {
        try await runProcess([try version.program(), "--no-cache"] + arguments, environment: environment, timeLimitSeconds: 120)
    }

    /// Everything wrong with what is left, for a person: nothing may be.
    ///
    /// Stock restic finds the repository clean, data read; every snapshot of the history in `keeping` restores byte for byte; and the next
    /// backup works and restores too.
    ///
    /// - Parameters:
    ///   - version: The restic that judges.
    ///   - mayHaveMore: Snapshots besides those of the history, at most this many; each must restore to the present source.
    func judge(_ version: Peer, keeping: [FaultScene.Kept], newSnapshots: ClosedRange<Int>) async throws -> [String] {
        var complaints: [String] = []
        // What a dead process left behind is nobody's any more; restic asks for a word from a person.
        _ = try await restic(version, ["unlock"])
        let check = try await restic(version, ["check", "--read-data"])
        if check.status != 0 { complaints.append("\(version) check: \(check)") }
        complaints += try await compareSnapshots(keeping: keeping, newSnapshots: newSnapshots)
        let again = try await run(["backup", "\(scene.source)", "--host", "may"])
        if again.status != 0 { complaints.append("the next backup: \(again)") }
        let repository = try Repository.open(at: repository, password: storePassword)
        let newest = try repository.listSnapshots().last
        try repository.loadIndex()
        let report = try repository.check(readData: true)
        if !report.isSound { complaints.append("our check after the next backup: \(report.errors)") }
        if let newest, let difference = try await difference(newest, from: try TreeDescription(scene.source)) { complaints.append(difference) }
        return complaints
    }

    /// Compares what is listed with the history and restores all of it.
    private func compareSnapshots(keeping: [FaultScene.Kept], newSnapshots: ClosedRange<Int>) async throws -> [String] {
        var complaints: [String] = []
        let snapshots = try Repository.open(at: repository, password: storePassword).listSnapshots()
        for kept in keeping {
            guard let snapshot = snapshots.first(where: { $0.tree == kept.tree }) else {
                complaints.append("snapshot \(kept.snapshot.short) is gone")
                continue
            }
            if let difference = try await difference(snapshot, from: kept.content) { complaints.append(difference) }
        }
        let known = Set(scene.kept.map(\.tree))
        let new = snapshots.filter { !known.contains($0.tree) }
        if !newSnapshots.contains(new.count) { complaints.append("\(new.count) new snapshots instead of \(newSnapshots)") }
        for snapshot in new {
            if let difference = try await difference(snapshot, from: try TreeDescription(scene.source)) { complaints.append(difference) }
        }
        return complaints
    }

    /// Restores a snapshot; nil when it brings back `content`.
    private func difference(_ snapshot: Snapshot, from content: TreeDescription) async throws -> String? {
        let target = directory / "restored-\(snapshot.id.short)"
        defer { removeTree(target) }
        let restore = try await run(["restore", snapshot.id.hex, "--target", "\(target)"])
        if restore.status != 0 { return "restore of \(snapshot.id.short): \(restore)" }
        let restored = try TreeDescription(FilePath(bytes: target.bytes + scene.source.bytes))
        let difference = TreeDescription.difference(content, restored)
        return difference.isEmpty ? nil : "snapshot \(snapshot.id.short) restores otherwise: \(difference.prefix(5))"
    }
}

/// How many commands under test run at once, over all suites: they mostly wait, but each has a process or three.
private actor Permits {
    static let shared = Permits(5)
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func giveBack() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// Runs `body` for all items, a few at a time over all suites together, and collects what it says.
///
/// - Parameter areTogether: All of them at once, whatever else runs.
func concurrently<Item: Sendable>(
    _ items: [Item], areTogether: Bool = false, _ body: @escaping @Sendable (Item) async throws -> [String]
) async throws -> [String] {
    try await withThrowingTaskGroup(of: [String].self) { group in
        for item in items {
            group.addTask {
                if areTogether { return try await body(item) }
                await Permits.shared.take()
                let result: Result<[String], any Error>
                do { result = .success(try await body(item)) } catch { result = .failure(error) }
                await Permits.shared.giveBack()
                return try result.get()
            }
        }
        return try await group.reduce(into: []) { $0 += $1 }
    }
}
