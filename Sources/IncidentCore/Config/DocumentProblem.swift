package import Platform

/// One thing that is wrong in a file that people write: a config or a playbook.
package struct DocumentProblem: Sendable, Hashable {
    package enum Code: Sendable, Hashable {
        case unreadable, unsafeOwner, syntax
        case unknownKey, notAvailable, missingKey, wrongType, wrongValue, emptyList
        case duplicate, unknownName, contradiction, cycle, unreachable, tooLarge
    }

    package let code: Code
    /// The name of the file, already escaped for display.
    package let file: String
    /// nil when the problem is the file as a whole.
    package let position: YAMLPosition?
    /// What is wrong, without the place.
    package let problem: Phrase
    package let hint: Phrase?

    package init(_ code: Code, file: String, position: YAMLPosition?, problem: Phrase, hint: Phrase? = nil) {
        self.code = code
        self.file = file
        self.position = position
        self.problem = problem
        self.hint = hint
    }

    init(_ error: YAMLError) {
        self.init(
            error.code == .limit ? .tooLarge : error.code == .duplicateKey ? .duplicate : .syntax, file: error.file,
            position: YAMLPosition(line: error.line, column: 1), problem: error.problem, hint: error.hint)
    }

    /// `sentinel.yaml:14: unknown key 'intervall' in health.defaults`
    package var message: Phrase {
        let place = position.map { "\(file):\($0.line)" } ?? file
        return Phrase(vi: "\(place): \(problem.vi)", en: "\(place): \(problem.en)")
    }
}

extension [DocumentProblem] {
    /// All problems as one text: a line each, a hint indented below its problem.
    func rendered(_ language: Language) -> String {
        map { problem in
            let hint = problem.hint.map { "\n  \(language == .vi ? "gợi ý" : "hint"): \($0.text(language))" } ?? ""
            return problem.message.text(language) + hint
        }.joined(separator: "\n")
    }
}
