internal import BackupEngine
internal import Platform
internal import Synchronization

/// How much of a file system a backup must leave free.
package enum SpaceFloor: Codable, Sendable, Equatable {
    case bytes(Int64)
    case percent(Int)

    init(_ setting: HealthCheckSetting.FreeSpace) {
        self =
            switch setting {
            case .bytes(let bytes): .bytes(Int64(clamping: bytes))
            case .percent(let percent): .percent(percent)
            }
    }

    /// The floor for one backup: the configured one, and while an alarm is open at least the standard one.
    static func forBackup(to setting: RepositorySetting, isAlarmed: Bool) -> SpaceFloor? {
        setting.freeSpaceFloor.map(SpaceFloor.init) ?? (isAlarmed ? .percent(RepositorySetting.standardFloorPercent) : nil)
    }

    package func isReached(_ space: SpaceFacts) -> Bool {
        switch self {
        case .bytes(let bytes): space.freeBytes < bytes
        case .percent(let percent): Double(space.freeBytes) * 100 < Double(space.totalBytes) * Double(percent)
        }
    }

    var text: String {
        switch self {
        case .bytes(let bytes): "\(bytes / (1 << 20)) MiB"
        case .percent(let percent): "\(percent) %"
        }
    }
}

/// Watches the free space of a repository while a backup writes to it, and stops the backup before the disk is full.
final class SpaceGuard: Sendable {
    /// To be given to the backup: raised by the outer one, or by the floor.
    let cancellation = CancellationFlag()
    private let directory: FilePath
    private let floor: SpaceFloor
    private let reached = Mutex<SpaceFacts?>(nil)
    private let isOver = Monitor(false)

    private static let intervalSeconds = 0.5

    /// - Throws: `.refused` when the floor is reached already.
    init(_ directory: FilePath, _ floor: SpaceFloor, outer: CancellationFlag) throws {
        self.directory = directory
        self.floor = floor
        if let space = SpaceFacts(of: directory), floor.isReached(space) { throw refusal(space) }
        try OwnThread.start(name: "space-guard") { [self] in
            while isOver.wait(seconds: Self.intervalSeconds, { $0 ? true : nil }) == nil {
                if outer.isCancelled { cancellation.cancel() }
                guard let space = SpaceFacts(of: directory), floor.isReached(space) else { continue }
                reached.withLock { $0 = $0 ?? space }
                cancellation.cancel()
            }
        }
    }

    func end() { isOver.change { $0 = true } }

    /// Why the backup was stopped; nil when the floor was not the reason.
    var stop: IncidentError? { reached.withLock { $0 }.map(refusal) }

    private func refusal(_ space: SpaceFacts) -> IncidentError {
        let free = space.freeBytes / (1 << 20)
        return IncidentError(
            .refused,
            Phrase(
                vi: "dừng ở ngưỡng dung lượng trống \(floor.text): '\(directory)' còn \(free) MiB",
                en: "stopped at the free-space floor of \(floor.text): '\(directory)' has \(free) MiB left"),
            hint: Phrase(
                vi: "giải phóng hoặc thêm dung lượng; không xóa bản sao lưu đang bị giữ",
                en: "free or add space; do not delete snapshots that are held"))
    }
}
