internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Platform

struct RepoRestoreCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: help("Khôi phục một bản sao lưu vào một thư mục.", "Restore a snapshot into a directory."),
        discussion: help(
            """
            Tệp đã có được ghi đè tại chỗ, chỉ những đoạn khác nhau; chạy lại với --overwrite if-changed để tiếp tục một lần khôi phục dở dang. \
            Mục nào không khôi phục được thì được báo, các mục khác vẫn được khôi phục, mã thoát 1. Tệp thiếu một đoạn được để lại với số 0 ở chỗ đó, \
            chỉ chủ sở hữu đọc được.
            """,
            """
            Files that exist are rewritten in place, only where they differ; run it again with --overwrite if-changed to go on with an interrupted \
            restore. What cannot be restored is reported, the rest is restored all the same, exit status 1. A file that lacks a part is left with \
            zeros there, readable by its owner alone.
            """))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SnapshotOptions
    @Option(name: [.customShort("t"), .long], help: ArgumentHelp(help("Thư mục đích.", "Directory to restore into."))) var target: String
    @Option(name: [.customShort("i"), .long], help: ArgumentHelp(help("Chỉ những gì khớp mẫu.", "Only what matches."))) var include: [String] = []
    @Option(name: [.customShort("e"), .long], help: ArgumentHelp(help("Trừ những gì khớp mẫu.", "Not what matches."))) var exclude: [String] = []
    @Option(help: ArgumentHelp(help("Như --include, không phân biệt hoa thường.", "As --include, ignoring case."))) var iinclude: [String] = []
    @Option(help: ArgumentHelp(help("Như --exclude, không phân biệt hoa thường.", "As --exclude, ignoring case."))) var iexclude: [String] = []
    @Option(help: ArgumentHelp(help("Tệp chứa các mẫu của --include.", "File with patterns for --include."))) var includeFile: [String] = []
    @Option(help: ArgumentHelp(help("Tệp chứa các mẫu của --exclude.", "File with patterns for --exclude."))) var excludeFile: [String] = []
    @Option(help: ArgumentHelp(help("Tệp chứa các mẫu của --iinclude.", "File with patterns for --iinclude."))) var iincludeFile: [String] = []
    @Option(help: ArgumentHelp(help("Tệp chứa các mẫu của --iexclude.", "File with patterns for --iexclude."))) var iexcludeFile: [String] = []
    @Option(help: ArgumentHelp(help("Chỉ các thuộc tính mở rộng khớp mẫu.", "Only extended attributes that match."))) var includeXattr: [String] = []
    @Option(help: ArgumentHelp(help("Trừ các thuộc tính mở rộng khớp mẫu.", "Not the extended attributes that match."))) var excludeXattr: [String] = []
    @Option(help: ArgumentHelp(help("Với tệp đã có: always, if-changed, if-newer, never.", "Files that exist: always, if-changed, if-newer, never.")))
    var overwrite: RestoreOptions.Overwrite = .always
    @Flag(help: ArgumentHelp(help("Xóa những gì không có trong bản sao lưu.", "Remove what the snapshot does not have."))) var delete = false
    @Flag(help: ArgumentHelp(help("Không ghi gì, chỉ báo sẽ làm gì.", "Write nothing, say what would be done."))) var dryRun = false
    @Flag(help: ArgumentHelp(help("Đọc lại tệp đã khôi phục và so sánh.", "Read the restored files back and compare."))) var verify = false
    @Flag(help: ArgumentHelp(help("Không ghi các đoạn toàn số 0.", "Leave runs of zeros out."))) var sparse = false
    @Flag(name: [.customShort("v"), .long], help: ArgumentHelp(help("Kể từng mục (lặp lại để chi tiết hơn).", "Name each entry (repeat for more).")))
    var verbose: Int

    private struct Summary: Encodable {
        let message_type = "summary"
        let seconds_elapsed, total_files, files_restored, files_skipped, files_deleted: UInt64
        let total_bytes, bytes_restored, bytes_skipped, files_verified: UInt64
        let errors: Int
    }

    private struct Problem: Encodable {
        struct Reason: Encodable { let message: String }
        let message_type = "error"
        let error: Reason
        let during = "restore"
        let item: String
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let options = try options()
        let interruption = Interruption()
        let opened = try await repository.open()
        let snapshot = try opened.findSnapshot(selection.reference.snapshot, filter: selection.filter)
        let showsItems = verbose >= 2 || dryRun && verbose >= 1
        var onProgress: (@Sendable (RestoreProgress) -> Void)?
        if interface.isJSON || interface.showsProgress { onProgress = { RestoreOutput.show($0, interface) } }
        var onItem: (@Sendable (RestoredItem) -> Void)?
        if showsItems { onItem = { RestoreOutput.show($0, interface) } }
        let report = try Restorer(repository: opened).restore(
            snapshot, into: FilePath(target), options: options, locks: !repository.locking.noLock, cancellation: interruption.flag,
            progress: onProgress, item: onItem)
        interface.endProgress()
        for item in report.failures { show(item, interface) }
        if report.omittedFailures > 0 {
            interface.warn(interface("… và \(report.omittedFailures) lỗi khác", "… and \(report.omittedFailures) more errors"))
        }
        try summarise(report, snapshot, interface)
        // restic's own status when something could not be restored.
        return report.isComplete ? .success : ControlAPI.ExitCode.failure.rawValue
    }

    private func options() throws -> RestoreOptions {
        var options = RestoreOptions(
            include: try include + PatternFile.patterns(includeFile), exclude: try exclude + PatternFile.patterns(excludeFile), verifies: verify,
            makesSparseFiles: sparse)
        options.includeIgnoringCase = try iinclude + PatternFile.patterns(iincludeFile)
        options.excludeIgnoringCase = try iexclude + PatternFile.patterns(iexcludeFile)
        options.includeAttributes = includeXattr
        options.excludeAttributes = excludeXattr
        options.subfolder = selection.reference.subfolder
        options.overwrite = overwrite
        options.deletes = delete
        options.isDryRun = dryRun
        let hasInclude = !options.include.isEmpty || !options.includeIgnoringCase.isEmpty
        let hasExclude = !options.exclude.isEmpty || !options.excludeIgnoringCase.isEmpty
        if hasInclude && hasExclude { throw Self.conflict("--include", "--exclude") }
        if !includeXattr.isEmpty && !excludeXattr.isEmpty { throw Self.conflict("--include-xattr", "--exclude-xattr") }
        if dryRun && verify { throw Self.conflict("--dry-run", "--verify") }
        if delete, absolutePath(FilePath(target)) == "/", !hasInclude, !hasExclude {
            throw CommandFailure(
                vi: "'--target / --delete' cần kèm --include hoặc --exclude", en: "'--target / --delete' needs an --include or --exclude")
        }
        return options
    }

    private static func conflict(_ one: String, _ other: String) -> CommandFailure {
        CommandFailure(vi: "\(one) và \(other) không dùng cùng nhau được", en: "\(one) and \(other) exclude each other")
    }

    private func show(_ item: RestoreReport.Item, _ interface: Interface) {
        if interface.isJSON {
            let line = Problem(error: Problem.Reason(message: interface.text(item.reason)), item: item.path.utf8 ?? item.path.description)
            if let line = try? jsonText(line) { interface.warn(line) }
        } else {
            interface.warn("\(interface("lỗi", "error")): \(item.path): \(interface.text(item.reason))")
        }
    }

    private func summarise(_ report: RestoreReport, _ snapshot: Snapshot, _ interface: Interface) throws {
        if interface.isJSON {
            interface.line(
                try jsonText(
                    Summary(
                        seconds_elapsed: UInt64(report.durationSeconds), total_files: report.entriesTotal, files_restored: report.entriesRestored,
                        files_skipped: report.filesSkipped, files_deleted: report.filesDeleted, total_bytes: report.bytesTotal,
                        bytes_restored: report.bytesRestored, bytes_skipped: report.bytesSkipped, files_verified: report.filesVerified,
                        errors: report.failures.count + report.omittedFailures)))
            return
        }
        let entries = report.entriesRestored
        let time = durationText(report.durationSeconds)
        interface.line(
            dryRun
                ? interface(
                    "Sẽ khôi phục \(entries) mục (\(sizeText(report.bytesRestored))) của \(snapshot.id.short) vào \(FilePath(target)).",
                    "Would restore \(entries) entries (\(sizeText(report.bytesRestored))) of \(snapshot.id.short) to \(FilePath(target)).")
                : interface(
                    "Đã khôi phục \(entries) mục (\(sizeText(report.bytesRestored))) của \(snapshot.id.short) vào \(FilePath(target)) trong \(time).",
                    "Restored \(entries) entries (\(sizeText(report.bytesRestored))) of \(snapshot.id.short) to \(FilePath(target)) in \(time)."))
        if report.filesSkipped > 0 {
            interface.line(
                interface(
                    "Giữ nguyên \(report.filesSkipped) mục (\(sizeText(report.bytesSkipped))).",
                    "Left \(report.filesSkipped) entries as they are (\(sizeText(report.bytesSkipped)))."))
        }
        if report.filesDeleted > 0 {
            interface.line(
                dryRun
                    ? interface("Sẽ xóa \(report.filesDeleted) mục.", "Would remove \(report.filesDeleted) entries.")
                    : interface("Đã xóa \(report.filesDeleted) mục.", "Removed \(report.filesDeleted) entries."))
        }
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
}

extension RestoreOptions.Overwrite: ExpressibleByArgument {}

/// Files with one path pattern per line; `#` begins a comment, white space at both ends is no part of a pattern.
enum PatternFile {
    static func patterns(_ files: [String]) throws -> [String] {
        try files.flatMap { file in
            String(decoding: try DurableFiles.read(FilePath(file), limit: 16 << 20), as: UTF8.self)
                .split(whereSeparator: \.isNewline)
                .map { String($0.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
                .filter { !$0.isEmpty && !$0.hasPrefix("#") }
        }
    }
}

/// How far, how fast, and how long still.
enum RateText {
    static func line(done: UInt64, total: UInt64, _ seconds: Double, _ interface: Interface) -> String {
        let rate = seconds > 0 ? Double(done) / seconds : 0
        var text = "\(sizeText(done)), \(sizeText(UInt64(rate)))/s"
        if total > 0 {
            text = "\(decimal(min(100, Double(done) / Double(total) * 100), digits: 1)) %, " + text
            if rate > 0 { text += ", \(interface("còn", "ETA")) \(durationText(Double(total - min(done, total)) / rate))" }
        }
        return text
    }
}

/// What a restore says while it works; called from its threads.
private enum RestoreOutput {
    private struct Status: Encodable {
        let message_type = "status"
        let seconds_elapsed: UInt64?
        let percent_done: Double
        let total_files, files_restored, files_skipped, files_deleted, total_bytes, bytes_restored, bytes_skipped: UInt64?

        init(_ progress: RestoreProgress) {
            func unlessZero(_ value: UInt64) -> UInt64? { value == 0 ? nil : value }
            seconds_elapsed = unlessZero(UInt64(progress.secondsElapsed))
            percent_done = progress.share
            total_files = unlessZero(progress.entriesTotal)
            files_restored = unlessZero(progress.filesDone)
            files_skipped = unlessZero(progress.filesSkipped)
            files_deleted = unlessZero(progress.filesDeleted)
            total_bytes = unlessZero(progress.bytesTotal)
            bytes_restored = unlessZero(progress.bytesDone)
            bytes_skipped = unlessZero(progress.bytesSkipped)
        }
    }

    private struct Item: Encodable {
        let message_type = "verbose_status"
        let action, item: String
        let size: UInt64
    }

    static func show(_ progress: RestoreProgress, _ interface: Interface) {
        if interface.isJSON {
            if let line = try? jsonText(Status(progress)) { interface.line(line) }
            return
        }
        let stage = progress.stage == .restoring ? interface("khôi phục", "restoring") : interface("kiểm tra", "verifying")
        interface.progress(
            "\(stage): \(progress.filesDone)/\(progress.entriesTotal), "
                + RateText.line(done: progress.bytesDone + progress.bytesSkipped, total: progress.bytesTotal, progress.secondsElapsed, interface)
                + "  \(progress.current)")
    }

    static func show(_ item: RestoredItem, _ interface: Interface) {
        if interface.isJSON {
            let line = Item(action: item.action.rawValue, item: item.path.utf8 ?? item.path.description, size: item.size)
            if let line = try? jsonText(line) { interface.line(line) }
            return
        }
        let action =
            switch item.action {
            case .restored: interface("khôi phục", "restored ")
            case .updated: interface("cập nhật ", "updated  ")
            case .unchanged: interface("giữ nguyên", "unchanged")
            case .deleted: interface("xóa", "deleted  ")
            }
        interface.line("\(action) \(item.path)\(item.size > 0 ? " (\(sizeText(item.size)))" : "")")
    }
}
