internal import ControlAPI
internal import FoundationEssentials
internal import IncidentCore
internal import Ledger
internal import Platform

extension Core {
    /// The one page, from the ledger and from what only the running daemon knows.
    func status() async throws -> StatusView {
        let (coverage, isWatching) = await coverage()
        let hasBaseline = try await accepts.newestSequence() >= 0
        let watch = WatchStatusView(
            areas: site.configuration.integrity.watch.count, realtimeAreas: coverage?.areas.count { $0.guarantee == "realtime" } ?? 0,
            files: coverage?.areas.reduce(0) { $0 + $1.files } ?? 0, openBlindIntervals: 0, hasBaseline: hasBaseline)
        return try await StatusService(incidents: incidents, history: history).status(
            StatusInputs(
                version: "0.1.0", watch: watch,
                health: await health.answers().map {
                    HealthStatusView(check: $0.name, state: $0.state, since: $0.since, detail: $0.detail.phrase)
                }, newestOutsideCheckpoint: try await newestExport(), isWatching: isWatching))
    }

    /// Coverage as the watch process says; nil when it does not answer.
    func coverage() async -> (CoverageAnswer?, isWatching: Bool) {
        do {
            guard case .coverage(let text) = try await watch.ask(.coverage) else { return (nil, false) }
            return (try JSONDecoder().decode(CoverageAnswer.self, from: Data(text.utf8)), true)
        } catch {
            // Its absence is what the answer says.
            return (nil, false)
        }
    }

    /// Kind of the event by which a person notes that a checkpoint was taken outside this host.
    static let checkpointExported = "checkpoint.exported"

    /// When a checkpoint last left this host.
    func newestExport() async throws -> Timestamp? {
        try await ledger.read { database in
            try EventTable.newest(kind: Self.checkpointExported, in: database)
        }
    }
}

/// Says what is not as it should be, and how to mend it.
struct Doctor: Sendable {
    let core: Core

    func examine() async -> [DoctorAnswer] {
        var lines: [DoctorAnswer] = []
        lines.append(await ledger())
        lines.append(await checkpoint())
        let (_, isWatching) = await core.coverage()
        lines.append(
            DoctorAnswer(
                name: "watch", isGood: isWatching,
                detail: isWatching
                    ? BilingualText(vi: "tiến trình giám sát tệp đang chạy", en: "the watch process is running")
                    : BilingualText(vi: "tiến trình giám sát tệp không trả lời", en: "the watch process does not answer"),
                hint: isWatching ? nil : BilingualText(vi: "xem nhật ký dịch vụ", en: "see the service's journal")))
        let views = (try? await core.repositories.repositories()) ?? []
        for setting in core.site.configuration.backup.repositories {
            lines.append(repository(setting, views.first { $0.name == setting.name }))
        }
        lines.append(space())
        return lines
    }

    private func ledger() async -> DoctorAnswer {
        do {
            let report = try await core.ledger.verify()
            return DoctorAnswer(
                name: "ledger", isGood: report.isIntact,
                detail: report.isIntact
                    ? BilingualText(vi: "sổ cái nguyên vẹn, \(report.events) sự kiện", en: "the ledger is intact, \(report.events) events")
                    : BilingualText(vi: "sổ cái có \(report.problemCount) sai lệch", en: "the ledger has \(report.problemCount) problems"),
                hint: report.isIntact
                    ? nil : BilingualText(vi: "chạy 'sentinelctl ledger verify'", en: "run 'sentinelctl ledger verify'"))
        } catch {
            return DoctorAnswer(name: "ledger", isGood: false, detail: ControlFailure(error).message)
        }
    }

    private func checkpoint() async -> DoctorAnswer {
        let newest = try? await core.newestExport()
        let age = newest.map { Timestamp.now().seconds - $0.seconds }
        let isFresh = age.map { $0 < StatusView.checkpointAgeLimitSeconds } ?? false
        return DoctorAnswer(
            name: "checkpoint", isGood: isFresh,
            detail: isFresh
                ? BilingualText(vi: "đã có điểm chốt ngoài máy này trong 24 giờ", en: "a checkpoint younger than 24 h is held outside this host")
                : BilingualText(
                    vi: "không có điểm chốt nào ngoài máy này trong 24 giờ qua", en: "no checkpoint younger than 24 h is held outside this host"),
            hint: isFresh
                ? nil
                : BilingualText(
                    vi: "chạy 'sentinelctl ledger checkpoint', in ra hoặc gửi đi nơi khác",
                    en: "run 'sentinelctl ledger checkpoint', print it or send it elsewhere"))
    }

    private func repository(_ setting: RepositorySetting, _ view: RepositoryView?) -> DoctorAnswer {
        let name = "repository \(setting.name)"
        // Of storage elsewhere the last visit tells; asking it now would make the doctor wait for a network.
        let isThere = setting.path.map { (try? FileStatus.exists($0 / "config")) ?? false } ?? (view?.identity != nil)
        guard isThere else {
            return DoctorAnswer(
                name: name, isGood: false,
                detail: BilingualText(vi: "chưa thấy kho sao lưu tại \(setting.location)", en: "no repository is seen at \(setting.location)"),
                hint: BilingualText(vi: "chạy 'sentinelctl repo init -r \(setting.location)'", en: "run 'sentinelctl repo init -r \(setting.location)'"))
        }
        guard let view else {
            return DoctorAnswer(
                name: name, isGood: true,
                detail: BilingualText(vi: "có kho sao lưu tại \(setting.location)", en: "there is a repository at \(setting.location)"))
        }
        var vi = "\(setting.location): \(view.snapshots) bản, \(view.held) đang giữ, \(view.waiting) chờ xác nhận"
        var en = "\(setting.location): \(view.snapshots) snapshots, \(view.held) held, \(view.waiting) waiting for a word"
        if setting.isAppendOnly { (vi, en) = (vi + ", chỉ ghi thêm", en + ", append-only") }
        if let days = view.daysUntilFull { (vi, en) = (vi + ", đầy sau \(days) ngày", en + ", full in \(days) days") }
        if let failure = view.failure { (vi, en) = (vi + "; bảo trì thất bại: \(failure.vi)", en + "; upkeep failed: \(failure.en)") }
        let isFilling = view.daysUntilFull.map { $0 < 7 } ?? false
        var hint: BilingualText?
        if view.waiting > 0 {
            hint = BilingualText(
                vi: "xem 'sentinelctl backup snapshots', rồi 'backup approve' hoặc 'backup reject'",
                en: "see 'sentinelctl backup snapshots', then 'backup approve' or 'backup reject'")
        } else if isFilling {
            hint = BilingualText(vi: "thêm dung lượng, hoặc giảm 'keep'", en: "add space, or lower 'keep'")
        }
        return DoctorAnswer(
            name: name, isGood: view.waiting == 0 && !isFilling && view.failure == nil, detail: BilingualText(vi: vi, en: en), hint: hint)
    }

    private func space() -> DoctorAnswer {
        do {
            let space = try FileSystemSpace.of(core.layout.state)
            let isEnough = space.freeBytes > 256 << 20
            let mebibytes = space.freeBytes >> 20
            return DoctorAnswer(
                name: "space", isGood: isEnough,
                detail: BilingualText(vi: "còn \(mebibytes) MiB cho sổ cái", en: "\(mebibytes) MiB are left for the ledger"),
                hint: isEnough ? nil : BilingualText(vi: "giải phóng dung lượng", en: "free some space"))
        } catch {
            return DoctorAnswer(name: "space", isGood: false, detail: ControlFailure(error).message)
        }
    }
}
