internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Platform

struct RepoRestoreCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: help("Khôi phục một bản sao lưu vào một thư mục.", "Restore a snapshot into a directory."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SnapshotOptions
    @Option(name: [.customShort("t"), .long], help: ArgumentHelp(help("Thư mục đích.", "Directory to restore into."))) var target: String
    @Option(name: [.customShort("i"), .long], help: ArgumentHelp(help("Chỉ những gì khớp mẫu.", "Only what matches."))) var include: [String] = []
    @Option(name: [.customShort("e"), .long], help: ArgumentHelp(help("Trừ những gì khớp mẫu.", "Not what matches."))) var exclude: [String] = []
    @Flag(help: ArgumentHelp(help("Đọc lại tệp đã khôi phục và so sánh.", "Read the restored files back and compare."))) var verify = false
    @Flag(help: ArgumentHelp(help("Không ghi các đoạn toàn số 0.", "Leave runs of zeros out."))) var sparse = false

    private struct Summary: Encodable {
        let message_type = "summary"
        let total_files, files_restored, total_bytes, bytes_restored, files_verified: UInt64
        let errors: Int
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let opened = try await repository.open()
        let lock = try opened.lock(exclusive: false)
        defer { lock.release() }
        let snapshot = try opened.findSnapshot(selection.snapshot, filter: selection.filter)
        try opened.loadIndex()
        let options = RestoreOptions(include: include, exclude: exclude, verifies: verify, makesSparseFiles: sparse)
        let report = try Restorer(repository: opened).restore(
            snapshot, into: FilePath(target), options: options, cancellation: interruption.flag
        ) { progress in
            let stage = progress.stage == .restoring ? interface("khôi phục", "restoring") : interface("kiểm tra", "verifying")
            interface.progress("\(stage): \(progress.filesDone) \(interface("tệp", "files")), \(sizeText(progress.bytesDone))  \(progress.current)")
        }
        interface.endProgress()
        for item in report.failures { interface.warn("\(interface("lỗi", "error")): \(item.path): \(interface.text(item.reason))") }
        let files = report.filesRestored + report.hardLinksRestored
        if interface.isJSON {
            interface.line(
                try jsonText(
                    Summary(
                        total_files: files, files_restored: files, total_bytes: report.bytesRestored, bytes_restored: report.bytesRestored,
                        files_verified: report.filesVerified, errors: report.failures.count + report.omittedFailures)))
        } else {
            interface.line(
                interface(
                    "Đã khôi phục \(files) tệp (\(sizeText(report.bytesRestored))) của \(snapshot.id.short) vào \(FilePath(target)) trong \(durationText(report.durationSeconds)).",
                    "Restored \(files) files (\(sizeText(report.bytesRestored))) of \(snapshot.id.short) to \(FilePath(target)) in \(durationText(report.durationSeconds))."
                ))
            if verify {
                interface.line(interface("Đã đọc lại và so khớp \(report.filesVerified) tệp.", "Read back and compared \(report.filesVerified) files."))
            }
            if report.metadataSkipped > 0 {
                interface.line(
                    interface(
                        "\(report.metadataSkipped) thuộc tính chỉ root mới đặt được đã bỏ qua.",
                        "\(report.metadataSkipped) attributes that only root may set were skipped."))
            }
        }
        return report.isComplete ? .success : ControlAPI.ExitCode.incomplete.rawValue
    }
}

/// Which snapshot a command is about.
struct SnapshotOptions: ParsableArguments {
    @Argument(help: ArgumentHelp(help("Mã bản sao lưu (vài ký tự đầu) hoặc 'latest'.", "ID of the snapshot (its first digits) or 'latest'."))) var snapshot =
        "latest"
    @Option(name: [.customShort("H"), .long], help: ArgumentHelp(help("'latest' của máy này.", "'latest' of this host."))) var host: [String] = []
    @Option(help: ArgumentHelp(help("'latest' có nhãn này.", "'latest' with this tag."))) var tag: [String] = []
    @Option(help: ArgumentHelp(help("'latest' của đường dẫn này.", "'latest' of this path."))) var path: [String] = []

    var filter: SnapshotFilter {
        SnapshotFilter(hosts: host, paths: path, tagLists: tag.map { $0.split(separator: ",").map(String.init) })
    }
}
