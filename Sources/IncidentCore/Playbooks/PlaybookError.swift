package import Platform

/// Everything that is wrong with playbooks, file by file and in the order of the lines. Never empty.
package struct PlaybookError: ExplainedError {
    package let problems: [DocumentProblem]

    init(_ problems: [DocumentProblem]) { self.problems = problems }

    /// One line for each problem; with several, each hint stands below its own.
    package var message: Phrase {
        if let only = problems.first, problems.count == 1 { return only.message }
        return Phrase(vi: problems.rendered(.vi), en: problems.rendered(.en))
    }

    package var hint: Phrase? { problems.count == 1 ? problems[0].hint : nil }
}
