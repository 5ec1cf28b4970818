/// Paths of the control socket. One place, so that daemon and client cannot disagree.
///
/// Everything is HTTP/1.1 with JSON bodies of at most ``maximumBodyBytes``; `curl --unix-socket SOCKET http://s/v1/status` works.
package enum Route {
    package static let maximumBodyBytes = 1 << 20

    package static let status = "/v1/status"
    package static let doctor = "/v1/doctor"
    package static let incidents = "/v1/incidents"
    package static func incident(_ id: String) -> String { "/v1/incidents/\(id)" }
    package static func incidentAction(_ id: String) -> String { "/v1/incidents/\(id)/actions" }
    package static func attach(_ id: String, _ playbook: String) -> String { "/v1/incidents/\(id)/playbook/\(playbook)" }
    package static func step(_ id: String, _ step: String) -> String { "/v1/incidents/\(id)/steps/\(step)" }
    package static let playbooks = "/v1/playbooks"
    package static func playbook(_ id: String) -> String { "/v1/playbooks/\(id)" }
    package static let jobs = "/v1/jobs"
    package static func jobRun(_ name: String) -> String { "/v1/jobs/\(name)/run" }
    package static func jobSnapshots(_ name: String) -> String { "/v1/jobs/\(name)/snapshots" }
    package static func judge(_ job: String) -> String { "/v1/jobs/\(job)/judge" }
    package static let repositories = "/v1/repositories"
    package static func forget(_ repository: String) -> String { "/v1/repositories/\(repository)/forget" }
    package static func prune(_ repository: String) -> String { "/v1/repositories/\(repository)/prune" }
    package static let brokenGlass = "/v1/broken-glass"
    package static let holds = "/v1/holds"
    package static let holdExport = "/v1/holds/export"
    package static let holdRelease = "/v1/holds/release"
    package static let drills = "/v1/drills"
    package static func drillRun(_ name: String) -> String { "/v1/drills/\(name)/run" }
    package static func run(_ id: String) -> String { "/v1/runs/\(id)" }
    package static let health = "/v1/health"
    package static let changes = "/v1/integrity/changes"
    package static let scan = "/v1/integrity/scan"
    package static let accept = "/v1/integrity/accept"
    package static let coverage = "/v1/integrity/coverage"
    package static let ledgerVerify = "/v1/ledger/verify"
    package static let ledgerCheckpoint = "/v1/ledger/checkpoint"
    package static let ledgerRebuild = "/v1/ledger/rebuild"
    package static let ledgerRedact = "/v1/ledger/redact"
    package static let ledgerEvents = "/v1/ledger/events"
    package static func ledgerProof(_ sequence: Int64) -> String { "/v1/ledger/proof/\(sequence)" }

    /// Header of every answer: the language of the site, `vi` or `en`.
    package static let languageHeader = "sentinel-language"
}
