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
            if await findings.report(observed(area: area, changes)) { try await link.send(.acknowledge(report: number)) }
        case .blind(let path, let from, let to, let vi, let en):
            await blind.add(BlindIntervals.Interval(
                path: path, from: Timestamp(millisecondsSinceEpoch: from), to: Timestamp(millisecondsSinceEpoch: to),
                reason: Phrase(vi: vi, en: en)))
            await findings.report([blindFinding(path: path, from: from, to: to, reason: Phrase(vi: vi, en: en))])
        case .tampered(let vi, let en): await findings.report([tampering(Phrase(vi: vi, en: en))])
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
            await findings.report([tampering(Phrase(
                vi: "trạng thái phê duyệt trên đĩa không khớp với sổ cái", en: "the approved state on disk does not match the ledger"))])
        }
        let lacking = isKnown ? all.filter { $0.sequence > applied } : all
        try await link.send(.begin(
            accepts: lacking.map { AcceptReference(sequence: $0.sequence, batch: $0.batch, root: $0.root) }, resets: !isKnown))
    }

    // MARK: Findings

    private func observed(area: String, _ changes: [ObservedWire]) throws -> [Finding] {
        let setting = site.configuration.integrity.watch.first { $0.name == area }
        let restored = changes.filter(\.isApproved)
        let deviating = changes.filter { !$0.isApproved }
        var result: [Finding] = []
        if !deviating.isEmpty {
            result.append(try finding(FindingKind.fileChanged, deviating, area: area, setting, summary: sums(of: deviating)))
        }
        if !restored.isEmpty {
            result.append(try finding("file.restored", restored, area: area, setting, summary: Phrase(
                vi: "\(restored.count) tệp trở lại trạng thái đã phê duyệt", en: "\(restored.count) files are as approved again")))
        }
        return result
    }

    private func sums(of changes: [ObservedWire]) -> Phrase {
        func count(_ kind: String) -> Int { changes.count { $0.kind == kind } }
        let (added, removed, changed) = (count("added"), count("removed"), count("changed"))
        return Phrase(
            vi: "\(changes.count) tệp: \(added) mới, \(removed) mất, \(changed) đổi", en: "\(changes.count) files: \(added) new, \(removed) removed, \(changed) changed")
    }

    private func finding(
        _ kind: String, _ changes: [ObservedWire], area: String, _ setting: WatchSetting?, summary: Phrase
    ) throws -> Finding {
        let paths = changes.map { FilePath(bytes: Data(base64Encoded: $0.pathBase64) ?? Data()) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let names = changes.map(\.fingerprint).sorted().joined()
        return Finding(
            source: "integrity", kind: kind, severity: .medium, condition: .momentary, key: "watch:\(area)", subject: area,
            asset: setting?.asset, summary: summary, moment: .now(),
            fingerprint: "files:\(try SHA256.hash(Array(names.utf8)).hex)",
            volume: Finding.Volume(total: Int64(changes.count), suspicious: Int64(changes.count { $0.kind != "added" })),
            root: setting?.path, paths: paths, attachment: Array(try encoder.encode(changes)))
    }

    private func blindFinding(path: String, from: Int64, to: Int64, reason: Phrase) -> Finding {
        Finding(
            source: "integrity", kind: FindingKind.watchBlind, severity: .low, condition: .momentary, key: "watch-blind:\(path)",
            subject: "watch", summary: Phrase(vi: "khoảng mù: \(reason.vi); đã quét lại", en: "blind interval: \(reason.en); rescanned"),
            details: ["from": JSONValue(from), "to": JSONValue(to)], moment: .now(), paths: [FilePath(path)])
    }

    private func tampering(_ reason: Phrase) -> Finding {
        Finding(
            source: "integrity", kind: FindingKind.baselineTampered, severity: .critical, condition: .momentary,
            key: "baseline", subject: "baseline", summary: reason, moment: .now())
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
