import Platform
import Testing

@testable import IncidentCore

private func problems(_ text: String, _ language: Language = .en) -> String {
    do throws(PlaybookError) {
        _ = try Playbook.parse(Array(text.utf8), name: "p.yaml")
        return "(valid)"
    } catch {
        return error.problems.rendered(language)
    }
}

/// Twelve lines without steps.
private let head = """
    id: thu
    version: 1
    title: {vi: Thử, en: Test}
    description: {vi: Mô tả, en: Description}
    triggers: [manual]
    severity: low
    owner: truong-nhom
    legal: {vi: Không, en: None}
    start: a
    steps:

    """

private func step(_ id: String, _ next: String) -> String {
    "  - {id: \(id), phase: xac-minh, title: {vi: T, en: T}, instructions: {vi: I, en: I}, role: ky-thuat, mandatory: true, next: \(next)}\n"
}

@Suite struct PlaybookErrorTests {
    @Test func `a small playbook is read`() throws {
        let text = head + step("a", "[b, c]") + step("b", "[c]") + step("c", "end")
        let playbook = try Playbook.parse(Array(text.utf8), name: "p.yaml")
        #expect(playbook.id == "thu" && playbook.version == 1 && playbook.versionText == "1")
        #expect(playbook.steps.map(\.id) == ["a", "b", "c"])
        #expect(playbook.firstSteps.map(\.id) == ["a"])
        #expect(playbook.step("a")?.next == ["b", "c"])
        #expect(playbook.step("c")?.next == [])
        #expect(playbook.step("a")?.deadlineSeconds == nil)
        #expect(playbook.source == Array(text.utf8))
        #expect(try playbook.digest == SHA256.hash(Array(text.utf8)))
    }

    @Test(arguments: [
        (head + step("a", "[b]"), "p.yaml:11: steps[0].next[0]: there is no step 'b'"),
        (
            head + step("kiem-tra", "end"),
            "p.yaml:9: start: there is no step 'a'"
        ),
        (
            head + step("a", "[b]") + step("b", "[c]") + step("c", "[a]"),
            "p.yaml:13: steps[2].next[0]: step 'a' leads back to itself\n  hint: a playbook only goes forward; write into the instructions what must be repeated"
        ),
        (
            head + step("a", "[a]"),
            "p.yaml:11: steps[0].next[0]: step 'a' leads back to itself\n  hint: a playbook only goes forward; write into the instructions what must be repeated"
        ),
        (
            head + step("a", "end") + step("b", "[c]") + step("c", "end"),
            """
            p.yaml:12: steps[1]: no way leads to step 'b'
              hint: name it in the 'next' of another step
            p.yaml:13: steps[2]: no way leads to step 'c'
              hint: name it in the 'next' of another step
            """
        ),
        (head + step("a", "[b]") + step("b", "end") + step("a", "end"), "p.yaml:13: steps[2]: the step id 'a' is taken in line 11"),
        (head + step("a", "[b, b]") + step("b", "end"), "p.yaml:11: steps[0].next[1]: step 'b' is given twice"),
        (
            head + step("a", "[end]"),
            "p.yaml:11: steps[0].next[0]: 'end' cannot stand in a list\n  hint: add a closing step and name that"
        ),
        (
            head + step("a", "b") + step("b", "end"),
            """
            p.yaml:11: steps[0].next: expected 'end' or a list of step ids, found 'b'
              hint: write it in brackets: next: [step-id]
            p.yaml:12: steps[1]: no way leads to step 'b'
              hint: name it in the 'next' of another step
            """
        ),
        (head + step("a", "[]"), "p.yaml:11: steps[0].next: the list is empty\n  hint: add an item, or remove the key"),
        (
            head
                + "  - {id: a, phase: khoanh-vùng, title: {vi: T}, instructions: I, role: kithuat, mandatory: có, deadline: 1s, evidence: {vi: E, en: ''}, nxt: end}",
            """
            p.yaml:11: steps[0].phase: 'khoanh-vùng' is not a valid value
              hint: did you mean 'khoanh-vung'?
            p.yaml:11: in steps[0].title: key 'en' is missing
            p.yaml:11: steps[0].instructions: expected the keys vi and en, found 'I'
            p.yaml:11: steps[0].role: 'kithuat' is not a valid value
              hint: did you mean 'ky-thuat'?
            p.yaml:11: steps[0].mandatory: expected true or false, found 'có'
            p.yaml:11: steps[0].deadline: '1s' must lie between 1m and 366d
            p.yaml:11: steps[0].evidence.en: the text is empty
            p.yaml:11: in steps[0]: key 'next' is missing
            p.yaml:11: unknown key 'nxt' (in steps[0])
              hint: did you mean 'next'?
            """
        ),
        (
            "id: Thử\nversion: 0\ntitle: {vi: A, en: B, fr: C}\ntriggers: [file.changd, nothing]\nseverity: bad\nowner: x\nstart: a\nsteps: []",
            """
            p.yaml:1: id: 'Thử' is no valid id
              hint: use lower-case letters, digits and -
            p.yaml:1: at the top level: key 'description' is missing
            p.yaml:1: at the top level: key 'legal' is missing
            p.yaml:2: version: expected a whole number from 1 to 1000000, found '0'
            p.yaml:3: unknown key 'fr' (in title)
              hint: known keys: en, vi
            p.yaml:4: triggers[0]: there is no finding of kind 'file.changd'
              hint: did you mean 'file.changed'?
            p.yaml:4: triggers[1]: there is no finding of kind 'nothing'
              hint: one of: file.changed, file.mass-change, file.decoy-touched, watch.blind, baseline.tampered, ledger.tampered, service.down, disk.low, backup.failed, backup.incomplete, backup.overdue, drill.failed, manual
            p.yaml:5: severity: 'bad' is not a valid value
              hint: one of: low, medium, high, critical
            p.yaml:6: owner: 'x' is not a valid value
              hint: one of: truong-nhom, ky-thuat, thu-ky, lanh-dao, van-hanh, bao-ve-du-lieu
            p.yaml:8: steps: the list is empty
              hint: add an item, or remove the key
            """
        ),
        ("- a", "p.yaml:1: a playbook must be a mapping of keys"),
        ("id: &x a", "p.yaml:1: anchor '&x' is not supported\n  hint: write the value out; a text that starts with '*' or '&' must be quoted"),
    ])
    func `every problem is named with its line`(text: String, expected: String) {
        #expect(problems(text) == expected)
    }

    @Test func `sizes are limited`() {
        let many = head + (0..<65).map { step("s\($0)", $0 == 64 ? "end" : "[s\($0 + 1)]") }.joined()
        #expect(problems(many) == "p.yaml:10: steps: 65 items, the limit is 64")
        let long = head.replacing("Thử,", with: String(repeating: "ă", count: 121) + ",") + step("a", "end")
        #expect(problems(long) == "p.yaml:3: title.vi: 121 characters long, the limit is 120")
        #expect(problems(head + step("a", "end") + "#" + String(repeating: "x", count: 256 << 10)).hasPrefix("p.yaml:1: the file has "))
        #expect(problems(head.replacing("Không", with: "\"a\\e[2J\"") + step("a", "end")) == "p.yaml:8: legal.vi: holds control characters")
    }

    @Test func `a chain of choices is checked in time that grows with its size`() {
        // 2^32 ways lead through this graph.
        var text = head.replacing("start: a", with: "start: s0")
        for index in 0..<32 {
            let next = index == 31 ? "end" : "[s\(index + 1), t\(index + 1)]"
            text += step("s\(index)", next) + (index == 0 ? "" : step("t\(index)", next))
        }
        #expect(problems(text) == "(valid)")
    }
}
