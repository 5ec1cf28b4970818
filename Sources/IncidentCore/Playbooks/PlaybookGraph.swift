internal import Platform

/// The links between the steps of one playbook. Reports what would leave people without a next step.
struct PlaybookGraph {
    private let steps: [PlaybookStepDraft]
    private let start: (id: String, value: DocumentValue)?
    private let firstIndex: [String: Int]

    init(_ steps: [PlaybookStepDraft], start: (id: String, value: DocumentValue)?) {
        self.steps = steps
        self.start = start
        firstIndex = Dictionary(steps.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Duplicate ids, links to nowhere, circles, and steps that no way leads to.
    func check() {
        // No list, or a refused one: that is the problem, not the names in it.
        if steps.isEmpty { return }
        var hasDanglingLink = reportDuplicates()
        for step in steps {
            for link in step.next where firstIndex[link.id] == nil {
                hasDanglingLink = true
                reportMissing(link.id, at: link.value)
            }
        }
        if let start, firstIndex[start.id] == nil {
            hasDanglingLink = true
            reportMissing(start.id, at: start.value)
        }
        let hasCycle = reportCycle()
        // A link to nowhere makes many steps unreachable; one slip shall give one message.
        if !hasDanglingLink, !hasCycle { reportUnreachable() }
    }

    private func reportDuplicates() -> Bool {
        var found = false
        for (index, step) in steps.enumerated() {
            guard let first = firstIndex[step.id], first != index else { continue }
            found = true
            let line = steps[first].value.position.line
            step.value.report(
                .duplicate,
                Phrase(vi: "mã bước '\(step.id)' đã dùng ở dòng \(line)", en: "the step id '\(step.id)' is taken in line \(line)"))
        }
        return found
    }

    private func reportMissing(_ id: String, at value: DocumentValue) {
        value.report(
            .unknownName, Phrase(vi: "không có bước '\(id)'", en: "there is no step '\(id)'"),
            hint: Suggestion.hint(for: id, among: firstIndex.keys))
    }

    private enum Mark { case open, done }

    /// Depth first; at most ``PlaybookLimits/steps`` deep. Reports the first circle only.
    private func reportCycle() -> Bool {
        var marks = [Mark?](repeating: nil, count: steps.count)
        func visit(_ index: Int) -> Bool {
            marks[index] = .open
            for link in steps[index].next {
                guard let target = firstIndex[link.id] else { continue }
                if marks[target] == .open {
                    link.value.report(
                        .cycle,
                        Phrase(
                            vi: "bước '\(link.id)' dẫn trở lại chính nó", en: "step '\(link.id)' leads back to itself"),
                        hint: Phrase(
                            vi: "kịch bản chỉ đi tới; việc phải làm lại thì ghi trong phần hướng dẫn của bước",
                            en: "a playbook only goes forward; write into the instructions what must be repeated"))
                    return true
                }
                if marks[target] == nil, visit(target) { return true }
            }
            marks[index] = .done
            return false
        }
        return steps.indices.contains { marks[$0] == nil && visit($0) }
    }

    private func reportUnreachable() {
        guard let start, let first = firstIndex[start.id] else { return }
        var reached: Set<Int> = [first]
        var waiting = [first]
        while let index = waiting.popLast() {
            for link in steps[index].next {
                if let target = firstIndex[link.id], reached.insert(target).inserted { waiting.append(target) }
            }
        }
        for (index, step) in steps.enumerated() where !reached.contains(index) {
            step.value.report(
                .unreachable,
                Phrase(vi: "không có đường nào dẫn tới bước '\(step.id)'", en: "no way leads to step '\(step.id)'"),
                hint: Phrase(vi: "nêu tên bước này trong 'next' của một bước khác", en: "name it in the 'next' of another step"))
        }
    }
}
