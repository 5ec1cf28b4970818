internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoRecoverCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: help("Gom dữ liệu không bản sao lưu nào trỏ đến vào một bản mới.", "Make a snapshot of data that no snapshot refers to."),
        discussion: help("Dùng sau khi lỡ tay 'forget', trước khi 'prune'.", "For after a 'forget' by mistake, before any 'prune'."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions

    private struct Summary: Encodable {
        let message_type = "summary"
        let roots_found, trees_read, trees_unreadable: Int
        let snapshot_id: String?
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let opened = try await repository.open()
        let lock = try opened.lock(exclusive: true)
        defer { lock.release() }
        _ = try opened.repairIndex(readsAllPacks: false, lock: lock, cancellation: interruption.flag)
        let report = try opened.recover(hostname: hostName(), cancellation: interruption.flag) { done, total in
            interface.progress("\(interface("đọc cây thư mục", "reading trees")): \(done)/\(total)")
        }
        interface.endProgress()
        if interface.isJSON {
            interface.line(
                try jsonText(
                    Summary(
                        roots_found: report.roots.count, trees_read: report.treesRead, trees_unreadable: report.unreadableTrees,
                        snapshot_id: report.snapshot?.hex)))
            return .success
        }
        if report.unreadableTrees > 0 {
            interface.warn(interface("\(report.unreadableTrees) cây không đọc được", "\(report.unreadableTrees) trees cannot be read"))
        }
        interface.line(
            report.snapshot.map { id in
                interface(
                    "Tìm thấy \(report.roots.count) gốc; đã lưu bản sao lưu \(id.short).",
                    "Found \(report.roots.count) unreferenced roots; saved snapshot \(id.short).")
            } ?? interface("Không có dữ liệu bị bỏ quên.", "Found nothing that no snapshot refers to."))
        return .success
    }
}
