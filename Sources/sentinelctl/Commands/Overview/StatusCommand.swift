internal import ArgumentParser
internal import ControlAPI
internal import IncidentCore
internal import Platform

struct StatusCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: help(
            "Một trang: có được bảo vệ không, việc gì đang mở, lần cuối chứng minh khôi phục được.",
            "One page: are we protected, what is open, when was restoring last proven."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var daemon: DaemonOptions

    func execute(_ interface: Interface) async throws -> Int32 {
        let client = ControlClient(daemon, interface)
        if interface.isJSON {
            interface.line(try await client.text("GET", Route.status).trimmedLine)
            return .success
        }
        let view: StatusView = try await client.get(Route.status)
        interface.line(interface.bold("\(view.siteName) (\(view.siteCode)) - \(timeText(view.moment))"))
        interface.line(
            view.isProtected
                ? interface.green(interface("ĐƯỢC BẢO VỆ", "PROTECTED"))
                : interface.red(interface("CẦN XỬ LÝ: \(view.problems.count) vấn đề", "ATTENTION: \(view.problems.count) problems")))
        for problem in view.problems { interface.line("  ! \(interface.text(problem.text))") }
        incidents(view, interface)
        jobs(view, interface)
        repositories(view, interface)
        drills(view, interface)
        interface.line()
        interface.line(
            interface(
                "Giám sát tệp: \(view.watch.realtimeAreas)/\(view.watch.areas) vùng tức thời, \(view.watch.files) mục.",
                "File watch: \(view.watch.realtimeAreas) of \(view.watch.areas) areas in real time, \(view.watch.files) entries."))
        for check in view.health {
            interface.line("\(interface("Dịch vụ", "Service")) \(check.check): \(healthState(check.state, interface))")
        }
        let checkpoint = view.checkpoint.newestOutside.map(timeText) ?? interface("chưa có", "none yet")
        interface.line(
            interface(
                "Sổ cái: \(view.checkpoint.events) sự kiện; điểm chốt ngoài máy này: \(checkpoint).",
                "Ledger: \(view.checkpoint.events) events; checkpoint outside this host: \(checkpoint)."))
        return .success
    }

    private func incidents(_ view: StatusView, _ interface: Interface) {
        interface.line()
        if view.incidents.isEmpty {
            interface.line(interface("Không có sự cố đang mở.", "No open incident."))
            return
        }
        interface.line(interface.bold(interface("Sự cố đang mở", "Open incidents")))
        for incident in view.incidents {
            interface.line("  \(incident.id)  [\(interface.text(incident.severity.title))] \(interface.text(incident.title))")
            if let next = incident.next {
                interface.line(
                    "     \(interface("Bước tiếp theo", "Next step")): \(next.step) - \(interface.text(next.title)) (\(interface.text(next.roleTitle)))\(deadline(next, interface))"
                )
            }
        }
    }

    private func jobs(_ view: StatusView, _ interface: Interface) {
        if view.jobs.isEmpty { return }
        interface.line()
        interface.line(interface.bold(interface("Sao lưu", "Backups")))
        for job in view.jobs {
            let newest = job.newestSnapshot.map(timeText) ?? "-"
            interface.line(
                "  \(job.name): \(interface.text(job.recoveryPoint.title)); \(interface("bản mới nhất", "newest")) \(newest)\(job.isHeld ? interface(" [đang giữ]", " [held]") : "")\(waiting(job, interface))"
            )
        }
    }

    private func waiting(_ job: JobView, _ interface: Interface) -> String {
        job.waitingSnapshots == 0
            ? "" : interface.red(interface(" [\(job.waitingSnapshots) bản chờ xác nhận]", " [\(job.waitingSnapshots) wait for a word]"))
    }

    private func repositories(_ view: StatusView, _ interface: Interface) {
        if view.repositories.isEmpty { return }
        interface.line()
        interface.line(interface.bold(interface("Kho sao lưu", "Repositories")))
        if let alarm = view.alarm {
            interface.line(
                interface.red(
                    interface(
                        "  Đang có báo động \(alarm): bản mới là 'nghi ngờ' và không thay bản cũ.",
                        "  Alarm \(alarm) is open: new snapshots are suspect and displace none.")))
        }
        for repository in view.repositories {
            let kind = repository.isAppendOnly ? interface(" [chỉ ghi thêm]", " [append-only]") : ""
            interface.line(
                interface(
                    "  \(repository.name)\(kind): \(repository.snapshots) bản, \(repository.held) đang giữ; còn trống \(spaceText(repository, interface))",
                    "  \(repository.name)\(kind): \(repository.snapshots) snapshots, \(repository.held) held; free \(spaceText(repository, interface))"))
        }
    }

    private func drills(_ view: StatusView, _ interface: Interface) {
        if view.drills.isEmpty { return }
        interface.line()
        interface.line(interface.bold(interface("Diễn tập khôi phục", "Restore drills")))
        for drill in view.drills {
            guard let last = drill.last else {
                interface.line("  \(drill.name): \(interface("chưa chạy lần nào", "never run"))")
                continue
            }
            interface.line("  \(drill.name): \(interface.text(last.outcome.title)) \(timeText(last.ended))\(objectives(last, interface))")
        }
    }
}

/// `, RTO 3 s, RPO 5 min`.
func objectives(_ run: DrillRunView, _ interface: Interface) -> String {
    var text = ""
    if let time = run.recoveryTimeMilliseconds { text += ", RTO \(durationText(Double(time) / 1000))" }
    if let point = run.recoveryPointSeconds { text += ", RPO \(durationText(Double(point)))" }
    return text
}

/// ` - hạn 14:05, QUÁ HẠN`.
func deadline(_ next: NextStepView, _ interface: Interface) -> String {
    guard let deadline = next.deadline else { return "" }
    let late = next.isOverdue ? interface.red(interface(" QUÁ HẠN", " OVERDUE")) : ""
    return " - \(interface("hạn", "due")) \(timeText(deadline))\(late)"
}

func healthState(_ state: String, _ interface: Interface) -> String {
    switch state {
    case "up": interface("hoạt động", "up")
    case "down": interface.red(interface("KHÔNG HOẠT ĐỘNG", "DOWN"))
    case "unreachable": interface("không liên lạc được", "unreachable")
    default: interface("chưa rõ", "unknown")
    }
}

/// RFC 3339 as people read it, in the zone it carries.
func timeText(_ text: String) -> String {
    guard text.utf8.count >= 19 else { return text }
    return text.prefix(10) + " " + text.dropFirst(11).prefix(8)
}

extension String {
    /// Without the line feed at the end.
    var trimmedLine: String { hasSuffix("\n") ? String(dropLast()) : self }
}
