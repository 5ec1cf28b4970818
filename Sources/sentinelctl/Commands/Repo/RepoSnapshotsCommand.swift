internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoSnapshotsCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots", abstract: help("Liệt kê các bản sao lưu.", "List the snapshots."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Option(name: [.customShort("H"), .long], help: ArgumentHelp(help("Chỉ máy này.", "Only this host."))) var host: [String] = []
    @Option(help: ArgumentHelp(help("Chỉ các bản có nhãn này.", "Only snapshots with this tag."))) var tag: [String] = []

    /// The fields of a snapshot file, and its ID: what `restic snapshots --json` prints.
    private struct Line: Encodable {
        let time: String
        let parent: String?
        let tree: String
        let paths: [String]
        let hostname: String
        let username: String
        let tags: [String]?
        let program_version: String
        let id: String
        let short_id: String
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let opened = try await repository.open()
        let lock = try repository.lockForReading(opened)
        defer { lock?.release() }
        let snapshots = try opened.listSnapshots().filter { snapshot in
            (host.isEmpty || host.contains(snapshot.hostname)) && tag.allSatisfy(snapshot.tags.contains)
        }
        if interface.isJSON {
            interface.line(
                try jsonText(
                    snapshots.map { snapshot in
                        Line(
                            time: snapshot.time.rfc3339Local, parent: snapshot.parent?.hex, tree: snapshot.tree.hex, paths: snapshot.paths,
                            hostname: snapshot.hostname, username: snapshot.username, tags: snapshot.tags.isEmpty ? nil : snapshot.tags,
                            program_version: snapshot.programVersion, id: snapshot.id.hex, short_id: snapshot.id.short)
                    }))
            return .success
        }
        interface.table(
            ["ID", interface("Thời điểm", "Time"), interface("Máy", "Host"), interface("Nhãn", "Tags"), interface("Đường dẫn", "Paths")],
            snapshots.map { snapshot in
                [
                    snapshot.id.short, CivilTime(local: snapshot.time).display, escapedForDisplay(snapshot.hostname),
                    escapedForDisplay(snapshot.tags.joined(separator: ",")), escapedForDisplay(snapshot.paths.joined(separator: " ")),
                ]
            })
        interface.line(interface("\(snapshots.count) bản sao lưu", "\(snapshots.count) snapshots"))
        return .success
    }
}
