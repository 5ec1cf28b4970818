internal import IncidentCore
internal import Platform
internal import Synchronization

/// The configuration in force, replaced as a whole by a reload.
final class SiteState: Sendable {
    private let current: Mutex<ResponsePolicy>

    init(_ policy: ResponsePolicy) { current = Mutex(policy) }

    var policy: ResponsePolicy { current.withLock { $0 } }
    var configuration: Configuration { policy.configuration }
    var language: Language { configuration.site.language }

    func replace(_ policy: ResponsePolicy) { current.withLock { $0 = policy } }
}
