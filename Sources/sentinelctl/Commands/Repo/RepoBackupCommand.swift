internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Glibc
internal import Platform

struct RepoBackupCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: help("Sao lưu tệp và thư mục.", "Back up files and directories."),
        discussion: help(
            """
            Tệp không đọc được: được báo, bản sao lưu vẫn ghi, mã thoát 3.
            Lệnh của --stdin-from-command thất bại, hoặc không có dữ liệu: không ghi bản sao lưu, mã thoát 1.
            """,
            """
            Unreadable files are reported, the snapshot is written all the same, exit status 3.
            When the command of --stdin-from-command fails, or nothing is piped in, no snapshot is written, exit status 1.
            """))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Option(name: [.customShort("e"), .long], help: ArgumentHelp(help("Bỏ qua theo mẫu (lặp lại được).", "Leave out what matches (repeatable).")))
    var exclude: [String] = []
    @Option(help: ArgumentHelp(help("Nhãn (lặp lại được).", "Tag (repeatable)."))) var tag: [String] = []
    @Option(name: [.customShort("H"), .long], help: ArgumentHelp(help("Tên máy ghi vào bản sao lưu.", "Host name to record."))) var host: String?
    @Flag(name: [.customShort("x"), .long], help: ArgumentHelp(help("Không sang hệ thống tệp khác.", "Stay on one file system."))) var oneFileSystem = false
    @Flag(name: [.customShort("f"), .long], help: ArgumentHelp(help("Đọc lại mọi tệp.", "Read every file again."))) var force = false
    @OptionGroup var stream: StreamOptions
    @Argument(
        help: ArgumentHelp(
            help("Tệp và thư mục, hoặc lệnh sau --stdin-from-command.", "Files and directories, or the command of --stdin-from-command.")))
    var paths: [String] = []

    private struct Summary: Encodable {
        let message_type = "summary"
        let files_new, files_changed, files_unmodified, dirs_new, dirs_changed, dirs_unmodified: UInt64
        let data_blobs, tree_blobs, data_added, data_added_packed, total_files_processed, total_bytes_processed: UInt64
        let total_duration: Double
        let snapshot_id: String
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let streams = try stream.sources(paths)
        let interruption = Interruption()
        let opened = try await repository.open()
        let lock = try opened.lock(exclusive: false)
        defer { lock.release() }
        let request = BackupRequest(
            sources: stream.isUsed ? [] : paths.map { FilePath($0) }, streams: streams, excludes: exclude, tags: tag, hostname: host ?? hostName(),
            parent: force ? .none : .newest, staysOnFileSystem: oneFileSystem)
        let report = try Archiver(repository: opened).run(request, cancellation: interruption.flag) { progress in
            let rate = progress.secondsElapsed > 0 ? Double(progress.bytesDone) / progress.secondsElapsed : 0
            interface.progress(
                "\(progress.filesDone) \(interface("tệp", "files")), \(sizeText(progress.bytesDone)), \(sizeText(UInt64(rate)))/s  \(progress.current)")
        }
        interface.endProgress()
        for item in report.unreadable { interface.warn("\(interface("lỗi", "error")): \(item.path): \(interface.text(item.reason))") }
        for item in report.changedWhileRead { interface.warn("\(interface("chú ý", "note")): \(item.path): \(interface.text(item.reason))") }
        for note in report.notes { interface.warn("\(interface("chú ý", "note")): \(interface.text(note))") }
        try show(report, interface)
        return report.isComplete ? .success : ControlAPI.ExitCode.incomplete.rawValue
    }

    private func show(_ report: BackupReport, _ interface: Interface) throws {
        let sums = report.summary
        if interface.isJSON {
            interface.line(
                try jsonText(
                    Summary(
                        files_new: sums.filesNew, files_changed: sums.filesChanged, files_unmodified: sums.filesUnmodified,
                        dirs_new: sums.dirsNew, dirs_changed: sums.dirsChanged, dirs_unmodified: sums.dirsUnmodified,
                        data_blobs: sums.dataBlobs, tree_blobs: sums.treeBlobs, data_added: sums.dataAdded,
                        data_added_packed: sums.dataAddedPacked, total_files_processed: sums.totalFilesProcessed,
                        total_bytes_processed: sums.totalBytesProcessed, total_duration: report.durationSeconds,
                        snapshot_id: report.snapshotID.hex)))
            return
        }
        interface.line(
            interface(
                "Tệp: \(sums.filesNew) mới, \(sums.filesChanged) đổi, \(sums.filesUnmodified) giữ nguyên; thêm \(sizeText(sums.dataAddedPacked)) vào kho.",
                "Files: \(sums.filesNew) new, \(sums.filesChanged) changed, \(sums.filesUnmodified) unmodified; added \(sizeText(sums.dataAddedPacked)) to the repository."
            ))
        interface.line(
            interface(
                "Đã xử lý \(sums.totalFilesProcessed) tệp, \(sizeText(sums.totalBytesProcessed)) trong \(durationText(report.durationSeconds)).",
                "Processed \(sums.totalFilesProcessed) files, \(sizeText(sums.totalBytesProcessed)) in \(durationText(report.durationSeconds))."))
        let suffix =
            report.isComplete
            ? ""
            : interface(
                " (chưa trọn vẹn: \(report.unreadable.count + report.omittedUnreadable) mục không đọc được)",
                " (incomplete: \(report.unreadable.count + report.omittedUnreadable) entries unreadable)")
        interface.line(interface("Đã lưu bản sao lưu \(report.snapshotID.short)\(suffix).", "Saved snapshot \(report.snapshotID.short)\(suffix)."))
    }
}

/// The name of this machine.
func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
