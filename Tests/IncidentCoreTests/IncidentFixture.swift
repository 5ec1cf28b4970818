import Ledger
import Platform
import Synchronization
import TestSupport
import Testing

@testable import IncidentCore

/// A site for tests: real ledger on disk, a clock that stands still until it is moved, three small playbooks.
struct IncidentFixture: Sendable {
    /// 2026-11-23 07:00:00 UTC.
    static let start = Timestamp(seconds: 1_795_417_200)

    static let configuration = """
        site: {name: Phường Thử, code: TH01, language: vi, timezone: Asia/Ho_Chi_Minh}
        team:
          roles: {truong-nhom: [an], ky-thuat: [binh], thu-ky: [dung]}
          people:
            an: {name: Nguyễn An, phone: 0900000001, uid: 1001}
            binh: {name: Trần Bình, uid: 1002}
            dung: {name: Lê Dung, uid: 1003}
        assets:
          mot-cua: {name: Một cửa, owner: UBND, operator: TTHCC, level: 2}
        integrity:
          watch:
            - {path: /srv/hoso, name: ho-so, asset: mot-cua}
            - {path: /etc, name: etc}
        backup:
          repositories:
            main: {path: /var/backups/main, password: {credential: main}}
            usb: {path: /mnt/usb, password: {credential: usb}}
          jobs:
            hoso: {sources: [{files: [/srv/hoso]}], to: [main, usb], schedule: every 6h, objectives: {rpo: 6h, rto: 30m}}
            web: {sources: [{files: [/srv/www]}], to: [main], schedule: daily 02:00}
            all: {sources: [{files: [/srv]}], to: [main]}
        drills:
          hoso-quy: {job: hoso, schedule: quarterly}
        notify:
          channels:
            mail: {sendmail: [to@example.vn], from: sentinel@example.vn}
            chat: {webhook: "https://chat.example.vn/h"}
          routes:
            - {severity: medium, to: [mail]}
            - {severity: high, to: [mail, chat], repeat: 4h}
        """

    /// `a` (mandatory) leads to `b` or `c`; `b` (mandatory) and `c` lead to `d`.
    static func playbook(_ id: String, triggers: String, version: Int = 1) throws -> Playbook {
        func step(_ id: String, mandatory: Bool, deadline: String? = nil, next: String) -> String {
            """
              - id: \(id)
                phase: xu-ly
                title: {vi: Bước \(id), en: Step \(id)}
                instructions: {vi: Làm, en: Do}
                role: ky-thuat
                mandatory: \(mandatory)
            \(deadline.map { "    deadline: \($0)\n" } ?? "")    next: \(next)

            """
        }
        let text = """
            id: \(id)
            version: \(version)
            title: {vi: Kịch bản \(id), en: Playbook \(id)}
            description: {vi: Mô tả, en: Description}
            triggers: [\(triggers)]
            severity: low
            owner: truong-nhom
            legal: {vi: Không, en: None}
            start: a
            steps:

            """
            + step("a", mandatory: true, deadline: "30m", next: "[b, c]") + step("b", mandatory: true, next: "[d]")
            + step("c", mandatory: false, next: "[d]") + step("d", mandatory: false, next: "end")
        return try Playbook.parse(Array(text.utf8), name: "\(id).yaml")
    }

    static func shippedPlaybooks() throws -> PlaybookLibrary {
        PlaybookLibrary(
            playbooks: [
                try playbook("mat-dich-vu", triggers: "service.down, backup.failed, drill.failed"),
                try playbook("thay-doi", triggers: "file.changed"), try playbook("tong-tien", triggers: "file.mass-change"),
            ], overrides: [])
    }

    let directory: FilePath
    let ledger: Ledger
    let service: IncidentService
    let clock: TestClock
    let policy: TestPolicy

    init(_ directory: FilePath, extra: [any Projection] = [], configuration: String = Self.configuration) throws {
        self.directory = directory
        let key = try SigningKey(seed: [UInt8](repeating: 3, count: SigningKey.seedByteCount))
        ledger = try Ledger.open(
            directory: directory, key: key, origin: "sentinel.local/TH01", projections: IncidentService.projections + extra)
        let clock = TestClock(Self.start)
        self.clock = clock
        let batches = BatchStore(directory: directory / "batches")
        let definitions = PlaybookDefinitions(batches: batches)
        let library = try Self.shippedPlaybooks()
        try definitions.preserve(library)
        let policy = TestPolicy(
            ResponsePolicy(configuration: try Configuration.parse(Array(configuration.utf8), name: "test.yaml"), playbooks: library))
        self.policy = policy
        service = IncidentService(
            ledger: ledger, definitions: definitions, batches: batches, policy: { policy.value }, now: { clock.now })
    }

    static let responder = Responder(actor: .person("binh", uid: 1002, pid: 7), isAdministrator: false)
    static let administrator = Responder(actor: .person("an", uid: 1001, pid: 8), isAdministrator: true)

    // MARK: Findings

    func files(_ count: Int, area: String = "ho-so", root: FilePath = "/srv/hoso", tag: String = "") throws -> Finding {
        try FileFindings.changes(
            area: area, root: root, asset: nil,
            changes: (0..<count).map {
                ObservedFileChange(
                    kind: .changed, path: root / "tệp-\($0).docx", attributes: ["content", "mtime"], fingerprint: "\(tag)\($0)",
                    looksEncrypted: false)
            }, moment: clock.now)
    }

    func service(_ check: String, isUp: Bool, asset: String? = nil) -> Finding {
        HealthFindings.transition(
            ServiceTransition(
                check: check, isUp: isUp, since: clock.now, detail: Phrase(vi: "kết nối bị từ chối", en: "connection refused"),
                asset: asset))
    }

    /// Every row of every projection table, as text.
    func dump() async throws -> [String] {
        let tables = IncidentService.projections.flatMap(\.tables)
        return try await ledger.read { database in
            var result: [String] = []
            for table in tables {
                let columns = try database.all("SELECT name FROM pragma_table_info(?1)", SQLValue(table)) {
                    row throws(DatabaseError) in row.text(0)
                }
                let list = columns.map { "quote(\($0))" }.joined(separator: "||','||")
                result += try database.all("SELECT '\(table): '||\(list) FROM \(table) ORDER BY 1") {
                    row throws(DatabaseError) in row.text(0)
                }
            }
            return result
        }
    }

    func kinds() async throws -> [String] { try await ledger.events().map(\.kind) }
}

/// A clock that stands still.
final class TestClock: Sendable {
    private let value: Mutex<Timestamp>
    init(_ start: Timestamp) { value = Mutex(start) }
    var now: Timestamp { value.withLock { $0 } }
    func advance(seconds: Int64) { value.withLock { $0 = $0.adding(seconds: seconds) } }
}

final class TestPolicy: Sendable {
    private let current: Mutex<ResponsePolicy>
    init(_ policy: ResponsePolicy) { current = Mutex(policy) }
    var value: ResponsePolicy { current.withLock { $0 } }
    func replace(_ policy: ResponsePolicy) { current.withLock { $0 = policy } }
}

/// Refuses one kind of event, to see what is undone with it.
struct RefusingProjection: Projection {
    struct Refusal: Error {}
    let kind: String
    let name = "refusing"
    let schema = "CREATE TABLE IF NOT EXISTS refusing (x INTEGER) STRICT"
    let tables = ["refusing"]
    func apply(_ event: Event, to database: Database) throws { if event.kind == kind { throw Refusal() } }
}

/// Runs `body` on a fresh site.
func withSite(
    extra: [any Projection] = [], configuration: String = IncidentFixture.configuration,
    _ body: (IncidentFixture) async throws -> Void
) async throws {
    let directory = try TemporaryDirectory("incident")
    let site = try IncidentFixture(directory.path, extra: extra, configuration: configuration)
    do {
        try await body(site)
    } catch {
        site.ledger.close()
        throw error
    }
    site.ledger.close()
}

/// The code of the ``IncidentError`` that `body` throws; nil when it throws nothing. Both texts must be there.
func incidentCode(_ body: () async throws -> Void) async throws -> IncidentError.Code? {
    do {
        try await body()
        return nil
    } catch let error as IncidentError {
        #expect(!error.message.vi.isEmpty && !error.message.en.isEmpty)
        return error.code
    }
}
