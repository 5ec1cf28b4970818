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
    @OptionGroup(title: help("Nguồn", "Sources")) var selection: SelectionOptions
    @OptionGroup(title: help("Bản sao lưu", "Snapshot")) var snapshot: NewSnapshotOptions
    @OptionGroup(title: help("Cách ghi", "Writing")) var writing: WriteOptions
    @Flag(help: ArgumentHelp(help("Không đếm trước số tệp.", "Do not count the files beside the backup."))) var noScan = false
    @Flag(name: .shortAndLong, help: ArgumentHelp(help("Nói nhiều hơn; -vv liệt kê từng mục.", "Say more; -vv lists each entry."))) var verbose: Int
    @OptionGroup(title: help("Luồng dữ liệu", "Streams")) var stream: StreamOptions
    @Argument(
        help: ArgumentHelp(
            help("Tệp và thư mục, hoặc lệnh sau --stdin-from-command.", "Files and directories, or the command of --stdin-from-command.")))
    var paths: [String] = []

    private struct Summary: Encodable {
        let message_type = "summary"
        var dry_run: Bool?
        let files_new, files_changed, files_unmodified, dirs_new, dirs_changed, dirs_unmodified: UInt64
        let data_blobs, tree_blobs, data_added, data_added_packed, total_files_processed, total_bytes_processed: UInt64
        let total_duration: Double
        let backup_start, backup_end: String
        var snapshot_id: String?
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let streams = try stream.sources(paths)
        let interruption = Interruption()
        var missing: [String] = []
        let listed = try selection.listedSources { missing.append($0) }
        for pattern in missing {
            let shown = escapedForDisplay(pattern)
            interface.warn(interface("chú ý: mẫu '\(shown)' không khớp tệp nào", "note: pattern '\(shown)' does not match any files, skipping"))
        }
        let named = stream.isUsed ? [] : paths.map { FilePath($0) } + listed
        var request = BackupRequest(
            sources: stream.isUsed ? [] : try existing(named, interface), streams: streams, hostname: hostName())
        try selection.apply(to: &request)
        let opened = try await repository.open(writing: try writing.settings())
        try snapshot.apply(to: &request, opened)

        let display = BackupDisplay(interface, verbosity: verbose, isSilent: false)
        try display.start(request, scanning: !noScan)
        let report: BackupReport
        do {
            report = try Archiver(repository: opened).run(request, cancellation: interruption.flag, observer: display.observer)
        } catch {
            display.stop()
            throw error
        }
        display.stop()
        for item in report.changedWhileRead { interface.warn("\(interface("chú ý", "note")): \(item.path): \(interface.text(item.reason))") }
        for note in report.notes { interface.warn("\(interface("chú ý", "note")): \(interface.text(note))") }
        try show(report, request, interface)
        return report.isComplete && request.sources.count == named.count
            ? .success : ControlAPI.ExitCode.incomplete.rawValue
    }

    /// The sources that are there; restic goes on without the others, unless none is left.
    private func existing(_ sources: [FilePath], _ interface: Interface) throws -> [FilePath] {
        if sources.isEmpty {
            throw CommandFailure(
                vi: "chưa nêu nguồn sao lưu", en: "nothing to back up was named",
                hint: Phrase(vi: "nêu tệp hoặc thư mục, hoặc dùng --files-from", en: "name files or directories, or use --files-from"))
        }
        let existing = try sources.filter { source in
            if try FileStatus.exists(source) { return true }
            interface.warn("\(interface("chú ý: không có", "note: does not exist, skipping")): \(source)")
            return false
        }
        if existing.isEmpty {
            throw CommandFailure(vi: "không nguồn nào tồn tại", en: "all source directories/files do not exist")
        }
        return existing
    }

    private func show(_ report: BackupReport, _ request: BackupRequest, _ interface: Interface) throws {
        let sums = report.summary
        if interface.isJSON {
            interface.line(
                try jsonText(
                    Summary(
                        dry_run: request.isDryRun ? true : nil,
                        files_new: sums.filesNew, files_changed: sums.filesChanged, files_unmodified: sums.filesUnmodified,
                        dirs_new: sums.dirsNew, dirs_changed: sums.dirsChanged, dirs_unmodified: sums.dirsUnmodified,
                        data_blobs: sums.dataBlobs, tree_blobs: sums.treeBlobs, data_added: sums.dataAdded,
                        data_added_packed: sums.dataAddedPacked, total_files_processed: sums.totalFilesProcessed,
                        total_bytes_processed: sums.totalBytesProcessed, total_duration: report.durationSeconds,
                        backup_start: sums.backupStart.rfc3339Local, backup_end: sums.backupEnd.rfc3339Local,
                        snapshot_id: report.isSaved ? report.snapshotID.hex : nil)))
            return
        }
        let verb = request.isDryRun ? interface("sẽ thêm", "would add") : interface("thêm", "added")
        interface.line(
            interface(
                "Tệp: \(sums.filesNew) mới, \(sums.filesChanged) đổi, \(sums.filesUnmodified) giữ nguyên; \(verb) \(sizeText(sums.dataAddedPacked)) vào kho.",
                "Files: \(sums.filesNew) new, \(sums.filesChanged) changed, \(sums.filesUnmodified) unmodified; \(verb) \(sizeText(sums.dataAddedPacked)) to the repository."
            ))
        interface.line(
            interface(
                "Thư mục: \(sums.dirsNew) mới, \(sums.dirsChanged) đổi, \(sums.dirsUnmodified) giữ nguyên.",
                "Dirs: \(sums.dirsNew) new, \(sums.dirsChanged) changed, \(sums.dirsUnmodified) unmodified."))
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
        if report.isSaved {
            interface.line(interface("Đã lưu bản sao lưu \(report.snapshotID.short)\(suffix).", "Saved snapshot \(report.snapshotID.short)\(suffix)."))
        } else if request.isDryRun {
            interface.line(interface("Chạy thử: không ghi gì\(suffix).", "Dry run: nothing was written\(suffix)."))
        } else {
            interface.line(interface("Không có gì thay đổi: không ghi bản sao lưu mới.", "Nothing changed: no new snapshot was saved."))
        }
    }
}

/// The name of this machine.
func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
