internal import Glibc
package import Synchronization

/// A named place where a test may make this process fail or die.
///
/// `SENTINEL_FAULTS` holds `point=action[@n]` entries separated by commas: `pack.renamed=kill@2,ledger.commit=fail`.
/// `fail` throws EIO, `nospace` throws ENOSPC, `kill` sends SIGKILL, `flip` changes one bit where the point allows it; `@n` means the n-th time only, none means every time.
/// A point may be limited to one process role: `job:pack.renamed=kill`. Unset, a point costs one load.
package enum FaultPoint {
    private struct Rule { let point: String; let action: String; let occurrence: Int? }
    private static let rules: [Rule] = parse(environmentValue("SENTINEL_FAULTS") ?? "")
    private static let counts = Mutex<[String: Int]>([:])

    /// The role of this process (`core`, `watch`, `job`, …); set once by its main function.
    package static let role = Mutex<String>("")

    /// True when a test wants a bit changed here, as faulty memory would.
    package static func flips(_ point: StaticString) -> Bool {
        rules.isEmpty ? false : due(point).contains { $0.action == "flip" }
    }

    /// The rules that apply this time.
    private static func due(_ point: StaticString) -> [Rule] {
        let name = point.description
        let current = role.withLock { $0 }
        let matching = rules.filter { $0.point == name || $0.point == "\(current):\(name)" }
        if matching.isEmpty { return [] }
        let count = counts.withLock { counts in
            counts[name, default: 0] += 1
            return counts[name, default: 0]
        }
        return matching.filter { $0.occurrence == nil || $0.occurrence == count }
    }

    /// Passes through `point`, unless a rule says otherwise.
    package static func reach(_ point: StaticString) throws(SystemError) {
        if rules.isEmpty { return }
        let name = point.description
        for rule in due(point) {
            switch rule.action {
            case "kill": kill(getpid(), SIGKILL)
            case "nospace": throw SystemError(name, ENOSPC)
            default: throw SystemError(name, EIO)
            }
        }
    }

    private static func parse(_ text: String) -> [Rule] {
        text.split(separator: ",").compactMap { entry in
            guard let equals = entry.firstIndex(of: "=") else { return nil }
            let action = entry[entry.index(after: equals)...].split(separator: "@", maxSplits: 1)
            guard let verb = action.first else { return nil }
            return Rule(
                point: String(entry[..<equals]), action: String(verb),
                occurrence: action.count == 2 ? Int(action[1]) : nil)
        }
    }
}

/// The value of an environment variable, or nil when it is not set.
package func environmentValue(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}
