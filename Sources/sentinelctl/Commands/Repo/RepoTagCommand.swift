internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoTagCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag", abstract: help("Đổi nhãn của các bản sao lưu.", "Change the tags of snapshots."),
        discussion: help(
            "Không nêu mã: mọi bản khớp --host, --tag, --path. Bản đổi nhãn có mã mới và nhớ mã đầu tiên.",
            "Without IDs: all snapshots that match --host, --tag, --path. A changed snapshot has a new ID and remembers its first one."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SnapshotFilterOptions
    @Option(help: ArgumentHelp(help("Thay mọi nhãn bằng: NHÃN[,NHÃN…]; '' bỏ hết.", "Replace all tags by TAG[,TAG…]; '' removes all."))) var set: [String] = []
    @Option(help: ArgumentHelp(help("Thêm nhãn.", "Add tags."))) var add: [String] = []
    @Option(help: ArgumentHelp(help("Bỏ nhãn.", "Remove tags."))) var remove: [String] = []
    @Argument(help: ArgumentHelp(help("Mã các bản sao lưu.", "IDs of snapshots."))) var snapshots: [String] = []

    private struct Changed: Encodable {
        let message_type = "changed"
        let old_snapshot_id, new_snapshot_id: String
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let change = try tagChange()
        let opened = try await repository.open()
        let lock = try opened.lock(exclusive: true)
        defer { lock.release() }
        var changed = 0
        for snapshot in try opened.findSnapshots(snapshots, filter: selection.filter) {
            try interruption.flag.check()
            try lock.verify()
            guard let replaced = try opened.changeTags(of: snapshot, change) else { continue }
            changed += 1
            if interface.isJSON {
                interface.line(try jsonText(Changed(old_snapshot_id: replaced.old.hex, new_snapshot_id: replaced.new.hex)))
            } else {
                interface.line("\(replaced.old.short) -> \(replaced.new.short)")
            }
        }
        try showChanged(changed, isDryRun: false, interface)
        return .success
    }

    private func tagChange() throws -> TagChange {
        func flat(_ lists: [String]) -> [String] { lists.flatMap(tagList).filter { !$0.isEmpty } }
        if set.isEmpty, add.isEmpty, remove.isEmpty {
            throw CommandFailure(
                vi: "không có gì để làm", en: "nothing to do", hint: Phrase(vi: "dùng --set, --add hoặc --remove", en: "use --set, --add or --remove"))
        }
        if set.isEmpty { return .change(adding: flat(add), removing: flat(remove)) }
        if !add.isEmpty || !remove.isEmpty {
            throw CommandFailure(vi: "--set không đi cùng --add, --remove", en: "--set and --add or --remove exclude each other")
        }
        return .set(flat(set))
    }
}

/// The last line of commands that replace snapshots.
func showChanged(_ count: Int, isDryRun: Bool, _ interface: Interface) throws {
    struct Summary: Encodable {
        let message_type = "summary"
        let changed_snapshots: Int
    }
    if interface.isJSON { return interface.line(try jsonText(Summary(changed_snapshots: count))) }
    let words =
        switch (count, isDryRun) {
        case (0, true): interface("sẽ không có bản nào thay đổi", "no snapshots would be modified")
        case (0, false): interface("không có bản nào thay đổi", "no snapshots were modified")
        case (_, true): interface("sẽ thay đổi \(count) bản", "would modify \(count) snapshots")
        case (_, false): interface("đã thay đổi \(count) bản", "modified \(count) snapshots")
        }
    interface.line(words)
}
