import Platform
import TestSupport
import Testing

/// A ward in miniature: data, a repository and a configuration in one temporary directory.
struct Ward {
    let root: FilePath
    private let jobKeys: String
    private let repositoryKeys: String
    var data: FilePath { root / "data" }
    var state: FilePath { root / "state" }
    var configuration: FilePath { root / "sentinel.yaml" }
    var repository: FilePath { root / "repo" }
    static let password = "mật khẩu thử nghiệm"

    /// Lays out directories, documents with Vietnamese names, playbooks and the configuration.
    ///
    /// - Parameters:
    ///   - extra: Top-level sections of the configuration beside the standard ones.
    ///   - job: A further key of the job, such as `keep: {last: 2}`.
    ///   - repository: Further keys of the repository, such as `, appendOnly: true`.
    init(in directory: FilePath, extra: String = "", job: String = "", repository: String = "") throws {
        root = directory
        jobKeys = job
        repositoryKeys = repository
        for folder in ["data/Hồ sơ một cửa", "data/Văn bản", "state/keys", "state/playbooks"] {
            try DurableFiles.makeDirectories(folder.split(separator: "/").reduce(root) { $0.appending($1.utf8) })
        }
        for number in 1...20 {
            try write("Hồ sơ một cửa/Giấy khai sinh \(number).txt", "Họ và tên: Công dân \(number)\nPhường Dương Kinh\n")
        }
        try write("Văn bản/Kế hoạch 68.txt", String(repeating: "Ứng cứu sự cố, bảo vệ dữ liệu, khôi phục. ", count: 5000))
        try DurableFiles.replace(state / "keys" / "repo-main", Array(Self.password.utf8), mode: 0o400)
        try copyPlaybooks()
        try DurableFiles.replace(configuration, Array(configurationText(extra).utf8), mode: 0o600)
    }

    /// Writes a file below the data directory.
    func write(_ name: String, _ text: String) throws {
        try DurableFiles.replace(data / name, Array(text.utf8), mode: 0o640)
    }

    private func copyPlaybooks() throws {
        let source = (environmentValue("SENTINEL_ROOT").map { FilePath($0) } ?? FilePath(#filePath).parent.parent.parent) / "Playbooks"
        for name in directoryEntries(source) where name.reversed().starts(with: ".yaml".utf8.reversed()) {
            let bytes = try DurableFiles.read(source.appending(name), limit: 1 << 20)
            try DurableFiles.replace((state / "playbooks").appending(name), bytes, mode: 0o600)
        }
    }

    private func configurationText(_ extra: String) -> String {
        """
        site: {name: Phường Dương Kinh, code: DK01, language: vi, timezone: Asia/Ho_Chi_Minh}
        assets:
          mot-cua: {name: Hệ thống một cửa, owner: Trung tâm Phục vụ hành chính công, operator: Công an phường, level: 2}
        integrity:
          watch:
            - {path: "\(data)", asset: mot-cua}
          rescan: every 24h
        backup:
          repositories:
            main: {path: "\(repository)", password: {credential: repo-main}\(repositoryKeys)}
          jobs:
            hoso:
              sources: [{files: ["\(data)"]}]
              to: [main]
              schedule: every 6h
              objectives: {rpo: 6h, rto: 30m}
              \(jobKeys)
        drills:
          hoso-hang-quy: {job: hoso, schedule: quarterly}
        \(extra)

        """
    }
}

/// Runs `body` with a ward in a temporary directory.
func withWard<Result>(
    extra: String = "", job: String = "", repository: String = "", isolation: isolated (any Actor)? = #isolation, _ body: (Ward) async throws -> Result
) async throws -> Result {
    try await withTemporaryDirectory("e2e") { directory in
        let ward = try Ward(in: directory, extra: extra, job: job, repository: repository)
        try await Programs.sentinelctl(
            ["repo", "init", "-r", ward.repository.description], environment: ["RESTIC_PASSWORD": Ward.password]
        ).require(0)
        return try await body(ward)
    }
}
