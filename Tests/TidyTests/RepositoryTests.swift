import ControlAPI
import Platform
import TestSupport
import Testing

@Suite struct RepositoryTests {
    @Test func `no file names a directory of the machine it was written on`() throws {
        // Written in halves, so that this file is no finding.
        let places = ["/wo" + "rk/", "/fa" + "rm/", "/ro" + "ot/", ".lib" + "rary"]
        var wrong: [String] = []
        for path in try Repository.files() {
            let text = try Repository.text(path)
            for place in places where text.contains(place) { wrong.append("\(path): \(place)") }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `git ignores what builds and demos make`() throws {
        let ignored = Set(try Repository.text(".gitignore").split(separator: "\n"))
        #expect(ignored.isSuperset(of: [".build", "Package.resolved", "/var/", "__pycache__/"]))
    }

    @Test func `every relative link in a document leads to a file`() throws {
        var dangling: [String] = []
        for path in try Repository.files(endingIn: ".md") {
            let folder = FilePath(path).parent
            for part in try Repository.text(path).split(separator: "](", omittingEmptySubsequences: false).dropFirst() {
                let target = String(part.prefix { $0 != ")" && $0 != "#" && $0 != " " })
                if target.isEmpty || target.contains("://") || target.hasPrefix("mailto:") { continue }
                if try !FileStatus.exists(Repository.root.appending(folder.bytes) / target) { dangling.append("\(path): \(target)") }
            }
        }
        #expect(dangling.isEmpty)
    }

    @Test func `decision records are numbered without a gap`() throws {
        let names = try Repository.files(in: "docs/decisions", endingIn: ".md").compactMap { $0.split(separator: "/").last }
        let numbers = names.compactMap { Int($0.prefix(4)) }
        #expect(numbers == Array(1...max(1, names.count)))
    }

    @Test func `every script can be executed and stops at the first error`() throws {
        var wrong: [String] = []
        for path in try Repository.files(in: "scripts") + [".ci/run"] where !path.hasSuffix(".sh") {
            let text = try Repository.text(path)
            if try FileStatus.of(Repository.root / path).permissions & 0o111 == 0 { wrong.append("\(path): not executable") }
            if !text.contains("common.sh") && !text.contains("set -euo pipefail") && text.hasPrefix("#!/usr/bin/env bash") {
                wrong.append("\(path): goes on after an error")
            }
        }
        #expect(wrong.isEmpty)
    }
}

@Suite struct ExitCodeTests {
    @Test func `exit codes are unique and explained in both languages`() {
        let codes = ExitCode.allCases
        #expect(Set(codes.map(\.rawValue)).count == codes.count)
        #expect(Set(codes.map(\.meaning.vi)).count == codes.count)
        #expect(Set(codes.map(\.meaning.en)).count == codes.count)
    }

    @Test func `exit codes have restic's meaning where restic has one`() {
        #expect(ExitCode.success.rawValue == 0)
        #expect(ExitCode.failure.rawValue == 1)
        #expect(ExitCode.incomplete.rawValue == 3)
        #expect(ExitCode.noRepository.rawValue == 10)
        #expect(ExitCode.locked.rawValue == 11)
        #expect(ExitCode.wrongPassword.rawValue == 12)
        #expect(ExitCode.interrupted.rawValue == 130)
    }

    @Test func `the integrity check has AIDE's bits, and errors that no sum of bits can be`() {
        #expect([IntegrityExit.added, IntegrityExit.removed, IntegrityExit.changed] == [1, 2, 4])
        let errors = [IntegrityExit.failure, IntegrityExit.noBaseline, IntegrityExit.tampered, IntegrityExit.unreadable]
        #expect(Set(errors).count == errors.count)
        #expect(errors.allSatisfy { $0 >= 14 })
        #expect(IntegrityExit.status(added: 2, removed: 1, changed: 9) == 7)
    }

    @Test func `the manual lists every exit code with its meaning`() throws {
        let manual = try Repository.text("docs/exit-codes.md")
        for code in ExitCode.allCases {
            #expect(manual.contains("| \(code.rawValue) | \(code.meaning.vi) | \(code.meaning.en) |"))
        }
    }
}
