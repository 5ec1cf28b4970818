internal import Platform

/// Every reason why the answer is no, in the order of their weight. One place, so that `status` and `doctor` agree.
enum StatusProblems {
    static func of(_ view: StatusView, isWatching: Bool) -> [StatusProblem] {
        incidents(view) + backups(view) + snapshots(view) + repositories(view) + drills(view) + checkpoint(view)
            + watch(view, isWatching: isWatching) + health(view) + notifications(view)
    }

    private static func incidents(_ view: StatusView) -> [StatusProblem] {
        view.incidents.filter { $0.status == .open && $0.severity >= .medium }.map { incident in
            StatusProblem(
                kind: .incident, subject: incident.id,
                text: Phrase(
                    vi: "\(incident.id) (\(incident.severity.title.vi)) đang mở: \(incident.title.vi)",
                    en: "\(incident.id) (\(incident.severity.title.en)) is open: \(incident.title.en)"))
        }
    }

    private static func backups(_ view: StatusView) -> [StatusProblem] {
        view.jobs.filter { $0.recoveryPoint == .exceeded || $0.recoveryPoint == .none }.map { job in
            StatusProblem(
                kind: .backup, subject: job.name,
                text: Phrase(
                    vi: "sao lưu '\(job.name)': \(job.recoveryPoint.title.vi)", en: "backup '\(job.name)': \(job.recoveryPoint.title.en)"))
        }
    }

    private static func snapshots(_ view: StatusView) -> [StatusProblem] {
        view.jobs.filter { $0.waitingSnapshots > 0 }.map { job in
            StatusProblem(
                kind: .backup, subject: job.name,
                text: Phrase(
                    vi: "\(job.waitingSnapshots) bản sao lưu của '\(job.name)' chờ người xác nhận: sentinelctl backup snapshots \(job.name)",
                    en: "\(job.waitingSnapshots) snapshots of '\(job.name)' wait for a person's word: sentinelctl backup snapshots \(job.name)"))
        }
    }

    private static func repositories(_ view: StatusView) -> [StatusProblem] {
        view.repositories.flatMap { repository -> [StatusProblem] in
            var problems: [StatusProblem] = []
            if let days = repository.daysUntilFull, days < 7 {
                problems.append(
                    StatusProblem(
                        kind: .backup, subject: repository.name,
                        text: Phrase(vi: "kho '\(repository.name)' sẽ đầy sau \(days) ngày", en: "repository '\(repository.name)' is full in \(days) days")))
            }
            if let failure = repository.failure {
                problems.append(
                    StatusProblem(
                        kind: .backup, subject: repository.name,
                        text: Phrase(
                            vi: "bảo trì kho '\(repository.name)' thất bại: \(failure.vi)", en: "upkeep of '\(repository.name)' failed: \(failure.en)")))
            }
            return problems
        }
    }

    private static func drills(_ view: StatusView) -> [StatusProblem] {
        if view.drills.isEmpty, !view.jobs.isEmpty {
            return [
                StatusProblem(
                    kind: .drill, subject: "drills",
                    text: Phrase(
                        vi: "chưa khai báo cuộc diễn tập khôi phục nào: khôi phục chưa được chứng minh",
                        en: "no restore drill is configured: restoring is not proven"))
            ]
        }
        return view.drills.compactMap { drill in
            guard let last = drill.last else {
                return StatusProblem(
                    kind: .drill, subject: drill.name,
                    text: Phrase(
                        vi: "diễn tập '\(drill.name)' chưa chạy lần nào: khôi phục chưa được chứng minh",
                        en: "drill '\(drill.name)' never ran: restoring is not proven"))
            }
            if last.outcome == .passed { return nil }
            return StatusProblem(
                kind: .drill, subject: drill.name,
                text: Phrase(
                    vi: "diễn tập '\(drill.name)': \(last.outcome.title.vi)", en: "drill '\(drill.name)': \(last.outcome.title.en)"))
        }
    }

    private static func checkpoint(_ view: StatusView) -> [StatusProblem] {
        if view.checkpoint.isFresh { return [] }
        return [
            StatusProblem(
                kind: .checkpoint, subject: "ledger",
                text: Phrase(
                    vi: "không có mốc sổ cái nào lưu ngoài máy này trong 24 giờ qua",
                    en: "no checkpoint of the ledger younger than 24 hours is held outside this host"))
        ]
    }

    private static func watch(_ view: StatusView, isWatching: Bool) -> [StatusProblem] {
        func problem(_ vi: String, _ en: String) -> StatusProblem {
            StatusProblem(kind: .watch, subject: "integrity", text: Phrase(vi: vi, en: en))
        }
        if view.watch.areas == 0 { return [] }
        var result: [StatusProblem] = []
        if !isWatching { result.append(problem("tiến trình giám sát tệp không chạy", "the watch process is not running")) }
        if !view.watch.hasBaseline {
            result.append(problem("chưa có trạng thái chuẩn được phê duyệt", "there is no approved baseline yet"))
        }
        if view.watch.openBlindIntervals > 0 {
            let count = view.watch.openBlindIntervals
            result.append(
                problem("\(count) khoảng gián đoạn giám sát chưa được quét lại", "\(count) blind intervals are not rescanned yet"))
        }
        return result
    }

    private static func health(_ view: StatusView) -> [StatusProblem] {
        view.health.filter { $0.state == "down" }.map { check in
            StatusProblem(
                kind: .health, subject: check.check,
                text: Phrase(vi: "'\(check.check)' không hoạt động", en: "'\(check.check)' is down"))
        }
    }

    private static func notifications(_ view: StatusView) -> [StatusProblem] {
        if view.notificationsFailed == 0 { return [] }
        let count = view.notificationsFailed
        return [
            StatusProblem(
                kind: .notification, subject: "notify",
                text: Phrase(
                    vi: "\(count) thông báo không gửi được trong 7 ngày qua", en: "\(count) messages could not be sent in the last 7 days"))
        ]
    }
}
