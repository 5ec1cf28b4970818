internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Platform

struct RepoCheckCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: help("Kiểm tra kho sao lưu.", "Check a repository."),
        discussion: help(
            "Không nêu bản sao lưu nào: kiểm tra tất cả. Mã thoát 1 khi có lỗi.", "Without snapshots: all of them. Exit status 1 when there are errors."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var filter: SnapshotsOptions
    @Flag(help: ArgumentHelp(help("Đọc và kiểm tra toàn bộ dữ liệu.", "Read and verify all data."))) var readData = false
    @Option(help: ArgumentHelp(help("Đọc một phần dữ liệu: n/t, x% hoặc kích thước như 500M.", "Read a part of the data: n/t, x% or a size such as 500M.")))
    var readDataSubset: String?
    @Flag(help: ArgumentHelp(help("Được nhận cho tương thích; lệnh này không dùng bộ đệm.", "Accepted for compatibility; this command uses no cache.")))
    var withCache = false
    @Flag(help: ArgumentHelp(help("Không khóa kho.", "Do not lock the repository."))) var noLock = false
    @Argument(help: ArgumentHelp(help("Mã các bản sao lưu hoặc 'latest'.", "IDs of snapshots, or 'latest'."))) var snapshots: [String] = []

    private struct Summary: Encodable {
        let message_type = "summary"
        let num_errors: Int
        let broken_packs: [String]?
        let suggest_repair_index: Bool
        let suggest_prune: Bool

        private enum CodingKeys: CodingKey { case message_type, num_errors, broken_packs, suggest_repair_index, suggest_prune }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(message_type, forKey: .message_type)
            try container.encode(num_errors, forKey: .num_errors)
            // restic says null, not nothing.
            try container.encode(broken_packs, forKey: .broken_packs)
            try container.encode(suggest_repair_index, forKey: .suggest_repair_index)
            try container.encode(suggest_prune, forKey: .suggest_prune)
        }
    }

    private struct Problem: Encodable {
        let message_type = "error"
        let message: String
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        if readData && readDataSubset != nil {
            throw CommandFailure(
                vi: "--read-data và --read-data-subset không dùng cùng nhau được", en: "--read-data and --read-data-subset exclude each other")
        }
        var options = CheckOptions(readData: try readDataSubset.map { try ReadDataSubset($0) } ?? (readData ? .all : .none))
        let interruption = Interruption()
        let opened = try await repository.open(cached: false)
        let lock = noLock ? nil : try opened.lock(exclusive: true)
        defer { lock?.release() }
        if !snapshots.isEmpty {
            options.snapshots = try snapshots.map { try opened.findSnapshot(SnapshotReference($0).snapshot, filter: filter.filter).id }
        } else if filter.filter != .all {
            options.filter = filter.filter
        }
        let report = try opened.check(options, cancellation: interruption.flag) { show($0, interface) }
        interface.endProgress()
        try show(report, interface)
        // restic's own status for a damaged repository is 1; scripts rely on it.
        return report.isSound ? .success : ControlAPI.ExitCode.failure.rawValue
    }

    private func show(_ progress: CheckProgress, _ interface: Interface) {
        let stage =
            switch progress.stage {
            case .indexes: interface("chỉ mục", "indexes")
            case .packs: interface("gói", "packs")
            case .trees: interface("cây thư mục", "trees")
            case .data: interface("dữ liệu", "data")
            }
        var line = "\(stage): \(progress.done)" + (progress.total > 0 ? "/\(progress.total)" : "")
        if progress.stage == .data {
            line += ", " + RateText.line(done: progress.bytesDone, total: progress.bytesTotal, progress.secondsElapsed, interface)
        }
        interface.progress(line)
    }

    private func show(_ report: CheckReport, _ interface: Interface) throws {
        for finding in report.errors {
            let message = interface.text(finding.message)
            interface.warn(interface.isJSON ? try jsonText(Problem(message: message)) : "\(interface("lỗi", "error")): \(message)")
        }
        if interface.isJSON {
            interface.line(
                try jsonText(
                    Summary(
                        num_errors: report.errorCount, broken_packs: report.damagedPacks.isEmpty ? nil : report.damagedPacks.map(\.hex),
                        suggest_repair_index: report.suggestsIndexRepair, suggest_prune: report.suggestsPrune)))
            return
        }
        if report.omittedErrors > 0 {
            interface.warn(interface("… và \(report.omittedErrors) lỗi khác", "… and \(report.omittedErrors) more errors"))
        }
        for finding in report.hints { interface.line("\(interface("chú ý", "note")): \(interface.text(finding.message))") }
        let read = report.packsRead > 0
        interface.line(
            interface(
                "\(report.snapshots) bản sao lưu, \(report.packs) gói, \(report.blobs) khối, \(report.trees) cây đã kiểm tra\(read ? ", đọc \(report.packsRead) gói (\(sizeText(report.bytesRead)))" : "").",
                "\(report.snapshots) snapshots, \(report.packs) packs, \(report.blobs) blobs, \(report.trees) trees checked\(read ? ", \(report.packsRead) packs (\(sizeText(report.bytesRead))) read" : "")."
            ))
        suggest(report, interface)
        interface.line(
            report.isSound
                ? interface("Không có lỗi.", "no errors were found")
                : interface("Kho có \(report.errorCount) lỗi.", "The repository has \(report.errorCount) errors."))
    }

    /// What to do about it.
    private func suggest(_ report: CheckReport, _ interface: Interface) {
        func hint(_ vi: String, _ en: String) { interface.warn("\(interface("gợi ý", "hint")): \(interface(vi, en))") }
        if report.suggestsIndexRepair {
            hint("sửa chỉ mục bằng 'sentinelctl repo repair index'", "repair the index with 'sentinelctl repo repair index'")
        }
        if !report.damagedPacks.isEmpty {
            let packs = report.damagedPacks.prefix(20).map(\.hex).joined(separator: " ") + (report.damagedPacks.count > 20 ? " …" : "")
            hint(
                "cứu phần còn tốt của các gói hỏng bằng 'sentinelctl repo repair packs \(packs)', rồi 'sentinelctl repo repair snapshots --forget'",
                "save what is good in the damaged packs with 'sentinelctl repo repair packs \(packs)', then 'sentinelctl repo repair snapshots --forget'")
        }
        if !report.damagedSnapshots.isEmpty {
            let list = report.damagedSnapshots.map(\.hex).joined(separator: " ")
            hint("các tệp snapshot không đọc được: \(list)", "snapshot files that cannot be read: \(list)")
        }
        if report.suggestsPrune, report.isSound {
            hint(
                "'sentinelctl repo prune' dọn các gói thừa hoặc trộn; dữ liệu không bị ảnh hưởng",
                "'sentinelctl repo prune' tidies up superfluous or mixed packs; no data is affected")
        }
    }
}
