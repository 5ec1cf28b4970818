import Platform
import Testing

@testable import IncidentCore

/// All problems of a config as a person sees them.
private func problems(_ text: String, _ language: Language = .en) -> String {
    do throws(ConfigError) {
        _ = try Configuration.parse(Array(text.utf8), name: "sentinel.yaml")
        return "(valid)"
    } catch {
        return error.problems.rendered(language)
    }
}

private let site = "site: {name: Phường, code: P1}\n"

@Suite struct ConfigErrorTests {
    @Test(arguments: [
        // Structure
        ("", "sentinel.yaml:1: the file is empty"),
        ("[site]", "sentinel.yaml:1: a config file must be a mapping of keys"),
        ("team: {people: {a: {name: A}}}", "sentinel.yaml:1: at the top level: key 'site' is missing"),
        (site + "sites: {}", "sentinel.yaml:2: unknown key 'sites' (at the top level)\n  hint: did you mean 'site'?"),
        (
            site + "banana: 1",
            "sentinel.yaml:2: unknown key 'banana' (at the top level)\n  hint: known keys: assets, backup, control, drills, health, integrity, notify, site, team"
        ),
        (
            site + "health:\nbackup: {jobs: {}}",
            "sentinel.yaml:2: health: has no value\n  hint: give it a value or remove the key; check the indentation below it\nsentinel.yaml:3: backup.jobs: the mapping is empty\n  hint: add an entry, or remove the key"
        ),
        (site + "health: [a]", "sentinel.yaml:2: health: expected a mapping, found a list"),
        // Site
        (
            "site: {name: '', code: dk1, language: fr, timezone: Asia/Hanoi}",
            """
            sentinel.yaml:1: site.name: the text is empty
            sentinel.yaml:1: site.code: 'dk1' is no valid code
              hint: use 2 to 12 capital letters and digits, such as DK01
            sentinel.yaml:1: site.language: 'fr' is not a valid value
              hint: one of: vi, en
            sentinel.yaml:1: site.timezone: this system knows no time zone 'Asia/Hanoi'
              hint: for example Asia/Ho_Chi_Minh; see 'timedatectl list-timezones' (package tzdata)
            """
        ),
        (
            "site: {name: P, code: P1, timezone: ../../../etc/passwd}",
            "sentinel.yaml:1: site.timezone: this system knows no time zone '../../../etc/passwd'\n  hint: for example Asia/Ho_Chi_Minh; see 'timedatectl list-timezones' (package tzdata)"
        ),
        ("site: {name: \"P\\e[31m\", code: P1}", "sentinel.yaml:1: site.name: holds control characters"),
        // Team
        (
            site + "team:\n  people: {an: {name: A}}\n  roles:\n    truong-nhom: [ann]\n    ky-thuat: []\n    kythuat: [an]",
            """
            sentinel.yaml:5: team.roles.truong-nhom[0]: there is no person named 'ann'
              hint: did you mean 'an'?
            sentinel.yaml:6: team.roles.ky-thuat: the list is empty
              hint: add an item, or remove the key
            sentinel.yaml:7: unknown key 'kythuat' (in team.roles)
              hint: did you mean 'ky-thuat'?
            """
        ),
        (
            site
                + "team:\n  people:\n    a: {name: A, uid: 0}\n    b: {name: B, uid: 7}\n    c: {name: C, uid: 7, phone: gọi, verified: 2026-02-30}\n    'd e': {name: D}",
            """
            sentinel.yaml:4: team.people.a.uid: root (uid 0) is not a person
              hint: give the uid of the person's own account (see 'id -u')
            sentinel.yaml:6: team.people.c.phone: 'gọi' is no telephone number
              hint: use digits, spaces and + - . ( ) only
            sentinel.yaml:6: team.people.c.verified: '2026-02-30' is no valid date
              hint: write year-month-day: 2026-11-01
            sentinel.yaml:6: team.people.c: uid 7 already belongs to 'b'
              hint: each person needs an account of their own
            sentinel.yaml:7: team.people: 'd e' is no valid name
              hint: use letters, digits and - _ . only; at most 64, the first a letter or digit
            """
        ),
        (
            site + "team: {people: {a: {name: A}}, roles: {thu-ky: [a, a]}}",
            "sentinel.yaml:2: team.roles.thu-ky[1]: 'a' is given twice"
        ),
        // Assets
        (
            site + "assets:\n  a: {name: A, level: 6, police: yes, personal_data: true}",
            """
            sentinel.yaml:3: assets.a.level: expected a whole number from 1 to 5, found '6'
            sentinel.yaml:3: assets.a.police: expected true or false, found 'yes'
            sentinel.yaml:3: unknown key 'personal_data' (in assets.a)
              hint: did you mean 'personalData'?
            """
        ),
        // Integrity
        (
            site
                + "integrity:\n  watch:\n    - {path: etc}\n    - {path: /srv/../etc}\n    - {path: /var, asset: x}\n    - {path: /var/log}\n    - {path: /var/}\n    - {path: /home, decoys: 8}\n  rescan: 24h",
            """
            sentinel.yaml:4: integrity.watch[0].path: 'etc' is not an absolute path
              hint: write a path that starts with '/' and has no '..'
            sentinel.yaml:5: integrity.watch[1].path: '/srv/../etc' is not an absolute path
              hint: write a path that starts with '/' and has no '..'
            sentinel.yaml:6: integrity.watch[2].asset: there is no asset named 'x'
              hint: declare it in assets
            sentinel.yaml:7: integrity.watch[3]: '/var/log' overlaps '/var' of line 6
              hint: keep the outer directory
            sentinel.yaml:8: integrity.watch[4]: '/var' is already watched in line 6
            sentinel.yaml:8: integrity.watch[4]: '/var' overlaps '/var/log' of line 7
              hint: keep the outer directory
            sentinel.yaml:9: key 'decoys' is not available in this version (in integrity.watch[5])
              hint: remove the key or comment it out
            sentinel.yaml:10: integrity.rescan: '24h' is no schedule
              hint: for example: every 6h, daily 02:00, weekly mon 02:00, monthly 1 02:00, monthly last, quarterly, half-yearly, yearly
            """
        ),
        (
            site + "integrity: {watch: [{path: /a, name: x}, {path: /b, name: x}, /c]}",
            """
            sentinel.yaml:2: integrity.watch[2]: expected a mapping, found '/c'
            sentinel.yaml:2: integrity.watch[1]: the name 'x' is taken in line 2
            """
        ),
        // Health
        (
            site
                + "health:\n  defaults: {intervall: 30s, timeout: 10}\n  checks:\n    web: {http: {url: ftp://x, status: 2x}}\n    two: {tcp: \"a:1\", systemd: x}\n    none: {interval: 1m}",
            """
            sentinel.yaml:3: health.defaults.timeout: '10' is no duration
              hint: write a number with its unit s, m, h, d or w, such as 30s, 10m, 6h, 1h30m
            sentinel.yaml:3: unknown key 'intervall' (in health.defaults)
              hint: did you mean 'interval'?
            sentinel.yaml:5: health.checks.web.http.url: 'ftp://x' is no web address
              hint: start with https:// or http://, without spaces
            sentinel.yaml:5: health.checks.web.http.status: '2x' is no HTTP status
              hint: write 200, 2xx or 200-399
            sentinel.yaml:6: health.checks.two: exactly one of http, tcp, systemd, disk is needed
            sentinel.yaml:7: health.checks.none: exactly one of http, tcp, systemd, disk is needed
            """
        ),
        (
            site
                + "health:\n  checks:\n    a: {tcp: \"x:1\", parent: b}\n    b: {tcp: \"x:1\", parent: a}\n    c: {tcp: \"x:1\", parent: a}\n    d: {tcp: \"x:1\", parent: e}",
            """
            sentinel.yaml:4: health.checks.a: the check is its own ancestor (through 'parent')
              hint: remove one 'parent' of the circle
            sentinel.yaml:5: health.checks.b: the check is its own ancestor (through 'parent')
              hint: remove one 'parent' of the circle
            sentinel.yaml:7: health.checks.d.parent: there is no health check named 'e'
              hint: declare it in health.checks
            """
        ),
        (
            site
                + "health:\n  checks:\n    a: {tcp: host, interval: 5s, timeout: 6s}\n    b: {disk: {path: /, free: 10}, down: 0}\n    c: {plugin: [/x], parent: c}\n    d: {http: \"https://u:p@h/\"}\n    e: {systemd: 'a b'}",
            """
            sentinel.yaml:4: health.checks.a.timeout: the timeout of 6s is longer than the interval of 5s
            sentinel.yaml:4: health.checks.a.tcp: 'host' is not host:port
              hint: for example 192.0.2.10:5432 or [2001:db8::1]:5432
            sentinel.yaml:5: health.checks.b.down: expected a whole number from 1 to 100, found '0'
            sentinel.yaml:5: health.checks.b.disk.free: '10' is neither a size nor a percentage
              hint: write 1% to 99%, or write a number with its unit KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024)
            sentinel.yaml:6: key 'plugin' is not available in this version (in health.checks.c)
              hint: remove the key or comment it out
            sentinel.yaml:7: health.checks.d.http: the address holds a user name or a password
              hint: remove the part before the @
            sentinel.yaml:8: health.checks.e.systemd: 'a b' is no name of a systemd unit
              hint: for example postgresql.service; see 'systemctl list-units'
            """
        ),
        // Backup
        (
            site
                + "backup:\n  repositories:\n    main: {path: /b, password: geheim}\n    two: {path: /b/x, password: {credential: c}}\n    three: {rest: \"https://x\", path: /t, password: {}}\n  jobs:\n    j:\n      sources: [{files: [/], exclude: [\"*.tmp\"]}, {sqlite: x.db}, {files: []}]\n      to: [mian]\n      keep: {daily: 0, weakly: 1}\n      objectives: {rpo: 6, rto: 11y}",
            """
            sentinel.yaml:4: backup.repositories.main.password: the password must not stand in the config
              hint: {credential: NAME} | {file: /path}
            sentinel.yaml:6: backup.repositories.three.password: exactly one of credential, file is needed
            sentinel.yaml:6: backup.repositories.three: exactly one of path, rest, rclone is needed
            sentinel.yaml:8: backup.jobs.j: the source '/' holds repository 'two' ('/b/x')
              hint: add exclude: ["/b/x"]
            sentinel.yaml:9: backup.jobs.j.sources[1].sqlite: 'x.db' is not an absolute path
              hint: write a path that starts with '/' and has no '..'
            sentinel.yaml:9: backup.jobs.j.sources[2].files: the list is empty
              hint: add an item, or remove the key
            sentinel.yaml:10: backup.jobs.j.to[0]: there is no repository named 'mian'
              hint: did you mean 'main'?
            sentinel.yaml:11: backup.jobs.j.keep.daily: expected a whole number from 1 to 100000, found '0'
            sentinel.yaml:11: unknown key 'weakly' (in backup.jobs.j.keep)
              hint: did you mean 'weekly'?
            sentinel.yaml:12: backup.jobs.j.objectives.rpo: '6' is no duration
              hint: write a number with its unit s, m, h, d or w, such as 30s, 10m, 6h, 1h30m
            sentinel.yaml:12: backup.jobs.j.objectives.rto: '11y' is no duration
              hint: write a number with its unit s, m, h, d or w, such as 30s, 10m, 6h, 1h30m
            """
        ),
        (
            site
                + "backup:\n  repositories:\n    a: {path: /b, password: {credential: c, file: /f}}\n    b: {path: /b, password: {credential: c}}\n    c: {path: /b/, password: {credential: c}}\n  jobs: {j: {to: [b]}}",
            """
            sentinel.yaml:4: backup.repositories.a.password: exactly one of credential, file is needed
            sentinel.yaml:6: backup.repositories.c: the path '/b' is that of repository 'b', or one lies in the other
            sentinel.yaml:7: in backup.jobs.j: key 'sources' is missing
            """
        ),
        // Drills
        (
            site + "drills:\n  d: {job: hoso, schedule: monthly 32, assert: [{sqlite-integrity: /app.db}, {sqlite-integrity: a/../b}, {comand: x}]}",
            """
            sentinel.yaml:3: drills.d.schedule: 'monthly 32' is no schedule
              hint: for example: every 6h, daily 02:00, weekly mon 02:00, monthly 1 02:00, monthly last, quarterly, half-yearly, yearly
            sentinel.yaml:3: drills.d.assert[0].sqlite-integrity: '/app.db' must be a relative path
              hint: write it relative to the restored directory, without a leading '/' and without '..'
            sentinel.yaml:3: drills.d.assert[1].sqlite-integrity: 'a/../b' must be a relative path
              hint: write it relative to the restored directory, without a leading '/' and without '..'
            sentinel.yaml:3: in drills.d.assert[2]: key 'sqlite-integrity' is missing
            sentinel.yaml:3: unknown key 'comand' (in drills.d.assert[2])
              hint: known keys: sqlite-integrity
            sentinel.yaml:3: drills.d.job: there is no backup job named 'hoso'
              hint: declare it in backup.jobs
            """
        ),
        // Notify
        (
            site
                + "notify:\n  channels:\n    m: {sendmail: [a, \"-oQ@x\", \"a@b\\nBcc: c@d\"], sendmailPath: sendmail}\n    b: {sendmail: [a@b], webhook: \"https://x\"}\n    n: {}\n    w: {webhook: \"https://:99999/\"}\n  routes:\n    - {severity: hihg, to: [mm], repeat: 1s}\n    - {to: []}",
            """
            sentinel.yaml:4: notify.channels.m.sendmail[0]: 'a' is no mail address
            sentinel.yaml:4: notify.channels.m.sendmail[1]: '-oQ@x' is no mail address
            sentinel.yaml:4: notify.channels.m.sendmail[2]: 'a@b\\nBcc: c@d' is no mail address
            sentinel.yaml:4: notify.channels.m.sendmailPath: 'sendmail' is not an absolute path
              hint: write a path that starts with '/' and has no '..'
            sentinel.yaml:5: notify.channels.b: only one of sendmail, webhook may be given
              hint: make two channels of it
            sentinel.yaml:6: notify.channels.n: one of sendmail, webhook is needed
            sentinel.yaml:7: notify.channels.w.webhook: the port in 'https://:99999/' is not valid
            sentinel.yaml:9: notify.routes[0].severity: 'hihg' is not a valid value
              hint: did you mean 'high'?
            sentinel.yaml:9: notify.routes[0].repeat: '1s' must lie between 1m and 3650d
            sentinel.yaml:9: notify.routes[0].to[0]: there is no notification channel named 'mm'
              hint: declare it in notify.channels
            sentinel.yaml:10: in notify.routes[1]: key 'severity' is missing
            sentinel.yaml:10: notify.routes[1].to: the list is empty
              hint: add an item, or remove the key
            """
        ),
        // Control
        (
            site + "control: {readers: Nhóm Đọc, reader: x}",
            """
            sentinel.yaml:2: control.readers: 'Nhóm Đọc' is no name of a group
              hint: use lower-case letters, digits, - and _
            sentinel.yaml:2: unknown key 'reader' (in control)
              hint: did you mean 'readers'?
            """
        ),
    ])
    func `every problem is named with its line and a way out`(text: String, expected: String) {
        #expect(problems(text) == expected)
    }

    @Test func `the same problems are told in Vietnamese`() {
        #expect(
            problems(site + "health:\n  checks:\n    web: {htpp: \"https://x\", interval: 5 phút, parent: duong}", .vi) == """
                sentinel.yaml:4: health.checks.web.interval: '5 phút' không phải khoảng thời gian
                  gợi ý: ghi số kèm đơn vị s, m, h, d hoặc w, ví dụ 30s, 10m, 6h, 1h30m
                sentinel.yaml:4: khóa lạ 'htpp' (trong health.checks.web)
                  gợi ý: có phải ý bạn là 'http'?
                sentinel.yaml:4: health.checks.web: cần đúng một trong các khóa http, tcp, systemd, disk
                sentinel.yaml:4: health.checks.web.parent: không có phép kiểm tra nào tên 'duong'
                  gợi ý: khai báo trong mục health.checks
                """)
    }

    @Test func `a repository inside a source is fine when it is excluded`() {
        let text = site + "backup: {repositories: {r: {path: /b/r, password: {credential: c}}}, jobs: {j: {to: [r], sources: [{files: [/], exclude: [/b]}]}}}"
        #expect(problems(text) == "(valid)")
    }

    @Test func `one problem is its own message and hint`() {
        let error = #expect(throws: ConfigError.self) { try Configuration.parse(Array((site + "helth: {}").utf8), name: "c.yaml") }
        #expect(error?.message.en == "c.yaml:2: unknown key 'helth' (at the top level)")
        #expect(error?.hint?.en == "did you mean 'health'?")
    }

    @Test func `thousands of problems are counted, not listed`() throws {
        let text = site + "assets:\n" + (0..<5000).map { "  a\($0): {nam: x}\n" }.joined()
        let error = try #require(#expect(throws: ConfigError.self) { try Configuration.parse(Array(text.utf8), name: "c") })
        #expect(error.problems.count == DocumentProblems.maximumCount + 1)
        #expect(error.problems.last?.message.en == "c: and 9900 more problems")
    }

    @Test func `a password in the wrong place is never repeated`() {
        #expect(!problems(site + "backup: {repositories: {r: {path: /b, password: geheim}}}").contains("geheim"))
    }
}
