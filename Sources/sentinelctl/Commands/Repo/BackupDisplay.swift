internal import BackupEngine
internal import Platform
internal import Synchronization

/// Shows how a backup goes: a line on the terminal, or restic's JSON lines.
final class BackupDisplay: Sendable {
    private struct Status: Encodable {
        let message_type = "status"
        var seconds_elapsed, seconds_remaining: UInt64?
        var percent_done: Double
        var total_files, files_done, total_bytes, bytes_done: UInt64?
        var error_count: Int?
        var current_files: [String]?
    }
    private struct Item: Encodable {
        let message_type = "verbose_status"
        var action: String
        var item: String?
        var duration: Double = 0
        var data_size, data_size_in_repo, metadata_size, metadata_size_in_repo: UInt64
        var total_files: UInt64
    }
    private struct Failure: Encodable {
        struct Message: Encodable { let message: String }
        let message_type = "error"
        let error: Message
        let during: String
        let item: String
    }

    private let interface: Interface
    private let verbosity: Int
    private let isSilent: Bool
    private let scan = Mutex<SourceScan?>(nil)

    /// - Parameters:
    ///   - verbosity: 2 and more shows each entry.
    ///   - isSilent: No progress at all; errors are still shown.
    init(_ interface: Interface, verbosity: Int, isSilent: Bool) {
        self.interface = interface
        self.verbosity = verbosity
        self.isSilent = isSilent
    }

    private var showsProgress: Bool { !isSilent && (interface.isJSON || interface.showsProgress) }

    /// Starts to count what there is to do, when somebody looks.
    func start(_ request: BackupRequest, scanning: Bool) throws {
        guard scanning, showsProgress, request.streams.isEmpty else { return }
        let running = try SourceScan(request) { [weak self] totals in self?.show(totals: totals) }
        scan.withLock { $0 = running }
    }

    func stop() {
        let running = scan.withLock { scan in
            let running = scan
            scan = nil
            return running
        }
        running?.stop()
        interface.endProgress()
    }

    var observer: BackupObserver {
        var observer = BackupObserver()
        if showsProgress { observer.progress = { [self] progress in show(progress: progress) } }
        if verbosity >= 2 { observer.item = { [self] item in show(item: item) } }
        observer.error = { [self] path, reason in show(path, reason) }
        return observer
    }

    private func show(progress: BackupProgress) {
        let totals = scan.withLock { $0 }?.current
        let share = totals.flatMap { totals -> Double? in
            // Before the count is complete a share would be too large.
            guard totals.isComplete, totals.bytes > 0 else { return nil }
            return min(1, Double(progress.bytesDone) / Double(totals.bytes))
        }
        let rate = progress.secondsElapsed > 0 ? Double(progress.bytesDone) / progress.secondsElapsed : 0
        let left = totals.flatMap { share == nil || rate == 0 ? nil : Double($0.bytes - min($0.bytes, progress.bytesDone)) / rate }
        if interface.isJSON {
            let status = Status(
                seconds_elapsed: nonZero(UInt64(progress.secondsElapsed)), seconds_remaining: left.flatMap { nonZero(UInt64($0)) },
                percent_done: share ?? 0, total_files: totals.flatMap { nonZero($0.files) }, files_done: nonZero(progress.filesDone),
                total_bytes: totals.flatMap { nonZero($0.bytes) }, bytes_done: nonZero(progress.bytesDone),
                error_count: progress.unreadable == 0 ? nil : progress.unreadable, current_files: [String(decoding: progress.current.bytes, as: UTF8.self)])
            print(status)
            return
        }
        var text = "[\(clock(progress.secondsElapsed))] "
        if let share { text += "\(decimal(share * 100, digits: 2))%  " }
        text += "\(progress.filesDone) \(interface("tệp", "files")) \(sizeText(progress.bytesDone))"
        if let totals { text += ", \(interface("tổng", "total")) \(totals.files) \(interface("tệp", "files")) \(sizeText(totals.bytes))" }
        text += ", \(sizeText(UInt64(rate)))/s"
        if progress.unreadable > 0 { text += ", \(progress.unreadable) \(interface("lỗi", "errors"))" }
        if let left { text += "  \(interface("còn", "ETA")) \(clock(left))" }
        interface.progress(text)
    }

    private func show(item: BackupItem) {
        let path = String(decoding: item.path.bytes, as: UTF8.self) + (item.isDirectory ? "/" : "")
        if interface.isJSON {
            print(
                Item(
                    action: item.action.rawValue, item: path, duration: item.secondsElapsed, data_size: item.dataBytes,
                    data_size_in_repo: item.dataStoredBytes, metadata_size: item.treeBytes, metadata_size_in_repo: item.treeStoredBytes, total_files: 0))
            return
        }
        let added = sizeText(item.dataBytes + item.treeBytes)
        let stored = sizeText(item.dataStoredBytes + item.treeStoredBytes)
        let shown = escapedForDisplay(path)
        interface.endProgress()
        switch item.action {
        case .new:
            interface.line(interface("mới        \(shown), thêm \(added) (\(stored) trong kho)", "new        \(shown), \(added) added (\(stored) stored)"))
        case .modified:
            interface.line(interface("đã đổi     \(shown), thêm \(added) (\(stored) trong kho)", "modified   \(shown), \(added) added (\(stored) stored)"))
        case .unchanged: interface.line(interface("giữ nguyên \(shown)", "unchanged  \(shown)"))
        }
    }

    private func show(totals: SourceScan.Totals) {
        guard verbosity >= 2 else { return }
        if interface.isJSON {
            print(
                Item(
                    action: "scan_finished", data_size: totals.bytes, data_size_in_repo: 0, metadata_size: 0, metadata_size_in_repo: 0,
                    total_files: totals.files))
        } else {
            interface.endProgress()
            interface.line(
                interface("đếm xong: \(totals.files) tệp, \(sizeText(totals.bytes))", "scan finished: \(totals.files) files, \(sizeText(totals.bytes))"))
        }
    }

    private func show(_ path: FilePath, _ reason: Phrase) {
        interface.endProgress()
        if interface.isJSON {
            let failure = Failure(
                error: Failure.Message(message: interface.text(reason)), during: "archival", item: String(decoding: path.bytes, as: UTF8.self))
            if let text = try? jsonText(failure) { interface.warn(text) }
        } else {
            interface.warn("\(interface("lỗi", "error")): \(path): \(interface.text(reason))")
        }
    }

    private func print(_ value: some Encodable) {
        // A status that cannot be encoded is not worth the backup.
        if let text = try? jsonText(value) { interface.line(text) }
    }

    private func nonZero(_ value: UInt64) -> UInt64? { value == 0 ? nil : value }

    /// `1:05`, `2:03:04`.
    private func clock(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 360_000_000))
        let (hours, minutes, rest) = (whole / 3600, whole % 3600 / 60, whole % 60)
        return hours > 0 ? "\(hours):\(padded(minutes, 2)):\(padded(rest, 2))" : "\(minutes):\(padded(rest, 2))"
    }
}
