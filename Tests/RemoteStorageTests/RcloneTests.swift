import BackupEngine
import Glibc
import Platform
import RemoteStorage
import TestSupport
import Testing

/// Through the real rclone, to a directory.
@Suite struct `Repositories through rclone` {
    /// A remote of type local named `kho`, and the rclone processes that serve from `root`.
    private func withRemote(_ body: (FilePath, (String) throws -> any Backend) async throws -> Void) async throws {
        let program = try Peers.rclone
        try await withTemporaryDirectory("rclone") { root in
            try DurableFiles.replace(root / "rclone.conf", Array("[kho]\ntype = local\n".utf8))
            let configuration = try #require((root / "rclone.conf").utf8)
            try await body(root) { remote in
                try openStorage(
                    "rclone:\(remote)",
                    quickAccess {
                        $0.options = ["rclone.program": program, "rclone.args": "--config \(configuration) serve restic"]
                        $0.retry.totalSeconds = 10
                    })
            }
        }
    }

    private func servers(_ root: FilePath) -> [ProcessEntry] {
        processes(mentioning: root, except: getpid()).filter { $0.arguments.contains("restic") && $0.arguments.contains("serve") }
    }

    @Test func `stock restic reads what ours wrote, and rclone ends with us`() async throws {
        try await withRemote { root, open in
            try makeSource(root / "src")
            do {
                let backend = try open("kho:\(root)/repo")
                let repository = try makeRepository(backend)
                try backUp(root / "src", into: repository)
                #expect(failure { _ = try makeRepository(backend) }?.code == .exists)
                let running = servers(root)
                #expect(running.count == 1)
                // The credential is for this run, and nobody sees it among the arguments.
                let environment = running.reduce(into: [String]()) { $0 += $1.environment }
                let secret = String(try #require(environment.first { $0.hasPrefix("RCLONE_PASS=") }).dropFirst(12))
                #expect(secret.count >= 32)
                #expect(!running.contains { $0.arguments.contains { $0.contains(secret) } })
                #expect(!environment.contains { $0.hasPrefix("RESTIC_") })
            }
            #expect(servers(root).isEmpty)
            let check = try await restic(try #require((root / "repo").utf8), ["check", "--read-data"])
            #expect(check.status == 0, "\(check)")
        }
    }

    @Test func `rclone that is killed is started again, and the work goes on`() async throws {
        try await withRemote { root, open in
            let backend = try open("kho:\(root)/repo")
            try backend.create()
            let first = try object(50_000)
            try backend.save(.pack, first.id, first.bytes)
            let before = servers(root).map(\.pid)
            for pid in before { kill(pid, SIGKILL) }
            let second = try object(50_000, seed: 2)
            try backend.save(.pack, second.id, second.bytes)
            #expect(try backend.list(.pack).count == 2)
            #expect(servers(root).map(\.pid) != before)
        }
    }

    @Test func `an unknown remote is an error with what rclone said`() async throws {
        try await withRemote { root, open in
            let error = failure { _ = try open("khong-co:/x") }
            #expect(error?.code == .storage)
            #expect(error?.message.en.contains("config") == true, "\(String(describing: error))")
            #expect(servers(root).isEmpty)
        }
    }

    @Test func `a missing rclone is an error that says how to get it`() {
        let error = failure { _ = try openStorage("rclone:a:b", quickAccess { $0.options["rclone.program"] = "/nonexistent/rclone" }) }
        #expect(error?.code == .unsupported)
        #expect(error?.hint?.en.contains("apt-get install rclone") == true)
    }

    @Test func `a program that is no rclone is told by what it says`() {
        let error = failure { _ = try openStorage("rclone:a:b", quickAccess { $0.options["rclone.program"] = "/bin/ls" }) }
        #expect(error?.code == .storage && error?.message.en.contains("rclone ended") == true, "\(String(describing: error))")
    }
}
