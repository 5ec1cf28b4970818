import Platform
import TestSupport
import Testing

@testable import IncidentCore

/// A file of the repository that this test was compiled from.
func repositoryFile(_ path: String) throws -> [UInt8] {
    // …/Tests/IncidentCoreTests/ShippedFilesTests.swift
    let root = FilePath(#filePath).parent.parent.parent
    return try DurableFiles.read(FilePath(bytes: root.bytes + Array("/\(path)".utf8)), limit: 1 << 20)
}

@Suite struct ShippedFilesTests {
    @Test func `the shipped config is valid`() throws {
        let config = try Configuration.parse(repositoryFile("packaging/sentinel.yaml"), name: "sentinel.yaml")
        #expect(config.integrity.watch.map(\.path) == ["/etc", "/usr/local"])
        #expect(config.control == .standard)
    }

    @Test func `every example in the shipped config is valid, and together they use every key`() throws {
        let text = String(decoding: try repositoryFile("packaging/sentinel.yaml"), as: UTF8.self)
        let full = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("#: ") ? line.dropFirst(3) : line
        }.joined(separator: "\n")
        let config = try Configuration.parse(Array(full.utf8), name: "sentinel.yaml")
        #expect(config.team.roles.count == TeamRole.allCases.count)
        #expect(config.assets.count == 1 && config.integrity.watch.count == 3 && config.health.checks.count == 6)
        #expect(config.backup.repositories.count == 4 && config.backup.jobs.count == 1 && config.drills.count == 1)
        #expect(config.notify.channels.count == 2 && config.notify.routes.count == 2)
        let keys = [
            "uid", "verified", "phone", "owner", "operator", "level", "police", "personalData", "exclude", "rescan", "interval", "timeout", "down", "up",
            "http", "tcp", "systemd", "disk", "free", "parent", "status", "credential", "file", "sources", "files", "schedule", "keep", "last", "hourly",
            "daily", "weekly", "monthly", "yearly", "within", "countIncomplete", "path", "rest", "rclone", "auth", "ca", "appendOnly", "freeSpaceFloor",
            "prune",
            "rpo", "rto", "sqlite-integrity", "sendmail", "sendmailPath", "from", "webhook", "severity", "repeat",
            "readers", "responders", "administrators",
        ]
        for key in keys { #expect(full.contains("\(key):"), "\(key)") }
    }

    @Test(arguments: [
        ("ransomware", "ma-doc-tong-tien", 14), ("unauthorised-change", "thay-doi-trai-phep", 13), ("service-outage", "gian-doan-dich-vu", 12),
    ])
    func `a shipped playbook is valid and complete`(file: String, id: String, count: Int) throws {
        let playbook = try Playbook.parse(repositoryFile("Playbooks/\(file).yaml"), name: "\(file).yaml")
        #expect(playbook.id == id)
        #expect(playbook.steps.count == count)
        #expect(playbook.offlineNote != nil)
        #expect(playbook.legalNote.vi.contains("331/2026/NĐ-CP") && playbook.legalNote.vi.contains("72 giờ"))
        // Every phase has its step, and the phases of the file never go back.
        #expect(Set(playbook.steps.map(\.phase)) == Set(PlaybookPhase.allCases))
        let order = playbook.steps.map { PlaybookPhase.allCases.firstIndex(of: $0.phase) ?? -1 }
        #expect(order == order.sorted())
        for step in playbook.steps {
            #expect(step.evidence != nil, "\(step.id)")
            #expect(step.instructions.vi != step.instructions.en)
        }
        // Clocks of the law: first notice within 24 hours, report within 72.
        #expect(playbook.steps.contains { $0.deadlineSeconds == 72 * 3600 })
        #expect(playbook.steps.contains { $0.role == .head && ($0.deadlineSeconds ?? .max) <= 24 * 3600 })
        // Every way ends in the review.
        #expect(playbook.steps.filter { $0.next.isEmpty }.map(\.phase) == [.review])
    }

    @Test func `the shipped playbooks answer every kind of finding, each kind once`() throws {
        let root = FilePath(#filePath).parent.parent.parent
        let library = try PlaybookLibrary.load(directories: [root / "Playbooks"])
        let triggers = library.playbooks.flatMap(\.triggers)
        #expect(triggers.sorted() == Playbook.knownTriggers.sorted())
    }

    @Test func `shipped playbooks hold no telephone number and no address`() throws {
        for file in ["ransomware", "unauthorised-change", "service-outage"] {
            let text = String(decoding: try repositoryFile("Playbooks/\(file).yaml"), as: UTF8.self)
            #expect(!text.contains("@"))
            var digits = 0
            for character in text {
                digits = character.isASCII && character.isNumber ? digits + 1 : 0
                #expect(digits < 8)
            }
        }
    }

    @Test func `the example of the format's description is valid`() throws {
        let text = String(decoding: try repositoryFile("docs/playbook-format.md"), as: UTF8.self)
        let example = try #require(text.split(separator: "```yaml\n").last?.split(separator: "```").first)
        #expect(try Playbook.parse(Array(example.utf8), name: "example").id == "mat-dien")
    }

    @Test func `the format's description names every trigger, phase and role`() throws {
        let text = String(decoding: try repositoryFile("docs/playbook-format.md"), as: UTF8.self)
        for word in Playbook.knownTriggers + PlaybookPhase.allCases.map(\.rawValue) + TeamRole.allCases.map(\.rawValue) {
            #expect(text.contains("`\(word)`"), "\(word)")
        }
    }
}
