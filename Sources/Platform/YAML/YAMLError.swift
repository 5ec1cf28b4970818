/// A file that is no YAML we read, with the line to look at.
package struct YAMLError: ExplainedError, Equatable {
    package enum Code: Sendable, Equatable {
        /// Not YAML, or not UTF-8.
        case syntax
        /// YAML, but with a feature that a config file must not have: anchors, aliases, tags, several documents.
        case unsupported
        case duplicateKey
        /// Larger, deeper or with more values than ``YAMLLimits`` allow.
        case limit
        case empty
        case outOfMemory
    }

    package let code: Code
    /// The name of the file, already escaped for display.
    package let file: String
    package let line: Int
    /// What is wrong, without the place.
    package let problem: Phrase
    package let hint: Phrase?

    package init(_ code: Code, file: String, line: Int, problem: Phrase, hint: Phrase? = nil) {
        self.code = code
        self.file = file
        self.line = line
        self.problem = problem
        self.hint = hint
    }

    package var message: Phrase {
        Phrase(vi: "\(file):\(line): \(problem.vi)", en: "\(file):\(line): \(problem.en)")
    }
}

/// Bounds on one file; whatever exceeds them is refused before it costs memory.
package struct YAMLLimits: Sendable {
    package var byteCount: Int
    /// Nesting of sequences and mappings; a lone scalar has depth 0.
    package var depth: Int
    /// Scalars, sequences and mappings together, keys included.
    package var nodeCount: Int

    package init(byteCount: Int = 1 << 20, depth: Int = 32, nodeCount: Int = 100_000) {
        self.byteCount = byteCount
        self.depth = depth
        self.nodeCount = nodeCount
    }
}
