import Platform
import TestSupport
import Testing

@testable import IncidentCore

/// The example of the design, as far as this version goes.
let exampleConfig = """
    site: {name: Phường Dương Kinh, code: DK01, language: vi, timezone: Asia/Ho_Chi_Minh}
    team:
      roles: {truong-nhom: [an], ky-thuat: [binh, chi], thu-ky: [dung]}
      people:
        an: {name: A, phone: 0900000001, verified: 2026-11-01, uid: 1001}
        binh: {name: B}
        chi: {name: C, uid: 1003}
        dung: {name: D}
    assets:
      mot-cua: {name: Hệ thống một cửa, owner: Ủy ban, operator: Trung tâm, level: 2, police: false, personalData: true}
    integrity:
      watch:
        - {path: /etc, asset: mot-cua}
        - {path: /srv/hoso/, name: ho-so, exclude: ["*.tmp"]}
      rescan: every 12h
    health:
      defaults: {interval: 30s, timeout: 10s, down: 3, up: 2}
      checks:
        duong-truyen: {tcp: "[2001:db8::1]:443"}
        dvc: {http: {url: "https://dichvucong.example/x?y=1", status: 2xx}, parent: duong-truyen, asset: mot-cua}
        web: {http: "http://127.0.0.1:8080", interval: 5s}
        db: {systemd: postgresql, down: 1}
        dia: {disk: {path: /srv, free: 5GiB}, timeout: 5s}
        dia-goc: {disk: {path: /, free: 10%}}
    backup:
      repositories:
        main: {path: /var/backups/sentinel, password: {credential: repo-main}}
        offsite: {path: /mnt/usb/sentinel, password: {file: /srv/keys/repo}}
      jobs:
        hoso:
          sources: [{files: [/srv/hoso, /etc], exclude: ["*.tmp"]}]
          to: [main, offsite]
          schedule: every 6h
          keep: {daily: 14, weekly: 8, monthly: 12}
          objectives: {rpo: 6h, rto: 30m}
          asset: mot-cua
    drills:
      hoso-hang-quy: {job: hoso, schedule: quarterly, assert: [{sqlite-integrity: srv/hoso/app.db}]}
    notify:
      channels:
        mail: {sendmail: [to@example.vn], sendmailPath: /usr/bin/msmtp, from: s@example.vn}
        chat: {webhook: "https://chat.example.vn/h"}
      routes: [{severity: high, to: [mail, chat], repeat: 4h}]
    control: {readers: nhom-doc}
    """

@Suite struct ConfigurationTests {
    @Test func `the example of the design is read`() throws {
        let config = try Configuration.parse(Array(exampleConfig.utf8), name: "sentinel.yaml")
        #expect(config.site == Site(name: "Phường Dương Kinh", code: "DK01", language: .vi, timezone: "Asia/Ho_Chi_Minh"))
        #expect(config.team.people(in: .technician).map(\.fullName) == ["B", "C"])
        #expect(config.team.people(in: .head).isEmpty)
        #expect(config.team.person(uid: 1001)?.name == "an")
        #expect(config.team.person(uid: 0) == nil)
        #expect(config.team.person(named: "an")?.phone == "0900000001")
        #expect(config.team.person(named: "an")?.verified?.description == "2026-11-01")
        #expect(config.asset(named: "mot-cua")?.level == 2)
        #expect(config.asset(named: "mot-cua")?.holdsPersonalData == true)
        #expect(
            config.integrity.watch == [
                WatchSetting(name: "/etc", path: "/etc", asset: "mot-cua", excludes: []),
                WatchSetting(name: "ho-so", path: "/srv/hoso", asset: nil, excludes: ["*.tmp"]),
            ])
        #expect(config.integrity.rescan == Schedule(.every(seconds: 43200)))
        #expect(
            config.health.checks.map(\.probe) == [
                .tcp(host: "2001:db8::1", port: 443), .http(url: "https://dichvucong.example/x?y=1", status: 200...299),
                .http(url: "http://127.0.0.1:8080", status: 200...399), .systemdUnit("postgresql.service"),
                .diskSpace(path: "/srv", minimumFree: .bytes(5 << 30)), .diskSpace(path: "/", minimumFree: .percent(10)),
            ])
        // An inherited timeout gives way to a shorter interval.
        #expect(config.health.checks.map(\.timeoutSeconds) == [10, 10, 5, 10, 5, 10])
        #expect(config.health.checks.map(\.intervalSeconds) == [30, 30, 5, 30, 30, 30])
        #expect(config.health.checks.map(\.down) == [3, 3, 3, 1, 3, 3])
        #expect(config.health.checks[1].parent == "duong-truyen")
        #expect(config.backup.repository(named: "main")?.password == .credential("repo-main"))
        #expect(config.backup.repository(named: "offsite")?.password == .file("/srv/keys/repo"))
        let job = try #require(config.backup.job(named: "hoso"))
        #expect(job.sources == [FileSource(paths: ["/srv/hoso", "/etc"], excludes: ["*.tmp"])])
        #expect(job.repositories == ["main", "offsite"])
        #expect(job.schedule?.description == "every 6h")
        #expect(job.retention?.weekly == 8)
        #expect(job.objectives == RecoveryObjectives(recoveryPointSeconds: 21600, recoveryTimeSeconds: 1800))
        #expect(config.drill(named: "hoso-hang-quy")?.assertions == [.sqliteIntegrity("srv/hoso/app.db")])
        #expect(
            config.notify.channel(named: "mail")?.transport
                == .sendmail(program: "/usr/bin/msmtp", recipients: ["to@example.vn"], sender: "s@example.vn"))
        #expect(config.notify.routes == [NotifyRoute(minimumSeverity: .high, channels: ["mail", "chat"], repeatSeconds: 14400)])
        #expect(config.control == ControlSettings(readers: "nhom-doc", responders: "sentinel-respond", administrators: "sentinel-admin"))
        #expect(try config.digest == SHA256.hash(Array(exampleConfig.utf8)))
    }

    @Test func `a site alone is enough`() throws {
        let config = try Configuration.parse(Array("site: {name: Phường, code: P1}".utf8), name: "c")
        #expect(config.site.timezone == "Asia/Ho_Chi_Minh")
        #expect(config.integrity.watch.isEmpty && config.health.checks.isEmpty && config.backup.jobs.isEmpty)
        #expect(config.control == .standard)
    }

    @Test func `a file that others may write is refused in system mode only`() throws {
        try withTemporaryDirectory("config") { directory in
            let file = directory / "sentinel.yaml"
            try DurableFiles.create(file, Array("site: {name: P, code: P1}".utf8), mode: 0o664)
            #expect(throws: Never.self) { try Configuration.load(path: file, checkOwner: false) }
            let error = #expect(throws: ConfigError.self) { try Configuration.load(path: file, checkOwner: true) }
            // Run by root the mode is the problem, run by anybody else the owner.
            #expect(error?.problems.map(\.code) == [.unsafeOwner])
            #expect(error?.hint?.en == "chown root:root '\(file)' && chmod 0644 '\(file)'")
        }
    }

    @Test func `a missing file, a directory and a pipe are errors, not waits`() throws {
        try withTemporaryDirectory("config") { directory in
            let missing = #expect(throws: ConfigError.self) { try Configuration.load(path: directory / "no", checkOwner: false) }
            #expect(missing?.message.en == "\(directory)/no: cannot be read: open '\(directory)/no': no such file or directory (ENOENT)")
            let folder = #expect(throws: ConfigError.self) { try Configuration.load(path: directory, checkOwner: false) }
            #expect(folder?.problems.first?.code == .unreadable)
        }
    }

    @Test func `a password comes from the credential first, then from the keys directory`() throws {
        try withTemporaryDirectory("config") { directory in
            try DurableFiles.makeDirectories(directory / "keys")
            try DurableFiles.makeDirectories(directory / "credentials")
            let store = SecretStore(credentials: directory / "credentials", keys: directory / "keys")
            let missing = #expect(throws: SecretError.self) { try store.read(.credential("repo")) }
            #expect(missing?.code == .missing)
            try DurableFiles.create(directory / "keys" / "repo", Array("  from keys \n".utf8), mode: 0o400)
            #expect(try store.read(.credential("repo")) == Array("from keys".utf8))
            try DurableFiles.create(directory / "credentials" / "repo", Array("from systemd".utf8), mode: 0o440)
            #expect(try store.read(.credential("repo")) == Array("from systemd".utf8))
            #expect(try store.read(.file(directory / "keys" / "repo")) == Array("from keys".utf8))
        }
    }

    @Test func `a password that everybody can read, or that is empty, is refused`() throws {
        try withTemporaryDirectory("config") { directory in
            let store = SecretStore(credentials: nil, keys: directory)
            try DurableFiles.create(directory / "open", Array("secret".utf8), mode: 0o444)
            let open = #expect(throws: SecretError.self) { try store.read(.credential("open")) }
            #expect(open?.code == .worldReadable)
            #expect(open?.message.en == "everybody may open the password file '\(directory)/open' (mode 444)")
            #expect(open?.message.vi.contains("secret") == false)
            try DurableFiles.create(directory / "empty", Array(" \n".utf8), mode: 0o400)
            #expect(#expect(throws: SecretError.self) { try store.read(.credential("empty")) }?.code == .empty)
            try DurableFiles.makeDirectories(directory / "folder")
            #expect(#expect(throws: SecretError.self) { try store.read(.credential("folder")) }?.code == .unreadable)
        }
    }
}
