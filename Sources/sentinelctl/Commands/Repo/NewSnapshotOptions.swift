internal import ArgumentParser
internal import BackupEngine
internal import Platform

/// What the new snapshot says of itself, and how changes are found: restic's options.
struct NewSnapshotOptions: ParsableArguments {
    @Option(help: ArgumentHelp(help("Nhãn, cách nhau bằng dấu phẩy (lặp lại được).", "Tags, separated by commas (repeatable)."))) var tag: [String] = []
    @Option(
        name: [.customShort("H"), .long],
        help: ArgumentHelp(help("Tên máy ghi vào bản sao lưu (hoặc RESTIC_HOST).", "Host name to record (or RESTIC_HOST).")))
    var host: String?
    @Option(help: ArgumentHelp(help("Thời điểm của bản sao lưu: 'NĂM-THÁNG-NGÀY GIỜ:PHÚT:GIÂY'.", "Time of the snapshot: 'YYYY-MM-DD HH:MM:SS'.")))
    var time: String?
    @Option(help: ArgumentHelp(help("So sánh với bản sao lưu này.", "Snapshot to compare with."))) var parent: String?
    @Flag(name: [.customShort("f"), .long], help: ArgumentHelp(help("Đọc lại mọi tệp.", "Read every file again."))) var force = false
    @Option(
        name: [.customShort("g"), .long],
        help: ArgumentHelp(help("Bản so sánh phải cùng: host, paths, tags.", "What the parent has in common: host, paths, tags.")))
    var groupBy = "host,paths"
    @Flag(help: ArgumentHelp(help("Không xét thời điểm đổi inode.", "Do not compare change times."))) var ignoreCtime = false
    @Flag(help: ArgumentHelp(help("Không xét số inode và thời điểm đổi inode.", "Compare neither inode numbers nor change times."))) var ignoreInode = false
    @Flag(help: ArgumentHelp(help("Ghi cả thời điểm đọc cuối.", "Store access times."))) var withAtime = false
    @Flag(help: ArgumentHelp(help("Không ghi bản sao lưu giống hệt bản trước.", "Save no snapshot that is identical to its parent.")))
    var skipIfUnchanged = false
    @Flag(name: [.customShort("n"), .long], help: ArgumentHelp(help("Chạy thử, không ghi gì vào kho.", "Write nothing, only show what would be done.")))
    var dryRun = false
    @Option(
        help: ArgumentHelp(help("Số tệp đọc cùng lúc (hoặc RESTIC_READ_CONCURRENCY).", "Files read at the same time (or RESTIC_READ_CONCURRENCY).")))
    var readConcurrency: Int?

    func apply(to request: inout BackupRequest, _ repository: Repository) throws {
        request.tags = try tags()
        if let host = host ?? environmentValue("RESTIC_HOST"), !host.isEmpty { request.hostname = host }
        if let time { request.time = try moment(time) }
        request.parentGroup = try group()
        request.detection = ChangeDetection(comparesChangeTime: !ignoreCtime && !ignoreInode, comparesInode: !ignoreInode)
        request.withAccessTime = withAtime
        request.skipsUnchanged = skipIfUnchanged
        request.isDryRun = dryRun
        if let count = readConcurrency ?? environmentValue("RESTIC_READ_CONCURRENCY").flatMap({ Int($0) }), count > 0 {
            request.workerCount = max(count, ThreadPriority.processorCount)
        }
        if force {
            request.parent = .none
        } else if let parent {
            request.parent = .snapshot(try repository.findSnapshot(parent))
        }
    }

    /// A comma inside a tag cannot be written: the list is split there, as restic does.
    private func tags() throws -> [String] {
        let tags = tag.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmed } }
        if tags.contains("") {
            throw CommandFailure(vi: "nhãn rỗng không dùng được", en: "an empty tag cannot be used")
        }
        return tags
    }

    private func group() throws -> BackupRequest.ParentGroup {
        var group = BackupRequest.ParentGroup(host: false, paths: false, tags: false)
        for name in groupBy.split(separator: ",") {
            switch name.trimmed {
            case "host", "hosts": group.host = true
            case "path", "paths": group.paths = true
            case "tag", "tags": group.tags = true
            default:
                throw CommandFailure(
                    vi: "không nhóm được theo '\(escapedForDisplay(String(name)))'", en: "cannot group by '\(escapedForDisplay(String(name)))'",
                    hint: Phrase(verbatim: "host, paths, tags"))
            }
        }
        return group
    }

    private func moment(_ text: String) throws -> Timestamp {
        let numbers = text.split { "- :".contains($0) }.map { Int($0) }
        let separators = text.filter { "- :".contains($0) }
        guard separators == "-- ::", numbers.count == 6, let year = numbers[0], let month = numbers[1], let day = numbers[2],
            let hour = numbers[3], let minute = numbers[4], let second = numbers[5], (1...12).contains(month),
            (1...daysInMonth(year: year, month: month)).contains(day), (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second)
        else {
            throw CommandFailure(
                vi: "thời điểm sai: '\(escapedForDisplay(text))'", en: "no time: '\(escapedForDisplay(text))'",
                hint: Phrase(verbatim: "2026-11-23 14:05:09"))
        }
        return ZoneRules.local.moment(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
