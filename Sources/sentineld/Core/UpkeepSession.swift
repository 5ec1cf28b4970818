internal import IncidentCore
internal import Ledger
internal import Platform

/// One upkeep as the core sees it: what the job process sees is recorded, what it may remove is decided here.
actor UpkeepSession {
    private let repositories: RepositoryService
    private let repository: String
    private let scope: ForgetScope
    private let isDryRun: Bool
    private let actor: Actor
    private let incidentsChanged: @Sendable () async -> Void
    private var plan: [String: PlannedRemoval] = [:]

    init(
        repositories: RepositoryService, repository: String, scope: ForgetScope, isDryRun: Bool, actor: Actor,
        incidentsChanged: @escaping @Sendable () async -> Void
    ) {
        self.repositories = repositories
        self.repository = repository
        self.scope = scope
        self.isDryRun = isDryRun
        self.actor = actor
        self.incidentsChanged = incidentsChanged
    }

    func answer(_ question: UpkeepQuestion) async -> UpkeepAnswer {
        do {
            switch question {
            case .observed(let observation):
                let outcomes = try await repositories.record(observation)
                if !outcomes.isEmpty { await incidentsChanged() }
                let removals = try await repositories.plan(scope, repository: repository)
                plan = Dictionary(removals.map { ($0.snapshot, $0) }, uniquingKeysWith: { first, _ in first })
                return .plan(removals.map(\.snapshot))
            case .mayRemove(let snapshot):
                guard let removal = plan[snapshot], !isDryRun else {
                    return .refused(Phrase(vi: "không có trong kế hoạch", en: "it is not in the plan"))
                }
                let isByPolicy = if case .policy = scope { true } else { false }
                let refusal = try await repositories.permit(removal, repository: repository, isByPolicy: isByPolicy, by: actor)
                return refusal.map { .refused($0) } ?? .allowed
            }
        } catch {
            return .failed(FailureText(error))
        }
    }
}
