internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoRepairGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: help("Sửa kho sao lưu bị hỏng.", "Repair a damaged repository."),
        discussion: help(
            "Thứ tự: 'repair index', rồi 'repair packs' với các gói 'check' báo hỏng, rồi 'repair snapshots --forget'.",
            "In this order: 'repair index', then 'repair packs' with the packs that 'check' names, then 'repair snapshots --forget'."),
        subcommands: [RepoRepairIndexCommand.self, RepoRepairPacksCommand.self, RepoRepairSnapshotsCommand.self])
}

struct RepoRepairIndexCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: help("Viết lại chỉ mục theo các gói có thật.", "Make the index say what the packs hold."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Flag(help: ArgumentHelp(help("Đọc phần đầu của mọi gói.", "Read the header of every pack."))) var readAllPacks = false

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let opened = try await repository.open()
        let lock = try opened.lock(exclusive: true)
        defer { lock.release() }
        let report = try opened.repairIndex(readsAllPacks: readAllPacks, lock: lock, cancellation: interruption.flag) { done, total in
            interface.progress("\(interface("đọc gói", "reading packs")): \(done)/\(total)")
        }
        interface.endProgress()
        try show(report, interface)
        return .success
    }
}

private struct IndexSummary: Encodable {
    let message_type = "summary"
    let packs_added, packs_missing, packs_unreadable, indexes_unreadable: Int
    let changed: Bool
}

private func show(_ report: IndexRepairReport, _ interface: Interface) throws {
    for index in report.unreadableIndexes {
        interface.warn(interface("bỏ chỉ mục hỏng \(index.short)", "removed the unreadable index \(index.short)"))
    }
    for pack in report.missingPacks { interface.warn(interface("thiếu gói \(pack.hex)", "pack \(pack.hex) is missing")) }
    for (pack, error) in report.unreadablePacks {
        interface.warn("\(interface("không đọc được gói", "unreadable pack")) \(pack.hex): \(interface.text(error.message))")
    }
    if interface.isJSON {
        return interface.line(
            try jsonText(
                IndexSummary(
                    packs_added: report.addedPacks.count, packs_missing: report.missingPacks.count,
                    packs_unreadable: report.unreadablePacks.count, indexes_unreadable: report.unreadableIndexes.count,
                    changed: report.isChanged)))
    }
    interface.line(
        report.isChanged
            ? interface(
                "Đã viết lại chỉ mục: thêm \(report.addedPacks.count) gói, bỏ \(report.missingPacks.count) gói không còn.",
                "Index rewritten: \(report.addedPacks.count) packs added, \(report.missingPacks.count) missing packs forgotten.")
            : interface("Chỉ mục đúng, không cần sửa.", "The index is right, nothing was changed."))
}

struct RepoRepairPacksCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "packs", abstract: help("Cứu dữ liệu còn tốt khỏi các gói hỏng.", "Salvage the good data of damaged packs."),
        discussion: help(
            "Bản sao của mỗi gói được ghi vào thư mục hiện tại (pack-<mã>) trước khi gói bị xóa khỏi kho.",
            "A copy of each pack is written to the working directory (pack-<ID>) before the pack is removed from the repository."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @Argument(help: ArgumentHelp(help("Mã các gói hỏng, như 'check' đã in.", "IDs of damaged packs, as 'check' names them."))) var packs: [String]

    private struct Summary: Encodable {
        let message_type = "summary"
        let blobs_salvaged: Int
        let blobs_lost: [String]
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let opened = try await repository.open()
        let lock = try opened.lock(exclusive: true)
        defer { lock.release() }
        try opened.loadIndex()
        let damaged = try opened.findPacks(packs)
        for pack in damaged {
            let path = absolutePath(FilePath("pack-\(pack.hex)"))
            if try opened.savePackCopy(pack, to: path) == nil {
                interface.warn(interface("gói \(pack.hex) không còn trong kho", "pack \(pack.hex) is not in the repository"))
            }
        }
        let report = try opened.repairPacks(damaged, lock: lock, cancellation: interruption.flag) { done, total in
            interface.progress("\(interface("cứu dữ liệu", "salvaging")): \(done)/\(total)")
        }
        interface.endProgress()
        for (pack, error) in report.unremovedPacks {
            interface.warn("\(interface("không xóa được gói", "unable to remove pack")) \(pack.short): \(interface.text(error.message))")
        }
        if interface.isJSON {
            interface.line(try jsonText(Summary(blobs_salvaged: report.salvagedBlobs, blobs_lost: report.lostBlobs.map(\.id.hex))))
            return .success
        }
        interface.line(
            interface(
                "Cứu được \(report.salvagedBlobs) khối, mất \(report.lostBlobs.count).",
                "Salvaged \(report.salvagedBlobs) blobs, lost \(report.lostBlobs.count)."))
        if !report.lostBlobs.isEmpty {
            interface.line(
                interface(
                    "Sao lưu lại có thể bù phần mất; nếu không, dùng 'repair snapshots --forget' để gỡ nó khỏi các bản sao lưu.",
                    "Another backup may heal what was lost; else 'repair snapshots --forget' takes it out of the snapshots."))
        }
        return .success
    }
}

struct RepoRepairSnapshotsCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots", abstract: help("Gỡ phần hỏng khỏi các bản sao lưu.", "Take what is damaged out of snapshots."),
        discussion: help(
            "MẤT DỮ LIỆU của phần hỏng. Chạy 'repair index' trước; sao lưu lại có thể chữa được bản cũ mà không mất gì.",
            "LOSES the damaged parts. Run 'repair index' first; another backup may heal old snapshots without any loss."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SnapshotFilterOptions
    @Flag(help: ArgumentHelp(help("Xóa bản cũ sau khi ghi bản mới.", "Remove the old snapshots after writing new ones."))) var forget = false
    @Flag(name: [.customShort("n"), .long], help: ArgumentHelp(help("Chỉ cho biết sẽ làm gì.", "Only show what would be done."))) var dryRun = false
    @Argument(help: ArgumentHelp(help("Mã các bản sao lưu.", "IDs of snapshots."))) var snapshots: [String] = []

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let opened = try await repository.open()
        let lock = dryRun ? nil : try opened.lock(exclusive: true)
        defer { lock?.release() }
        var changed = 0
        let selected = try readable(opened, &changed, interface)
        try opened.loadIndex()
        var repairer = SnapshotRepairer(opened, forgetsOld: forget, isDryRun: dryRun, cancellation: interruption.flag)
        for snapshot in selected {
            try lock?.verify()
            interface.progress("\(interface("kiểm tra", "examining")) \(snapshot.id.short)")
            let outcome = try repairer.repair(
                snapshot, found: { interface.warn(text($0, interface)) }, willRemove: removalGuard(lock))
            interface.endProgress()
            if try show(outcome, of: snapshot, interface) { changed += 1 }
        }
        try showChanged(changed, isDryRun: dryRun, interface)
        return .success
    }

    /// The snapshots to look at. Files that are no readable snapshots go when they are named and `--forget` says so; else they are an error.
    private func readable(_ opened: Repository, _ changed: inout Int, _ interface: Interface) throws -> [Snapshot] {
        let (all, unreadable) = try opened.readSnapshots()
        var named = snapshots
        for (id, error) in unreadable {
            let isNamed = snapshots.contains { $0 != "latest" && id.hex.hasPrefix($0.lowercased()) }
            guard isNamed, forget else {
                if !snapshots.isEmpty && !isNamed { continue }
                throw CommandFailure(
                    vi: "tệp snapshot \(id.hex) không đọc được: \(error.message.vi)", en: "snapshot file \(id.hex) is unreadable: \(error.message.en)",
                    hint: Phrase(
                        vi: "xóa nó bằng 'repo repair snapshots --forget \(id.short)'", en: "remove it with 'repo repair snapshots --forget \(id.short)'"))
            }
            named.removeAll { id.hex.hasPrefix($0.lowercased()) }
            changed += 1
            if dryRun {
                interface.line(interface("sẽ xóa tệp snapshot hỏng \(id.short)", "would remove the unreadable snapshot \(id.short)"))
            } else {
                try opened.removeUnreadableSnapshot(id)
                interface.line(interface("đã xóa tệp snapshot hỏng \(id.short)", "removed the unreadable snapshot \(id.short)"))
            }
        }
        if snapshots.isEmpty { return all.filter(selection.filter.matches) }
        return named.isEmpty ? [] : try opened.findSnapshots(named, filter: selection.filter)
    }

    private func text(_ finding: SnapshotRepairer.Finding, _ interface: Interface) -> String {
        switch finding {
        case .unreadableDirectory(let path): interface("thư mục \(path): không đọc được, để rỗng", "directory \(path): unreadable, left empty")
        case .missingContent(let path): interface("tệp \(path): bỏ phần nội dung bị mất", "file \(path): removed missing content")
        case .wrongSize(let path): interface("tệp \(path): sửa kích thước", "file \(path): corrected the size")
        case .invalidType(let path): interface("\(path): loại không hợp lệ, bỏ", "\(path): invalid type, removed")
        }
    }
}
