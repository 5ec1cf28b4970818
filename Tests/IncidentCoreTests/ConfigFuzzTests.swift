import Platform
import TestSupport
import Testing

@testable import IncidentCore

@Suite struct ConfigFuzzTests {
    /// What every error must have, whatever the input was.
    private func check(_ problems: [DocumentProblem], _ bytes: [UInt8]) {
        #expect(!problems.isEmpty && problems.count <= DocumentProblems.maximumCount + 1)
        for problem in problems {
            #expect(!problem.problem.vi.isEmpty && !problem.problem.en.isEmpty)
            // Nothing of the input reaches a terminal as a control character.
            let text = problem.message.vi + problem.message.en + (problem.hint.map { $0.vi + $0.en } ?? "")
            #expect(!text.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) })
        }
    }

    @Test func `no text makes the config reader crash`() throws {
        let corpus = try [Array(exampleConfig.utf8), repositoryFile("packaging/sentinel.yaml")]
        try fuzz("config", corpus: corpus, iterations: 1500) { bytes in
            do throws(ConfigError) {
                _ = try Configuration.parse(bytes, name: "f")
            } catch {
                check(error.problems, bytes)
            }
        }
    }

    @Test func `no text makes the playbook reader crash, and what it reads can be walked to an end`() throws {
        let corpus = try ["ransomware", "unauthorised-change", "service-outage"].map { try repositoryFile("Playbooks/\($0).yaml") }
        try fuzz("playbook", corpus: corpus, iterations: 500) { bytes in
            let playbook: Playbook
            do throws(PlaybookError) {
                playbook = try Playbook.parse(bytes, name: "f")
            } catch {
                check(error.problems, bytes)
                return
            }
            var step = playbook.step(playbook.start)
            var count = 0
            while let current = step, !current.next.isEmpty, count <= playbook.steps.count {
                count += 1
                step = playbook.step(current.next[0])
            }
            #expect(step?.next.isEmpty == true)
        }
    }
}
