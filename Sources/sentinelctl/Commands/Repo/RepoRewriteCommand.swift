internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoRewriteCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewrite",
        abstract: help("Viết lại các bản sao lưu: bỏ tệp, đổi máy, đổi thời điểm.", "Rewrite snapshots: leave files out, change host or time."),
        discussion: help(
            "Không nêu mã: mọi bản khớp --host, --tag, --path. Bản mới có nhãn 'rewrite', trừ khi dùng --forget. Dữ liệu được thu hồi bằng 'prune'.",
            "Without IDs: all snapshots that match --host, --tag, --path. New ones have the tag 'rewrite' unless --forget is used. 'prune' frees the data."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SnapshotFilterOptions
    @Option(name: [.customShort("e"), .long], help: ArgumentHelp(help("Bỏ những gì khớp mẫu.", "Leave out what matches."))) var exclude: [String] = []
    @Option(help: ArgumentHelp(help("Như trên, không phân biệt hoa thường.", "The same, ignoring case."))) var iexclude: [String] = []
    @Option(help: ArgumentHelp(help("Tệp các mẫu, mỗi dòng một mẫu.", "File of patterns, one a line."))) var excludeFile: [String] = []
    @Option(help: ArgumentHelp(help("Như trên, không phân biệt hoa thường.", "The same, ignoring case."))) var iexcludeFile: [String] = []
    @Option(help: ArgumentHelp(help("Đặt tên máy mới.", "Replace the host name."))) var newHost: String?
    @Option(help: ArgumentHelp(help("Đặt thời điểm mới: 'YYYY-MM-DD HH:MM:SS', giờ máy này.", "Replace the time: 'YYYY-MM-DD HH:MM:SS', local."))) var newTime:
        String?
    @Flag(name: [.customShort("s"), .long], help: ArgumentHelp(help("Ghi tổng số tệp và byte nếu chưa có.", "Add the sums of files and bytes if missing.")))
    var snapshotSummary = false
    @Flag(help: ArgumentHelp(help("Xóa bản cũ sau khi ghi bản mới.", "Remove the old snapshots after writing new ones."))) var forget = false
    @Flag(name: [.customShort("n"), .long], help: ArgumentHelp(help("Chỉ cho biết sẽ làm gì.", "Only show what would be done."))) var dryRun = false
    @Argument(help: ArgumentHelp(help("Mã các bản sao lưu.", "IDs of snapshots."))) var snapshots: [String] = []

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let request = try rewriteRequest()
        let opened = try await repository.open()
        let lock = dryRun ? nil : try opened.lock(exclusive: forget)
        defer { lock?.release() }
        let selected = try opened.findSnapshots(snapshots, filter: selection.filter)
        try opened.loadIndex()
        var rewriter = try SnapshotRewriter(opened, request, cancellation: interruption.flag)
        var changed = 0
        for snapshot in selected {
            try lock?.verify()
            interface.progress("\(interface("viết lại", "rewriting")) \(snapshot.id.short)")
            let outcome = try rewriter.rewrite(snapshot, willRemove: removalGuard(lock))
            interface.endProgress()
            if try show(outcome, of: snapshot, interface) { changed += 1 }
        }
        try showChanged(changed, isDryRun: dryRun, interface)
        return .success
    }

    private func rewriteRequest() throws -> RewriteRequest {
        var request = RewriteRequest()
        request.excludes = exclude + (try excludeFile.flatMap(patternLines))
        request.caseInsensitiveExcludes = iexclude + (try iexcludeFile.flatMap(patternLines))
        request.newHostname = newHost
        if let newTime {
            guard let moment = localTime(newTime) else {
                throw CommandFailure(
                    vi: "thời điểm không hợp lệ: '\(escapedForDisplay(newTime))'", en: "invalid time '\(escapedForDisplay(newTime))'",
                    hint: Phrase(vi: "ví dụ '2026-11-23 08:00:00'", en: "for example '2026-11-23 08:00:00'"))
            }
            request.newTime = moment
        }
        request.addsSummary = snapshotSummary
        request.forgetsOld = forget
        request.isDryRun = dryRun
        return request
    }
}

/// Prints what became of one snapshot.
///
/// - Returns: True when it changed, or would change.
func show(_ outcome: RewriteOutcome, of snapshot: Snapshot, _ interface: Interface) throws -> Bool {
    struct Changed: Encodable {
        let message_type = "changed"
        let old_snapshot_id: String
        let new_snapshot_id: String?
        let held: String?
    }
    func line(_ new: Digest?, held: Phrase? = nil) throws {
        if interface.isJSON {
            interface.line(
                try jsonText(Changed(old_snapshot_id: snapshot.id.hex, new_snapshot_id: new?.hex, held: held.map(interface.text))))
        } else {
            interface.line(
                new.map { "\(snapshot.id.short) -> \($0.short)" }
                    ?? interface("\(snapshot.id.short): không còn gì đọc được", "\(snapshot.id.short): nothing in it can be read"))
            if let held {
                interface.line(
                    interface("giữ lại bản cũ \(snapshot.id.short): \(held.vi)", "kept the old \(snapshot.id.short): \(held.en)"))
            }
        }
    }
    switch outcome {
    case .unchanged: return false
    case .wouldChange:
        if !interface.isJSON { interface.line(interface("sẽ thay đổi \(snapshot.id.short)", "would modify \(snapshot.id.short)")) }
    case .changed(let new): try line(new)
    case .changedAndHeld(let new, let reason): try line(new, held: reason)
    }
    return true
}

/// The patterns of a file: one a line, without empty lines and comments.
func patternLines(_ path: String) throws -> [String] {
    String(decoding: try DurableFiles.read(FilePath(path), limit: 16 << 20), as: UTF8.self)
        .split(whereSeparator: \.isNewline)
        .map { line in String(line.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }
        .filter { !$0.isEmpty && !$0.hasPrefix("#") }
}

/// `YYYY-MM-DD HH:MM:SS` on the clocks of this machine.
func localTime(_ text: String) -> Timestamp? {
    guard text.utf8.count == 19, let shown = Timestamp(rfc3339: text + "Z") else { return nil }
    let civil = CivilTime(utc: shown)
    return ZoneRules.local.moment(
        year: civil.year, month: civil.month, day: civil.day, hour: civil.hour, minute: civil.minute, second: civil.second)
}
