internal import ArgumentParser
internal import ControlAPI
internal import Platform

struct IntegrityCheckCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: help("Quét lại toàn bộ và so với mốc chuẩn.", "Scan everything again and compare with the baseline."),
        discussion: help(
            "Mã thoát như AIDE: cộng 1 (mới), 2 (mất), 4 (đổi); 14 lỗi, 15 chưa có mốc chuẩn, 16 mốc chuẩn bị can thiệp, 17 có tệp không đọc được.",
            "Exit status as AIDE's: sum of 1 (new), 2 (removed), 4 (changed); 14 error, 15 no baseline, 16 baseline tampered with, 17 unreadable files."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var standalone: StandaloneOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        do {
            let answer: ChangesAnswer
            if let database = standalone.databasePath {
                answer = try StandaloneIntegrity(database: database, paths: standalone.filePaths).check()
            } else {
                let client = ControlClient(daemon, interface)
                _ = try await RunFollower(client: client, interface: interface).follow(
                    client.post(Route.scan, [String: String]()))
                answer = try await client.get(Route.changes)
            }
            try showChanges(answer, interface)
            if !answer.hasBaseline { return IntegrityExit.noBaseline }
            let status = IntegrityExit.status(added: answer.added, removed: answer.removed, changed: answer.changed)
            return status == 0 && !answer.unreadable.isEmpty ? IntegrityExit.unreadable : status
        } catch {
            report(error, interface)
            return IntegrityExit.failure
        }
    }
}

/// `+` new, `-` removed, `~` changed.
func changeSign(_ kind: String) -> String {
    switch kind {
    case "added": "+"
    case "removed": "-"
    case "changed": "~"
    default: " "
    }
}

/// Prints a comparison: one line per change, then the sums.
func showChanges(_ answer: ChangesAnswer, _ interface: Interface) throws {
    if interface.isJSON {
        interface.line(try jsonText(answer))
        return
    }
    if !answer.hasBaseline {
        interface.line(
            interface(
                "Chưa có mốc chuẩn. Chạy: sentinelctl integrity baseline --note '…'",
                "There is no baseline yet. Run: sentinelctl integrity baseline --note '…'"))
        return
    }
    for change in answer.changes {
        let sign = changeSign(change.kind)
        let detail = change.attributes.isEmpty ? "" : "  [\(change.attributes.joined(separator: ", "))]"
        interface.line("\(sign) \(change.path)\(detail)")
    }
    for path in answer.unreadable { interface.line("! \(path)  \(interface("không đọc được", "unreadable"))") }
    let listed = answer.changes.count
    let total = answer.added + answer.removed + answer.changed
    if listed < total { interface.line(interface("… và \(total - listed) thay đổi nữa", "… and \(total - listed) more")) }
    interface.line(
        total == 0 && answer.unreadable.isEmpty
            ? interface("Không có thay đổi so với mốc chuẩn.", "No change against the baseline.")
            : interface(
                "Mới: \(answer.added), mất: \(answer.removed), đổi: \(answer.changed), không đọc được: \(answer.unreadable.count).",
                "New: \(answer.added), removed: \(answer.removed), changed: \(answer.changed), unreadable: \(answer.unreadable.count)."))
}
