internal import Ledger
internal import Platform

/// What a backup says about the world.
enum BackupFindings {
    private static let source = "backup"

    static func key(_ job: String) -> String { "job:\(job)" }

    /// One finding for the whole run: success clears, anything else is active until a run succeeds.
    static func of(_ result: BackupResult, now: Timestamp) -> [Finding] {
        let moment = Timestamp(rfc3339: result.ended) ?? now
        func finding(_ kind: String, _ severity: Severity, _ condition: Condition, _ summary: Phrase) -> Finding {
            Finding(
                source: source, kind: kind, severity: severity, condition: condition, key: key(result.job), subject: result.job,
                asset: result.asset, summary: summary, moment: moment,
                fingerprint: "\(kind):\(bounded(result.job, 48)):\(moment.millisecondsSinceEpoch)")
        }
        let bad = result.targets.filter { $0.outcome == result.outcome }
        let names = bad.map(\.repository).joined(separator: ", ")
        switch result.outcome {
        case .complete:
            return [
                finding(
                    FindingKind.backupSucceeded, .low, .cleared,
                    Phrase(vi: "sao lưu '\(result.job)' trọn vẹn", en: "backup '\(result.job)' is complete"))
            ]
        case .incomplete:
            let count = bad.map(\.unreadable).max() ?? 0
            return [
                finding(
                    FindingKind.backupIncomplete, .low, .active,
                    Phrase(
                        vi: "sao lưu '\(result.job)' vào \(names) thiếu \(count) mục không đọc được",
                        en: "backup '\(result.job)' to \(names) lacks \(count) entries that could not be read"))
            ]
        case .failed:
            // The texts of errors name paths of the configuration, never of people's files.
            let reason = bad.first?.failure?.message ?? Phrase(vi: "không rõ lý do", en: "for an unknown reason")
            return [
                finding(
                    bad.contains(where: \.isStoppedAtFloor) ? FindingKind.backupFloor : FindingKind.backupFailed, .medium, .active,
                    Phrase(
                        vi: "sao lưu '\(result.job)' vào \(names) thất bại: \(reason.vi)",
                        en: "backup '\(result.job)' to \(names) failed: \(reason.en)"))
            ]
        }
    }

    /// The fingerprint names the lapse: the snapshot that grew too old. A new good snapshot begins a new one.
    static func overdue(
        _ job: BackupJobSetting, newest: (taken: Timestamp, sequence: Int64)?, ageSeconds: Int64, now: Timestamp
    ) -> Finding {
        let age = DurationText.text(Int(ageSeconds / 60 * 60))
        let objective = DurationText.text(job.objectives.recoveryPointSeconds ?? 0)
        return Finding(
            source: source, kind: FindingKind.backupOverdue, severity: .medium, condition: .active, key: key(job.name),
            subject: job.name, asset: job.asset,
            summary: newest == nil
                ? Phrase(
                    vi: "'\(job.name)' chưa có bản sao lưu tốt nào sau \(age), cam kết \(objective)",
                    en: "'\(job.name)' has no good snapshot after \(age), promised is \(objective)")
                : Phrase(
                    vi: "bản sao lưu tốt mới nhất của '\(job.name)' đã \(age) tuổi, cam kết \(objective)",
                    en: "the newest good snapshot of '\(job.name)' is \(age) old, promised is \(objective)"),
            moment: now, fingerprint: "\(FindingKind.backupOverdue):\(bounded(job.name, 48)):\(newest?.sequence ?? -1)")
    }
}
