internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Platform

struct RepoCheckCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: help("Kiểm tra kho sao lưu.", "Check a repository."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Flag(help: ArgumentHelp(help("Đọc và kiểm tra toàn bộ dữ liệu.", "Read and verify all data."))) var readData = false

    private struct Summary: Encodable {
        let message_type = "summary"
        let num_errors: Int
        let broken_packs: [String]?
        let suggest_repair_index: Bool
        let suggest_prune: Bool
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let opened = try await repository.open(cached: false)
        let lock = try repository.lockForReading(opened, exclusive: true)
        defer { lock?.release() }
        let report = try opened.check(readData: readData) { progress in
            let stage =
                switch progress.stage {
                case .indexes: interface("chỉ mục", "indexes")
                case .packs: interface("gói", "packs")
                case .trees: interface("cây thư mục", "trees")
                case .data: interface("dữ liệu", "data")
                }
            interface.progress("\(stage): \(progress.done)/\(progress.total)")
        }
        interface.endProgress()
        for finding in report.errors { interface.warn("\(interface("lỗi", "error")): \(interface.text(finding.message))") }
        if interface.isJSON {
            interface.line(
                try jsonText(
                    Summary(
                        num_errors: report.errors.count, broken_packs: report.damagedPacks.isEmpty ? nil : report.damagedPacks.map(\.hex),
                        suggest_repair_index: report.errors.contains { [.missingPack, .wrongPackSize, .unreadableIndex].contains($0.kind) },
                        suggest_prune: report.hints.contains { $0.kind == .orphanedPack })))
        } else {
            for finding in report.hints { interface.line("\(interface("chú ý", "note")): \(interface.text(finding.message))") }
            interface.line(
                interface(
                    "\(report.snapshots) bản sao lưu, \(report.packs) gói, \(report.blobs) khối, \(report.trees) cây đã kiểm tra\(readData ? ", đọc \(sizeText(report.bytesRead))" : "").",
                    "\(report.snapshots) snapshots, \(report.packs) packs, \(report.blobs) blobs, \(report.trees) trees checked\(readData ? ", \(sizeText(report.bytesRead)) read" : "")."
                ))
            interface.line(
                report.isSound
                    ? interface("Không có lỗi.", "no errors were found")
                    : interface("Kho có \(report.errors.count) lỗi.", "The repository has \(report.errors.count) errors."))
        }
        // restic's own status for a damaged repository is 1; scripts rely on it.
        return report.isSound ? .success : ControlAPI.ExitCode.failure.rawValue
    }
}
