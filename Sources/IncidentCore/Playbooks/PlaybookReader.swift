internal import Platform

/// Bounds of one playbook: what fits on paper and in a terminal.
package enum PlaybookLimits {
    package static let fileBytes = 256 << 10
    package static let steps = 64
    package static let nextSteps = 8
    package static let triggers = 16
    package static let titleCharacters = 120
    package static let noteCharacters = 4000
    package static let instructionCharacters = 4000
    /// Law knows no clock that is longer than this.
    package static let deadlineSeconds = 366 * 86400
}

extension Playbook {
    /// Reads one playbook; the format is described in docs/playbook-format.md.
    ///
    /// - Parameter name: The name of the file for messages.
    /// - Throws: All problems at once.
    package static func parse(_ bytes: [UInt8], name: String) throws(PlaybookError) -> Playbook {
        let root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLDocument.parse(bytes, file: name, limits: YAMLLimits(byteCount: PlaybookLimits.fileBytes))
        } catch {
            throw PlaybookError([DocumentProblem(error)])
        }
        let digest: Digest
        do throws(CryptoError) {
            digest = try SHA256.hash(bytes)
        } catch {
            throw PlaybookError([DocumentProblem(.unreadable, file: escapedForDisplay(name), position: nil, problem: error.message)])
        }
        let problems = DocumentProblems(file: name)
        let playbook = read(DocumentValue(node: root, path: "", problems: problems), digest, bytes)
        guard problems.isEmpty, let playbook else { throw PlaybookError(problems.sorted) }
        return playbook
    }

    private static func read(_ root: DocumentValue, _ digest: Digest, _ source: [UInt8]) -> Playbook? {
        guard case .mapping = root.node.value, var section = root.section() else {
            root.problems.report(
                .wrongType, at: root.position,
                Phrase(vi: "kịch bản phải gồm các khóa 'tên: giá trị'", en: "a playbook must be a mapping of keys"))
            return nil
        }
        let id = section.required("id")?.identifier()
        let version = section.required("version")?.integer(1...1_000_000)
        let title = section.required("title")?.phrase(maximumCharacters: PlaybookLimits.titleCharacters)
        let description = section.required("description")?.phrase(maximumCharacters: PlaybookLimits.noteCharacters)
        let triggers = section.required("triggers")?.items(maximumCount: PlaybookLimits.triggers)?.compactMap { $0.trigger() }
        let severity = section.required("severity")?.choice(Severity.self)
        let owner = section.required("owner")?.choice(TeamRole.self)
        let legalNote = section.required("legal")?.phrase(maximumCharacters: PlaybookLimits.noteCharacters)
        let offlineNote = section.optional("offline")?.phrase(maximumCharacters: PlaybookLimits.noteCharacters)
        let start = section.required("start")
        let startID = start?.identifier()
        let drafts = section.required("steps")?.items(maximumCount: PlaybookLimits.steps)?.compactMap(PlaybookStepDraft.read) ?? []
        section.finish()
        PlaybookGraph(drafts, start: start.flatMap { value in startID.map { (id: $0, value: value) } }).check()
        let steps = drafts.compactMap(\.step)
        guard let id, let version, let title, let description, let triggers, let severity, let owner, let legalNote, let startID,
            steps.count == drafts.count
        else { return nil }
        return Playbook(
            id: id, version: version, title: title, description: description, triggers: triggers, severity: severity, owner: owner,
            legalNote: legalNote, offlineNote: offlineNote, start: startID, steps: steps, digest: digest,
            source: source)
    }
}

/// A step as far as it could be read: its links are checked even when a text is missing.
struct PlaybookStepDraft {
    let id: String
    let value: DocumentValue
    /// Where each successor is named.
    let next: [(id: String, value: DocumentValue)]
    /// nil when a part was wrong; that has been reported.
    let step: PlaybookStep?

    /// The word that ends a run.
    static let end = "end"

    static func read(_ value: DocumentValue) -> PlaybookStepDraft? {
        guard var section = value.section() else { return nil }
        let id = section.required("id")?.identifier()
        let phase = section.required("phase")?.choice(PlaybookPhase.self)
        let title = section.required("title")?.phrase(maximumCharacters: PlaybookLimits.titleCharacters)
        let instructions = section.required("instructions")?.phrase(maximumCharacters: PlaybookLimits.instructionCharacters)
        let role = section.required("role")?.choice(TeamRole.self)
        let isMandatory = section.required("mandatory")?.boolean()
        let deadline = section.optional("deadline")?.durationSeconds(minimum: 60, maximum: PlaybookLimits.deadlineSeconds)
        let evidence = section.optional("evidence")?.phrase(maximumCharacters: PlaybookLimits.noteCharacters)
        let next = section.required("next").map(successors)
        section.finish()
        guard let id else { return nil }
        if id == end {
            value.report(.wrongValue, Phrase(vi: "'end' là từ dành riêng", en: "'end' is a reserved word"))
        }
        var step: PlaybookStep?
        if let phase, let title, let instructions, let role, let isMandatory, let next {
            step = PlaybookStep(
                id: id, phase: phase, title: title, instructions: instructions, role: role, isMandatory: isMandatory,
                deadlineSeconds: deadline, evidence: evidence, next: next.map(\.id))
        }
        return PlaybookStepDraft(id: id, value: value, next: next ?? [], step: step)
    }

    /// `end`, or a list of one or more step ids.
    private static func successors(_ value: DocumentValue) -> [(id: String, value: DocumentValue)] {
        if case .scalar(let scalar) = value.node.value {
            if scalar.text == end { return [] }
            value.reportWrongType(
                expected: Phrase(vi: "'end' hoặc danh sách mã bước", en: "'end' or a list of step ids"),
                hint: Phrase(vi: "đặt trong ngoặc vuông: next: [mã-bước]", en: "write it in brackets: next: [step-id]"))
            return []
        }
        var seen: Set<String> = []
        return (value.items(maximumCount: PlaybookLimits.nextSteps) ?? []).compactMap { item in
            guard let id = item.identifier() else { return nil }
            if id == end {
                item.report(
                    .wrongValue, Phrase(vi: "'end' không được nằm trong danh sách", en: "'end' cannot stand in a list"),
                    hint: Phrase(vi: "thêm một bước kết thúc và trỏ tới bước đó", en: "add a closing step and name that"))
                return nil
            }
            guard seen.insert(id).inserted else {
                item.report(.duplicate, Phrase(vi: "bước '\(id)' bị lặp lại", en: "step '\(id)' is given twice"))
                return nil
            }
            return (id, item)
        }
    }
}

extension DocumentValue {
    /// A text in both languages: `{vi: …, en: …}`.
    func phrase(maximumCharacters: Int) -> Phrase? {
        guard case .mapping = node.value, var section = section() else {
            reportWrongType(expected: Phrase(vi: "hai khóa vi và en", en: "the keys vi and en"))
            return nil
        }
        let vi = section.required("vi")?.paragraph(maximumCharacters)
        let en = section.required("en")?.paragraph(maximumCharacters)
        section.finish()
        guard let vi, let en else { return nil }
        return Phrase(vi: vi, en: en)
    }

    /// A text of several lines without control characters; white space at the end is cut off.
    private func paragraph(_ maximumCharacters: Int) -> String? {
        guard let text = string(maximumCharacters: maximumCharacters) else { return nil }
        let isUnsafe = text.split(separator: "\n").contains { line in
            line.unicodeScalars.contains { $0.value != 0x5C && escapedForDisplay(String($0)) != String($0) }
        }
        if isUnsafe {
            report(.wrongValue, Phrase(vi: "chứa ký tự điều khiển", en: "holds control characters"))
            return nil
        }
        var result = Substring(text)
        while result.last?.isWhitespace == true { result.removeLast() }
        return String(result)
    }

    /// An id of a playbook or a step: lower-case letters, digits and `-`.
    func identifier() -> String? {
        guard let text = string(maximumCharacters: 64) else { return nil }
        let isValid =
            text.utf8.first != 0x2D
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        if isValid { return text }
        report(
            .wrongValue, Phrase(vi: "mã '\(excerpt(text))' không hợp lệ", en: "'\(excerpt(text))' is no valid id"),
            hint: Phrase(vi: "dùng chữ thường không dấu, chữ số và -", en: "use lower-case letters, digits and -"))
        return nil
    }

    /// One of the kinds that a detector can report.
    func trigger() -> String? {
        guard let text = string() else { return nil }
        if Playbook.knownTriggers.contains(text) { return text }
        report(
            .unknownName,
            Phrase(vi: "không có loại phát hiện '\(excerpt(text))'", en: "there is no finding of kind '\(excerpt(text))'"),
            hint: Suggestion.hint(for: text, among: Playbook.knownTriggers)
                ?? Phrase(
                    vi: "chọn một trong: \(Playbook.knownTriggers.joined(separator: ", "))",
                    en: "one of: \(Playbook.knownTriggers.joined(separator: ", "))"))
        return nil
    }
}

extension Playbook {
    /// The kinds of findings that can begin an incident. What only ends one (`service.up`) is not among them.
    package static let knownTriggers = [
        FindingKind.fileChanged, FindingKind.fileMassChange, FindingKind.fileDecoyTouched, FindingKind.watchBlind,
        FindingKind.baselineTampered, FindingKind.ledgerTampered, FindingKind.serviceDown, FindingKind.diskLow,
        FindingKind.backupFailed, FindingKind.backupIncomplete, FindingKind.backupOverdue, FindingKind.drillFailed, FindingKind.manual,
    ]
}
