internal import ArgumentParser
internal import BackupEngine
internal import ControlAPI
internal import Platform

struct RepoForgetCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: help("Xóa các bản sao lưu theo quy tắc giữ, hoặc theo mã.", "Remove snapshots by a policy, or by their IDs."),
        discussion: help(
            "Chỉ xóa mục lục; dữ liệu được thu hồi bằng 'prune' hoặc --prune. Mã thoát 3: có bản không xóa được.",
            "Removes snapshots only; 'prune' or --prune frees the data. Exit status 3: some could not be removed."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var retention: RetentionOptions
    @OptionGroup var pruning: PruneSelectionOptions
    @OptionGroup var glass: BreakGlassOptions
    @Option(help: ArgumentHelp(help("Chỉ máy này (hoặc RESTIC_HOST).", "Only this host (or RESTIC_HOST)."))) var host: [String] = []
    @Option(help: ArgumentHelp(help("Chỉ các bản có mọi nhãn này.", "Only snapshots with all these tags."))) var tag: [String] = []
    @Option(help: ArgumentHelp(help("Chỉ các bản có đường dẫn này.", "Only snapshots of this path."))) var path: [String] = []
    @Option(
        name: [.customShort("g"), .long],
        help: ArgumentHelp(help("Nhóm theo host, paths, tags; '' là một nhóm.", "Group by host, paths, tags; '' for one group.")))
    var groupBy = "host,paths"
    @Flag(name: [.customShort("c"), .long], help: ArgumentHelp(help("In gọn.", "Compact output."))) var compact = false
    @Flag(name: [.customShort("n"), .long], help: ArgumentHelp(help("Chỉ cho biết sẽ làm gì.", "Only show what would be done."))) var dryRun = false
    @Flag(help: ArgumentHelp(help("Thu hồi dữ liệu ngay nếu có bản bị xóa.", "Run 'prune' when snapshots were removed."))) var prune = false
    @Flag(help: ArgumentHelp(help("Cho phép xóa mọi bản của một nhóm; cần bộ lọc.", "Allow to remove all snapshots of a group; needs a filter.")))
    var unsafeAllowRemoveAll = false
    @Argument(help: ArgumentHelp(help("Mã các bản cần xóa.", "IDs of snapshots to remove."))) var snapshots: [String] = []

    private struct Group: Encodable {
        let tags: [String]?
        let host: String
        let paths: [String]?
        let keep, remove: [SnapshotJSON]?
        let reasons: [Reason]?
        /// Not restic's: what a hold kept. Absent when there is nothing.
        let held: [Held]?

        struct Reason: Encodable {
            let snapshot: SnapshotJSON
            let matches: [String]
        }

        struct Held: Encodable {
            let snapshot: SnapshotJSON
            let reason: String
        }

        enum CodingKeys: CodingKey { case tags, host, paths, keep, remove, reasons, held }

        // restic writes null for empty lists; the synthesised form would leave the keys out.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(tags, forKey: .tags)
            try container.encode(host, forKey: .host)
            try container.encode(paths, forKey: .paths)
            try container.encode(keep, forKey: .keep)
            try container.encode(remove, forKey: .remove)
            try container.encode(reasons, forKey: .reasons)
            try container.encodeIfPresent(held, forKey: .held)
        }
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let interruption = Interruption()
        let policy = try retention.policy()
        let pruneOptions = try pruning.options()
        let grouping = try SnapshotGrouping(groupBy)
        let filter = SnapshotFilter(hostOptions: host, tagOptions: tag, pathOptions: path)
        if unsafeAllowRemoveAll, filter.isEmpty, policy.isEmpty, snapshots.isEmpty {
            throw CommandFailure(
                vi: "--unsafe-allow-remove-all cần một bộ lọc", en: "--unsafe-allow-remove-all is not allowed unless a snapshot filter is given",
                hint: Phrase(vi: "thêm --host, --tag hoặc --path", en: "add --host, --tag or --path"))
        }
        if repository.locking.noLock, !dryRun { throw CommandFailure(vi: "--no-lock chỉ dùng cùng --dry-run", en: "--no-lock is for --dry-run only") }
        let opened: Repository
        // A plan by rules of one's own changes nothing: it needs nobody's leave.
        if dryRun, !policy.isEmpty || !snapshots.isEmpty {
            opened = try await repository.open()
        } else {
            let configured = ConfiguredRepository(options: glass, interface: interface, command: "forget")
            let access = try await configured.open(repository, snapshots: snapshots) { entry, client in
                try await configured.forget(
                    entry, client, snapshots: snapshots, hasPolicy: !policy.isEmpty || !filter.isEmpty, prunes: prune, isDryRun: dryRun)
            }
            switch access {
            case .done(let status): return status
            case .direct(let repository): opened = repository
            }
        }
        let lock = repository.locking.noLock ? nil : try opened.lock(exclusive: true)
        defer { lock?.release() }
        let selected = try opened.findSnapshots(snapshots, filter: filter)
        let plan =
            snapshots.isEmpty
            ? try ForgetPlan(selected, policy: policy, grouping: grouping, allowsRemovingAll: unsafeAllowRemoveAll, willRemove: removalGuard(lock))
            : try ForgetPlan(removing: selected, willRemove: removalGuard(lock))
        if interface.isJSON {
            // As restic: groups exist only where a policy was applied.
            if snapshots.isEmpty { interface.line(try jsonText(plan.groups.map { json($0, interface) })) }
        } else {
            show(plan, policy, interface)
        }
        var failed = 0
        if !dryRun {
            let report = try opened.removeSnapshots(
                plan.remove, cancellation: interruption.flag, willRemove: removalGuard(lock),
                progress: { interface.progress("\(interface("xóa", "removing")): \($0)/\($1)") })
            interface.endProgress()
            for held in report.held { interface.warn(heldLine(held, interface)) }
            for (id, error) in report.failed {
                interface.warn("\(interface("không xóa được", "unable to remove")) \(id.short): \(interface.text(error.message))")
            }
            failed = report.failed.count
            if !interface.isJSON, !report.removed.isEmpty {
                interface.line(interface("Đã xóa \(report.removed.count) bản sao lưu.", "Removed \(report.removed.count) snapshots."))
            }
        }
        if failed > 0 { return ControlAPI.ExitCode.incomplete.rawValue }
        if prune, !plan.remove.isEmpty {
            try await pruneAndShow(
                opened, pruneOptions, ignoring: Set(plan.remove.map(\.id)), isDryRun: dryRun, takesLock: false, lock: lock,
                cancellation: interruption.flag, interface)
        }
        return .success
    }

    private func json(_ group: ForgetPlan.Group, _ interface: Interface) -> Group {
        func list<Element>(_ elements: [Element]) -> [Element]? { elements.isEmpty ? nil : elements }
        return Group(
            tags: list(group.key.tags), host: group.key.host, paths: list(group.key.paths),
            keep: list(group.keep.map { SnapshotJSON($0.candidate.snapshot) }), remove: list(group.remove.map { SnapshotJSON($0) }),
            reasons: list(group.keep.map { Group.Reason(snapshot: SnapshotJSON($0.candidate.snapshot), matches: $0.reasons) }),
            held: list(group.held.map { Group.Held(snapshot: SnapshotJSON($0.snapshot), reason: interface.text($0.reason)) }))
    }

    private func show(_ plan: ForgetPlan, _ policy: RetentionPolicy, _ interface: Interface) {
        if snapshots.isEmpty { interface.line("\(interface("Quy tắc", "Policy")): \(interface.text(policy.description))") }
        for group in plan.groups {
            if let name = group.key.description, snapshots.isEmpty { interface.line("\n\(interface("Nhóm", "Group")): \(interface.text(name))") }
            if !group.keep.isEmpty {
                interface.line(interface("giữ \(group.keep.count) bản:", "keep \(group.keep.count) snapshots:"))
                interface.table(
                    header(interface) + [interface("Lý do", "Reasons")],
                    group.keep.map { row($0.candidate.snapshot) + [escapedForDisplay($0.reasons.joined(separator: ", "))] })
            }
            if !group.held.isEmpty {
                interface.line(interface("\(group.held.count) bản đang được giữ lại:", "\(group.held.count) snapshots are on hold:"))
                interface.table(
                    header(interface) + [interface("Lý do", "Reason")], group.held.map { row($0.snapshot) + [interface.text($0.reason)] })
            }
            if !group.remove.isEmpty {
                interface.line(
                    dryRun
                        ? interface("sẽ xóa \(group.remove.count) bản:", "would remove \(group.remove.count) snapshots:")
                        : interface("xóa \(group.remove.count) bản:", "remove \(group.remove.count) snapshots:"))
                interface.table(header(interface), group.remove.map(row))
            }
        }
    }

    private func header(_ interface: Interface) -> [String] {
        let start = ["ID", interface("Thời điểm", "Time"), interface("Máy", "Host"), interface("Nhãn", "Tags")]
        return compact ? start : start + [interface("Đường dẫn", "Paths")]
    }

    private func row(_ snapshot: Snapshot) -> [String] {
        let start = [
            snapshot.id.short, CivilTime(local: snapshot.time).display, escapedForDisplay(snapshot.hostname),
            escapedForDisplay(snapshot.tags.joined(separator: ",")),
        ]
        return compact ? start : start + [escapedForDisplay(snapshot.paths.joined(separator: " "))]
    }

    private func heldLine(_ held: HeldSnapshot, _ interface: Interface) -> String {
        interface("giữ lại \(held.snapshot.id.short): \(held.reason.vi)", "kept \(held.snapshot.id.short): \(held.reason.en)")
    }
}
