internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Platform

struct RepoPruneCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: help("Thu hồi chỗ của dữ liệu không bản sao lưu nào còn dùng.", "Remove data that no snapshot uses any more."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var pruning: PruneSelectionOptions
    @OptionGroup var glass: BreakGlassOptions
    @Flag(name: [.customShort("n"), .long], help: ArgumentHelp(help("Chỉ cho biết sẽ làm gì.", "Only show what would be done."))) var dryRun = false
    @Option(
        help: ArgumentHelp(
            help(
                "NGUY HIỂM: kho hết chỗ; xóa chỉ mục trước. Tham số là mã của kho. Hãy thử --max-repack-size 0 trước.",
                "UNSAFE: for a repository without free space, removes the index first. Takes the repository's ID. Try --max-repack-size 0 first.")))
    var unsafeRecoverNoFreeSpace: String?

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        var options = try pruning.options()
        if repository.locking.noLock, !dryRun { throw CommandFailure(vi: "--no-lock chỉ dùng cùng --dry-run", en: "--no-lock is for --dry-run only") }
        let opened: Repository
        if dryRun {
            opened = try await repository.open()
        } else {
            let configured = ConfiguredRepository(options: glass, interface: interface, command: "prune")
            switch try await configured.open(repository, work: { try await configured.prune($0, $1, isDryRun: false) }) {
            case .done(let status): return status
            case .direct(let repository): opened = repository
            }
        }
        if let id = unsafeRecoverNoFreeSpace {
            guard id == opened.configuration.id else {
                throw CommandFailure(
                    vi: "--unsafe-recover-no-free-space cần mã của kho: \(opened.configuration.id)",
                    en: "--unsafe-recover-no-free-space needs the ID of the repository: \(opened.configuration.id)")
            }
            options.recoversFullStorage = true
        }
        try await pruneAndShow(
            opened, options, ignoring: [], isDryRun: dryRun, takesLock: !repository.locking.noLock, cancellation: interruption.flag, interface)
        return .success
    }
}

/// Plans, shows the plan, and carries it out; the end of `prune` and of `forget --prune`.
///
/// - Parameter takesLock: False where the caller has locked the repository, or wants a plan only.
func pruneAndShow(
    _ opened: Repository, _ options: PruneOptions, ignoring: Set<Digest>, isDryRun: Bool, takesLock: Bool = true,
    lock held: RepositoryLock? = nil, cancellation: CancellationFlag, _ interface: Interface
) async throws {
    let lock = try held ?? (takesLock ? opened.lock(exclusive: true) : nil)
    defer { if held == nil { lock?.release() } }
    func progress(_ progress: PruneProgress) {
        let stage =
            switch progress.stage {
            case .trees: interface("tìm dữ liệu đang dùng", "finding data in use")
            case .repacking: interface("đóng gói lại", "repacking")
            case .indexes: interface("viết lại chỉ mục", "rewriting the index")
            case .removing: interface("xóa gói", "removing packs")
            }
        interface.progress("\(stage): \(progress.done)\(progress.total > 0 ? "/\(progress.total)" : "")")
    }
    let plan = try opened.planPrune(options, ignoring: ignoring, cancellation: cancellation, progress: progress)
    interface.endProgress()
    try show(plan, isDryRun: isDryRun, interface)
    guard !isDryRun, let lock, !plan.isEmpty else { return }
    let report = try opened.prune(plan, lock: lock, cancellation: cancellation, progress: progress)
    interface.endProgress()
    for (id, error) in report.unremovedPacks {
        interface.warn("\(interface("không xóa được gói", "unable to remove pack")) \(id.short): \(interface.text(error.message))")
    }
    if !interface.isJSON { interface.line(interface("Đã dọn xong.", "done")) }
}

/// restic's summary of a plan.
private struct PruneSummary: Encodable {
    struct Blobs: Encodable {
        let used, duplicate, unused, total, repack, repack_remove, remove, remove_total, remaining: Int
    }
    struct Bytes: Encodable {
        let used, duplicate, unused, unreferenced, uncompressed, total, repack, repack_remove, remove, remove_total, remaining: UInt64
        let remaining_unused: UInt64
    }
    struct Packs: Encodable {
        let used, unused, partly_used, unreferenced, total, keep, repack, remove, remove_total: Int
    }
    let message_type = "summary"
    let blobs: Blobs
    let bytes: Bytes
    let packfiles: Packs

    init(_ sums: PruneStatistics) {
        blobs = Blobs(
            used: sums.blobs.used, duplicate: sums.blobs.duplicate, unused: sums.blobs.unused, total: sums.blobs.total,
            repack: sums.blobs.repack, repack_remove: sums.blobs.repackRemove, remove: sums.blobs.remove,
            remove_total: sums.blobs.removeTotal, remaining: sums.blobs.remaining)
        bytes = Bytes(
            used: sums.bytes.used, duplicate: sums.bytes.duplicate, unused: sums.bytes.unused, unreferenced: sums.bytes.unreferenced,
            uncompressed: sums.bytes.uncompressed, total: sums.bytes.total, repack: sums.bytes.repack,
            repack_remove: sums.bytes.repackRemove, remove: sums.bytes.remove, remove_total: sums.bytes.removeTotal,
            remaining: sums.bytes.remaining, remaining_unused: sums.bytes.remainingUnused)
        packfiles = Packs(
            used: sums.packs.used, unused: sums.packs.unused, partly_used: sums.packs.partlyUsed, unreferenced: sums.packs.unreferenced,
            total: sums.packs.total, keep: sums.packs.keep, repack: sums.packs.repack, remove: sums.packs.remove,
            remove_total: sums.packs.removeTotal)
    }
}

private func show(_ plan: PrunePlan, isDryRun: Bool, _ interface: Interface) throws {
    let sums = plan.statistics
    if interface.isJSON { return interface.line(try jsonText(PruneSummary(sums))) }
    func row(_ vi: String, _ en: String, _ blobs: Int?, _ bytes: UInt64) -> [String] {
        [interface(vi, en), blobs.map { "\($0)" } ?? "", sizeText(bytes)]
    }
    func share(_ part: UInt64, _ whole: UInt64) -> String { whole == 0 ? "0%" : decimal(100 * Double(part) / Double(whole), digits: 2) + "%" }
    var rows = [row("đang dùng", "used", sums.blobs.used, sums.bytes.used)]
    if sums.blobs.duplicate > 0 { rows.append(row("trùng lặp", "duplicates", sums.blobs.duplicate, sums.bytes.duplicate)) }
    rows.append(row("không dùng", "unused", sums.blobs.unused, sums.bytes.unused))
    if sums.bytes.unreferenced > 0 { rows.append(row("ngoài chỉ mục", "unreferenced", nil, sums.bytes.unreferenced)) }
    rows.append(row("tổng cộng", "total", sums.blobs.total, sums.bytes.total))
    rows.append(row("đóng gói lại", "to repack", sums.blobs.repack, sums.bytes.repack))
    rows.append(row("nhờ đó bỏ", "this removes", sums.blobs.repackRemove, sums.bytes.repackRemove))
    rows.append(row("xóa", "to delete", sums.blobs.remove, sums.bytes.remove + sums.bytes.unreferenced))
    rows.append(row("tổng thu hồi", "total prune", sums.blobs.removeTotal, sums.bytes.removeTotal))
    if sums.bytes.uncompressed > 0 { rows.append(row("chưa nén", "not yet compressed", nil, sums.bytes.uncompressed)) }
    rows.append(row("còn lại", "remaining", sums.blobs.remaining, sums.bytes.remaining))
    interface.table(["", interface("khối", "blobs"), interface("cỡ", "size")], rows)
    let waste = "\(sizeText(sums.bytes.remainingUnused)) (\(share(sums.bytes.remainingUnused, sums.bytes.remaining)))"
    interface.line(interface("không dùng sau khi dọn: \(waste)", "unused size after prune: \(waste) of remaining size"))
    interface.line(
        interface(
            "gói: \(sums.packs.used) dùng hết, \(sums.packs.partlyUsed) dùng một phần, \(sums.packs.unused) không dùng; giữ \(sums.packs.keep), đóng lại \(sums.packs.repack), xóa \(sums.packs.removeTotal)",
            "packs: \(sums.packs.used) used, \(sums.packs.partlyUsed) partly used, \(sums.packs.unused) unused; keep \(sums.packs.keep), repack \(sums.packs.repack), delete \(sums.packs.removeTotal)"
        ))
    if isDryRun { interface.line(interface("Chạy thử: không có gì bị thay đổi.", "Dry run: nothing was changed.")) }
}
