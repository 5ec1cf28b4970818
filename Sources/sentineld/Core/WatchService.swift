internal import FoundationEssentials
internal import IncidentCore
internal import Ledger
internal import Platform

/// The core's dealings with the watch process: brings its approved state up to date, turns what it observes into findings.
struct WatchService: Sendable {
    let site: SiteState
    let layout: StateLayout
    let link: WatchLink
    let accepts: BaselineAccepts
    let findings: FindingSink
    let blind: BlindIntervals

    /// Serves one watch process until its link ends.
    func serve(_ channel: Channel) async {
        do {
            let connection = try Link<WatchReport>(channel, name: "watch-link")
            await link.connect(connection)
            try await link.send(.setup(setup))
            for await arrival in connection.arrivals { try await handle(arrival.value) }
        } catch {
            Journal.report("core", error)
        }
        await link.disconnect()
    }

    /// Tells a running watch process what the configuration now says.
    func reconfigure() async throws {
        if await link.isConnected { try await link.send(.setup(setup)) }
    }

    private var setup: WatchSetup {
        WatchSetup(
            stateDirectory: layout.state.utf8 ?? "",
            areas: site.configuration.integrity.watch.compactMap { setting in
                setting.path.utf8.map { WatchArea(name: setting.name, path: $0, excludes: setting.excludes) }
            })
    }

    private func handle(_ report: WatchReport) async throws {
        switch report {
        case .hello(let applied, let root): try await begin(applied: applied, root: root)
        case .observed(let number, let area, let changes):
            if await findings.report(try observed(area: area, changes)) { try await link.send(.acknowledge(report: number)) }
        case .blind(let path, let from, let to, let vi, let en):
            await blind.add(
                BlindIntervals.Interval(
                    path: path, from: Timestamp(millisecondsSinceEpoch: from), to: Timestamp(millisecondsSinceEpoch: to),
                    reason: Phrase(vi: vi, en: en)))
            await findings.report([blindFinding(path: path, from: from, to: to, reason: Phrase(vi: vi, en: en))])
        case .tampered(let vi, let en): await findings.report([FileFindings.tampered(reason: Phrase(vi: vi, en: en), moment: .now())])
        case .answer(let id, let answer): await link.answered(id, answer)
        case .failed(let id, let failure): await link.failed(id, failure)
        }
    }

    /// The ledger decides what is approved. A baseline behind it catches up; one that the ledger does not know was tampered
    /// with, is reported, and is built again from the accepts.
    private func begin(applied: Int64, root: String) async throws {
        let all = try await accepts.accepts(after: -1)
        let current = all.last { $0.sequence == applied }
        let isKnown = applied < 0 ? root.isEmpty : current?.root == root
        if !isKnown {
            await findings.report([
                FileFindings.tampered(
                    reason: Phrase(
                        vi: "trạng thái phê duyệt trên đĩa không khớp với sổ cái", en: "the approved state on disk does not match the ledger"), moment: .now())
            ])
        }
        let lacking = isKnown ? all.filter { $0.sequence > applied } : all
        try await link.send(
            .begin(
                accepts: lacking.map { AcceptReference(sequence: $0.sequence, batch: $0.batch, root: $0.root) }, resets: !isKnown))
    }

    // MARK: Findings

    /// What deviates from the approved state opens or joins an incident; what is as approved again is only recorded.
    private func observed(area: String, _ changes: [ObservedWire]) throws -> [Finding] {
        guard let setting = site.configuration.integrity.watch.first(where: { $0.name == area }) else { return [] }
        let deviating = changes.filter { !$0.isApproved }
        let restored = changes.filter(\.isApproved)
        var result: [Finding] = []
        if !deviating.isEmpty { result.append(try finding(deviating, setting)) }
        if !restored.isEmpty {
            var finding = try finding(restored, setting)
            finding.kind = FindingKind.fileRestored
            finding.summary = Phrase(
                vi: "'\(area)': \(restored.count) tệp trở lại trạng thái đã phê duyệt", en: "'\(area)': \(restored.count) files are as approved again")
            result.append(finding)
        }
        return result
    }

    private func finding(_ changes: [ObservedWire], _ setting: WatchSetting) throws -> Finding {
        try FileFindings.changes(
            area: setting.name, root: setting.path, asset: setting.asset,
            changes: changes.map { change in
                ObservedFileChange(
                    kind: ObservedFileChange.Kind(rawValue: change.kind) ?? .changed,
                    path: FilePath(bytes: Data(base64Encoded: change.pathBase64) ?? Data()), attributes: change.attributes,
                    fingerprint: change.fingerprint, looksEncrypted: false)
            }, moment: .now())
    }

    private func blindFinding(path: String, from: Int64, to: Int64, reason: Phrase) -> Finding {
        let area = site.configuration.integrity.watch.first { FilePath(path).isBelow($0.path) }?.name ?? path
        return FileFindings.blind(
            path: FilePath(path), from: Timestamp(millisecondsSinceEpoch: from), to: Timestamp(millisecondsSinceEpoch: to),
            reason: reason, area: area)
    }
}

/// The blind intervals since the start, newest last; bounded.
actor BlindIntervals {
    struct Interval: Sendable {
        let path: String
        let from: Timestamp
        let to: Timestamp
        let reason: Phrase
    }

    private static let limit = 1000
    private(set) var intervals: [Interval] = []

    func add(_ interval: Interval) {
        intervals.append(interval)
        if intervals.count > Self.limit { intervals.removeFirst() }
    }
}
