internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoStatsCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: help("Đếm những gì các bản sao lưu chứa.", "Count what snapshots hold."),
        discussion: help(
            "restore-size: khi khôi phục; files-by-contents: tệp khác nội dung; blobs-per-file: khối theo tệp; raw-data: khối đã lưu trong kho.",
            "restore-size: what a restore writes; files-by-contents: files of different content; blobs-per-file: blobs by file; raw-data: blobs as stored."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var filter: SnapshotsOptions
    @Option(
        help: ArgumentHelp(help("restore-size, files-by-contents, blobs-per-file, raw-data.", "restore-size, files-by-contents, blobs-per-file, raw-data.")))
    var mode: SnapshotStatistics.Mode = .restoreSize
    @Argument(help: ArgumentHelp(help("Mã các bản sao lưu hoặc 'latest'; không nêu: tất cả.", "IDs of snapshots or 'latest'; without any: all.")))
    var snapshots: [String] = []

    private struct Line: Encodable {
        let total_size: UInt64
        let total_uncompressed_size: UInt64?
        let compression_ratio, compression_progress, compression_space_saving: Double?
        let total_file_count, total_blob_count: UInt64?
        let snapshots_count: Int
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let opened = try await repository.open()
        let statistics = try repository.withReadLock(opened) {
            let selected = try opened.selectSnapshots(snapshots.map { SnapshotReference($0).snapshot }, filter: filter.filter)
            try opened.loadIndex()
            return try SnapshotStatistics.count(selected, in: opened, mode, cancellation: interruption.flag)
        }
        func unlessZero<Number: Numeric>(_ value: Number) -> Number? { value == 0 ? nil : value }
        if interface.isJSON {
            interface.line(
                try jsonText(
                    Line(
                        total_size: statistics.bytes, total_uncompressed_size: unlessZero(statistics.uncompressedBytes),
                        compression_ratio: unlessZero(statistics.compressionRatio), compression_progress: unlessZero(statistics.compressionProgress),
                        compression_space_saving: unlessZero(statistics.spaceSaving), total_file_count: unlessZero(statistics.files),
                        total_blob_count: unlessZero(statistics.blobs), snapshots_count: statistics.snapshots)))
            return .success
        }
        interface.line(interface("Thống kê kiểu \(mode.rawValue):", "Stats in \(mode.rawValue) mode:"))
        var rows = [[interface("Bản sao lưu", "Snapshots"), String(statistics.snapshots)]]
        if statistics.blobs > 0 { rows.append([interface("Số khối", "Blobs"), String(statistics.blobs)]) }
        if statistics.files > 0 { rows.append([interface("Số tệp", "Files"), String(statistics.files)]) }
        if statistics.uncompressedBytes > 0 {
            rows.append([interface("Kích thước chưa nén", "Uncompressed size"), sizeText(statistics.uncompressedBytes)])
        }
        rows.append([interface("Tổng kích thước", "Total size"), sizeText(statistics.bytes)])
        if statistics.compressionProgress > 0 {
            rows.append([interface("Đã nén", "Compression progress"), "\(decimal(statistics.compressionProgress, digits: 2)) %"])
            rows.append([interface("Tỷ lệ nén", "Compression ratio"), "\(decimal(statistics.compressionRatio, digits: 2))x"])
            rows.append([interface("Tiết kiệm", "Space saving"), "\(decimal(statistics.spaceSaving, digits: 2)) %"])
        }
        interface.table([interface("Mục", "What"), interface("Giá trị", "Value")], rows)
        return .success
    }
}

extension SnapshotStatistics.Mode: ExpressibleByArgument {}
