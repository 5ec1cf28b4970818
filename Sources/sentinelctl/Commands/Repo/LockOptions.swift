internal import ArgumentParser
internal import BackupEngine
internal import Platform

/// How a command deals with other processes that use the repository.
struct LockOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            help(
                "Đợi kho hết khóa tối đa bấy lâu, ví dụ 5m (hoặc RESTIC_RETRY_LOCK).", "Wait so long for other locks to go, such as 5m (or RESTIC_RETRY_LOCK).")
        ),
        transform: LockOptions.seconds)
    var retryLock: Double?

    func policy(isQuiet: Bool) -> LockPolicy {
        var policy = LockPolicy()
        policy.retrySeconds = retryLock ?? environmentValue("RESTIC_RETRY_LOCK").flatMap { try? Self.seconds($0) } ?? 0
        policy.cancellation = Interruption.raised
        if !isQuiet {
            let language = Interface.initialLanguage
            policy.onRemoved = { lock in Interface(language: language, isJSON: false).warn(lock.message.text(language)) }
        }
        return policy
    }

    /// A duration as Go writes it: `30s`, `5m`, `1h30m`, `1.5h`; a bare `0` is none.
    static func seconds(_ text: String) throws -> Double {
        let units: [String: Double] = ["ms": 0.001, "s": 1, "m": 60, "h": 3600]
        var total = 0.0
        var rest = text[...]
        if rest == "0" { return 0 }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(number), let factor = units[String(unit)], value * factor < 1e7 else {
                throw ValidationError(help("cần một khoảng thời gian như 30s, 5m hoặc 1h30m", "expected a duration such as 30s, 5m or 1h30m"))
            }
            total += value * factor
        }
        if text.isEmpty { throw ValidationError(help("khoảng thời gian rỗng", "the duration is empty")) }
        return total
    }
}
