import Platform
import TestSupport
import Testing

/// `sentinelctl repo …` without any daemon, beside stock restic.
@Suite(.enabled(if: Programs.areBuilt, Programs.howToBuild)) struct RepositoryCommandTests {
    private func withData(_ body: (_ directory: FilePath, _ environment: [String: String?]) async throws -> Void) async throws {
        try await withTemporaryDirectory("e2e") { directory in
            let data = directory / "data"
            try DurableFiles.makeDirectories(data / "Văn bản")
            for number in 0..<50 {
                var random = SeededRandom(seed: UInt64(number))
                try DurableFiles.create(data / "Văn bản" / "tệp \(number).bin", random.bytes(number * 7000))
            }
            try DurableFiles.create(data / "rỗng", [])
            try await body(
                directory,
                [
                    "RESTIC_REPOSITORY": "\(directory / "repo")", "RESTIC_PASSWORD": "mật khẩu", "HOME": "\(directory)",
                    "RESTIC_CACHE_DIR": "\(directory / "cache")",
                ])
        }
    }

    /// What two trees hold, as text; equal texts mean equal trees.
    private func listing(_ path: FilePath) async throws -> String {
        let find = try #require(availableCommand("find"))
        let shell = "cd \"$1\" && \(find) . -printf '%P %y %m %T@ %l\\n' | LC_ALL=C sort && \(find) . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum"
        return try await runProcess(["/bin/sh", "-c", shell, "sh", "\(path)"]).expect(0).text
    }

    @Test(arguments: Programs.zones)
    func `what is backed up comes back byte for byte`(zone: String) async throws {
        try await withData { directory, environment in
            func repo(_ arguments: [String]) async throws -> ProcessOutput {
                try await Programs.sentinelctl(["repo"] + arguments, zone: zone, environment: environment)
            }
            try await repo(["init"]).require(0)
            try await repo(["backup", "\(directory / "data")"]).expect(0)
            #expect(try await repo(["snapshots", "--json"]).expect(0).json().items.count == 1)
            try await repo(["ls", "latest"]).expect(0)
            try await repo(["restore", "latest", "--target", "\(directory / "back")"]).expect(0)
            let restored = (directory / "back").appending(FilePath("\(directory / "data")").bytes.dropFirst())
            #expect(try await listing(directory / "data") == (try await listing(restored)))
            try await repo(["check", "--read-data"]).expect(0)
        }
    }

    @Test(.enabled(if: availableCommand("restic") != nil, "restic is not installed"))
    func `stock restic reads what we write, and we read what it writes`() async throws {
        let restic = try #require(availableCommand("restic"))
        try await withData { directory, environment in
            func ours(_ arguments: [String]) async throws -> ProcessOutput {
                try await Programs.sentinelctl(["repo"] + arguments, environment: environment)
            }
            func theirs(_ arguments: [String]) async throws -> ProcessOutput {
                try await runProcess([restic] + arguments, environment: Programs.environment(environment))
            }
            let data = directory / "data"
            let below = FilePath("\(data)").bytes.dropFirst()
            try await ours(["init"]).require(0)
            try await ours(["backup", "\(data)"]).expect(0)
            try await theirs(["check", "--read-data"]).expect(0)
            try await theirs(["restore", "latest", "--target", "\(directory / "theirs")"]).expect(0)
            #expect(try await listing(data) == (try await listing((directory / "theirs").appending(below))))

            try DurableFiles.create(data / "mới.txt", Array("thêm bởi restic".utf8))
            try await theirs(["backup", "\(data)"]).expect(0)
            try await ours(["check", "--read-data"]).expect(0)
            try await ours(["restore", "latest", "--target", "\(directory / "ours")"]).expect(0)
            #expect(try await listing(data) == (try await listing((directory / "ours").appending(below))))
            #expect(try await ours(["snapshots", "--json"]).expect(0).json().items.count == 2)
        }
    }

    @Test func `each failure has restic's exit code`() async throws {
        try await withData { directory, environment in
            func repo(_ arguments: [String], _ changes: [String: String?] = [:]) async throws -> ProcessOutput {
                try await Programs.sentinelctl(["repo"] + arguments, environment: environment.merging(changes) { _, new in new })
            }
            try await repo(["snapshots"]).expect(10)
            try await repo(["init"]).require(0)
            try await repo(["snapshots"], ["RESTIC_PASSWORD": "sai"]).expect(12)
            try await repo(["restore", "deadbeef", "--target", "\(directory / "x")"]).expect(1)
            try await repo(["backup"]).expect(1)
            try await repo(["backup", "--no-such-flag"]).expect(64)
        }
    }

    @Test func `a flipped byte in a pack is found by check and named`() async throws {
        try await withData { directory, environment in
            func repo(_ arguments: [String]) async throws -> ProcessOutput {
                try await Programs.sentinelctl(["repo"] + arguments, environment: environment)
            }
            try await repo(["init"]).require(0)
            try await repo(["backup", "\(directory / "data")"]).expect(0)
            let pack = try #require(packs(in: directory / "repo").max { $0.size < $1.size })
            var bytes = try DurableFiles.read(pack.path, limit: 64 << 20)
            bytes[bytes.count / 2] ^= 1
            try DurableFiles.replace(pack.path, bytes)
            let output = try await repo(["check", "--read-data"])
            #expect(output.status != 0)
            #expect((output.text + output.errorText).contains(String(decoding: pack.path.name.prefix(8), as: UTF8.self)))
        }
    }

    @Test func `a backup that is killed at a pack costs no snapshot, and the next one ends well`() async throws {
        try await withData { directory, environment in
            func repo(_ arguments: [String], faults: String? = nil) async throws -> ProcessOutput {
                try await Programs.sentinelctl(
                    ["repo"] + arguments, environment: environment.merging(["SENTINEL_FAULTS": faults]) { _, new in new })
            }
            try await repo(["init"]).require(0)
            try await repo(["backup", "\(directory / "data" / "rỗng")"]).expect(0)
            for point in ["pack.written", "pack.published", "index.published", "snapshot.published", "file.renamed"] {
                let killed = try await repo(["backup", "\(directory / "data")"], faults: "\(point)=kill")
                // A point that this run does not pass leaves it to end well; the guarantee is the same.
                #expect([0, 137].contains(killed.status), "\(point): \(killed)")
                // The lock of a process that died is removed as in restic: on request.
                try await repo(["unlock"]).expect(0)
                try await repo(["check", "--read-data"]).expect(0)
                try await repo(["restore", "latest", "--target", "\(directory / "after-\(point)")"]).expect(0)
            }
            try await repo(["backup", "\(directory / "data")"]).expect(0)
            try await repo(["check", "--read-data"]).expect(0)
        }
    }

    @Test(arguments: isFullTest ? ["kill", "fail", "nospace"] : ["kill"])
    func `whichever write of a backup goes wrong, the repository stays sound`(action: String) async throws {
        try await withData { directory, environment in
            func repo(_ arguments: [String], faults: String? = nil) async throws -> ProcessOutput {
                try await Programs.sentinelctl(
                    ["repo"] + arguments, environment: environment.merging(["SENTINEL_FAULTS": faults]) { _, new in new })
            }
            try await repo(["init"]).require(0)
            try await repo(["backup", "\(directory / "data" / "rỗng")", "--tag", "trước"]).expect(0)
            for point in isFullTest ? ["file.written", "file.synchronised", "file.renamed"] : ["file.renamed"] {
                // The first write, the second, … until a run has no such write any more and ends well.
                var count = 0
                var status: Int32 = 1
                while status != 0, count < 40 {
                    count += 1
                    status = try await repo(["backup", "--force", "\(directory / "data")"], faults: "\(point)=\(action)@\(count)").status
                    try await repo(["unlock"]).expect(0)
                    try await repo(["check"]).expect(0)
                    try await repo(["restore", "latest", "--tag", "trước", "--target", "\(directory / "\(point)-\(count)")"]).expect(0)
                }
                #expect(status == 0)
                #expect(count > 2, "\(point): no write was reached")
            }
            try await repo(["check", "--read-data"]).expect(0)
        }
    }

    private func packs(in repository: FilePath) -> [(path: FilePath, size: UInt64)] {
        directoryEntries(repository / "data").flatMap { folder in
            let directory = (repository / "data").appending(folder)
            return directoryEntries(directory).compactMap { name in
                let path = directory.appending(name)
                return (try? FileStatus.ofLink(path)).map { (path, $0.sizeBytes) }
            }
        }
    }
}
