internal import Platform

/// The one table. The first row that matches a finding's kind applies.
extension Correlation {
    package static let rules: [CorrelationRule] = [
        CorrelationRule(
            "ransomware", group: "files", kinds: [FindingKind.fileMassChange, FindingKind.fileDecoyTouched],
            severityFloor: .high, trigger: FindingKind.fileMassChange, holdsSnapshots: true,
            title: Phrase(vi: "Nghi mã hóa dữ liệu hàng loạt", en: "Suspected mass encryption of data")),
        CorrelationRule(
            "unauthorised-change", group: "files", kinds: [FindingKind.fileChanged],
            severityFloor: .medium, trigger: FindingKind.fileChanged,
            escalation: CorrelationEscalation(suspiciousFiles: 20, windowSeconds: 60, rule: "ransomware"),
            title: Phrase(vi: "Tệp thay đổi chưa được phê duyệt", en: "Files changed without approval")),
        CorrelationRule(
            "tampering", group: "tampering", kinds: [FindingKind.baselineTampered, FindingKind.ledgerTampered],
            severityFloor: .critical, trigger: FindingKind.baselineTampered,
            title: Phrase(vi: "Dữ liệu giám sát bị can thiệp", en: "Monitoring data was tampered with")),
        CorrelationRule(
            "service-outage", group: "service", kinds: [FindingKind.serviceDown], scope: .asset,
            trigger: FindingKind.serviceDown, mayCloseByItself: true,
            title: Phrase(vi: "Gián đoạn dịch vụ", en: "Service outage")),
        CorrelationRule(
            "service-restored", group: "service", kinds: [FindingKind.serviceUp], effect: .clears, scope: .asset,
            title: Phrase(vi: "Dịch vụ hoạt động trở lại", en: "Service restored")),
        CorrelationRule(
            "disk-low", group: "disk", kinds: [FindingKind.diskLow], trigger: FindingKind.diskLow, mayCloseByItself: true,
            title: Phrase(vi: "Sắp hết dung lượng đĩa", en: "Disk space is running out")),
        CorrelationRule(
            "disk-normal", group: "disk", kinds: [FindingKind.diskNormal], effect: .clears,
            title: Phrase(vi: "Dung lượng đĩa đã đủ", en: "Disk space is sufficient again")),
        CorrelationRule(
            "backup-failed", group: "backup", kinds: [FindingKind.backupFailed, FindingKind.backupOverdue, FindingKind.backupFloor],
            severityFloor: .medium, trigger: FindingKind.backupFailed,
            title: Phrase(vi: "Sao lưu thất bại", en: "Backup failed")),
        CorrelationRule(
            "backup-incomplete", group: "backup", kinds: [FindingKind.backupIncomplete],
            trigger: FindingKind.backupFailed, mayCloseByItself: true,
            title: Phrase(vi: "Sao lưu chưa trọn vẹn", en: "Backup incomplete")),
        CorrelationRule(
            "backup-succeeded", group: "backup", kinds: [FindingKind.backupSucceeded], effect: .clears,
            title: Phrase(vi: "Sao lưu thành công trở lại", en: "Backup succeeded again")),
        CorrelationRule(
            "snapshot-implausible", group: "snapshots", kinds: [FindingKind.snapshotImplausible], severityFloor: .medium,
            trigger: FindingKind.fileChanged, title: Phrase(vi: "Bản sao lưu bất thường", en: "Implausible snapshot")),
        CorrelationRule(
            "snapshots-settled", group: "snapshots", kinds: [FindingKind.snapshotsSettled], effect: .clears,
            title: Phrase(vi: "Các bản sao lưu đã được xác nhận", en: "Snapshots have been judged")),
        CorrelationRule(
            "repository-attacked", group: "repository",
            kinds: [FindingKind.snapshotVanished, FindingKind.repositoryKeyAdded, FindingKind.repositoryReplaced, FindingKind.glassBroken],
            severityFloor: .high, trigger: FindingKind.baselineTampered,
            title: Phrase(vi: "Kho sao lưu bị can thiệp", en: "A repository was interfered with")),
        CorrelationRule(
            "repository-filling", group: "repository-space", kinds: [FindingKind.repositoryFilling], trigger: FindingKind.diskLow,
            mayCloseByItself: true, title: Phrase(vi: "Kho sao lưu sắp đầy", en: "A repository is filling up")),
        CorrelationRule(
            "repository-roomy", group: "repository-space", kinds: [FindingKind.repositoryRoomy], effect: .clears,
            title: Phrase(vi: "Kho sao lưu đủ chỗ", en: "A repository has room again")),
        CorrelationRule(
            "upkeep-failed", group: "upkeep", kinds: [FindingKind.upkeepFailed], mayCloseByItself: true,
            title: Phrase(vi: "Bảo trì kho sao lưu thất bại", en: "Upkeep of a repository failed")),
        CorrelationRule(
            "upkeep-succeeded", group: "upkeep", kinds: [FindingKind.upkeepSucceeded], effect: .clears,
            title: Phrase(vi: "Bảo trì kho sao lưu thành công", en: "Upkeep of a repository succeeded")),
        CorrelationRule(
            "drill-failed", group: "drill", kinds: [FindingKind.drillFailed], severityFloor: .medium,
            trigger: FindingKind.drillFailed,
            title: Phrase(vi: "Diễn tập khôi phục không đạt", en: "Restore drill failed")),
        CorrelationRule(
            "drill-passed", group: "drill", kinds: [FindingKind.drillPassed], effect: .clears,
            title: Phrase(vi: "Diễn tập khôi phục đạt", en: "Restore drill passed")),
        CorrelationRule(
            "recorded", group: "recorded", kinds: ["*"], effect: .records,
            title: Phrase(vi: "Ghi nhận", en: "Recorded")),
    ]
}
