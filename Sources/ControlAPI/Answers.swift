/// A text in both languages, as it crosses the socket.
package struct BilingualText: Codable, Sendable, Equatable {
    package var vi: String
    package var en: String

    package init(vi: String, en: String) {
        self.vi = vi
        self.en = en
    }
}

/// Body of every answer that is not a success.
package struct ControlFailure: Codable, Sendable, Error, Equatable {
    package var message: BilingualText
    package var hint: BilingualText?
    /// How `sentinelctl` ends; a value of ``ExitCode``.
    package var exit: Int32

    package init(message: BilingualText, hint: BilingualText?, exit: ExitCode) {
        self.message = message
        self.hint = hint
        self.exit = exit.rawValue
    }
}

/// State of a job, drill or scan that was started over the socket.
package struct RunAnswer: Codable, Sendable {
    package enum State: String, Codable, Sendable { case running, finished, failed }
    package var id: String
    package var kind: String
    package var subject: String
    package var state: State
    /// 0...1 when known.
    package var progress: Double?
    /// What is being worked on, for a progress line; escaped for display.
    package var activity: String?
    package var failure: ControlFailure?
    /// Result of the finished run, as the JSON text of the value that its kind has.
    package var result: String?

    package init(id: String, kind: String, subject: String, state: State) {
        self.id = id
        self.kind = kind
        self.subject = subject
        self.state = state
    }
}

/// A change between the approved and the observed state.
package struct ChangeAnswer: Codable, Sendable {
    /// `added`, `removed` or `changed`.
    package var kind: String
    /// The path when it is UTF-8, else with invalid bytes escaped.
    package var path: String
    /// The exact bytes, when `path` could not carry them.
    package var pathBase64: String?
    package var attributes: [String]

    package init(kind: String, path: String, pathBase64: String?, attributes: [String]) {
        self.kind = kind
        self.path = path
        self.pathBase64 = pathBase64
        self.attributes = attributes
    }

    private enum CodingKeys: String, CodingKey {
        case kind, path, attributes
        case pathBase64 = "path_b64"
    }
}

/// All changes of one comparison; at most ``limit`` are listed.
package struct ChangesAnswer: Codable, Sendable {
    package static let limit = 10_000
    package var added: Int
    package var removed: Int
    package var changed: Int
    package var changes: [ChangeAnswer]
    package var hasBaseline: Bool
    package var unreadable: [String]

    package init(added: Int, removed: Int, changed: Int, changes: [ChangeAnswer], hasBaseline: Bool, unreadable: [String]) {
        self.added = added
        self.removed = removed
        self.changed = changed
        self.changes = changes
        self.hasBaseline = hasBaseline
        self.unreadable = unreadable
    }
}

/// What an accept wrote.
package struct AcceptAnswer: Codable, Sendable {
    package var rows: Int
    package var root: String
    package var sequence: Int64

    package init(rows: Int, root: String, sequence: Int64) {
        self.rows = rows
        self.root = root
        self.sequence = sequence
    }
}

/// Which guarantee a watched path has.
package struct CoverageAnswer: Codable, Sendable {
    package struct Area: Codable, Sendable {
        package var name: String
        package var path: String
        /// `realtime`, `rescan` or `starting`.
        package var guarantee: String
        package var directories: Int
        package var files: Int
        package init(name: String, path: String, guarantee: String, directories: Int, files: Int) {
            self.name = name
            self.path = path
            self.guarantee = guarantee
            self.directories = directories
            self.files = files
        }
    }
    package struct Blind: Codable, Sendable {
        package var path: String
        package var from: String
        package var to: String
        package var reason: BilingualText
        package init(path: String, from: String, to: String, reason: BilingualText) {
            self.path = path
            self.from = from
            self.to = to
            self.reason = reason
        }
    }
    package var areas: [Area]
    package var blind: [Blind]

    package init(areas: [Area], blind: [Blind]) {
        self.areas = areas
        self.blind = blind
    }
}

/// State of one health check.
package struct HealthAnswer: Codable, Sendable {
    package var name: String
    /// `up`, `down`, `unreachable` (its parent is down) or `unknown`.
    package var state: String
    package var since: String?
    package var detail: BilingualText
    package var asset: String?

    package init(name: String, state: String, since: String?, detail: BilingualText, asset: String?) {
        self.name = name
        self.state = state
        self.since = since
        self.detail = detail
        self.asset = asset
    }
}

/// One line of `doctor`.
package struct DoctorAnswer: Codable, Sendable {
    package var name: String
    package var isGood: Bool
    package var detail: BilingualText
    package var hint: BilingualText?

    package init(name: String, isGood: Bool, detail: BilingualText, hint: BilingualText? = nil) {
        self.name = name
        self.isGood = isGood
        self.detail = detail
        self.hint = hint
    }
}

/// A signed checkpoint and the key that verifies it.
package struct CheckpointAnswer: Codable, Sendable {
    /// The signed note, as C2SP tlog-checkpoint writes it.
    package var checkpoint: String
    package var verificationKey: String
    package var size: Int64

    package init(checkpoint: String, verificationKey: String, size: Int64) {
        self.checkpoint = checkpoint
        self.verificationKey = verificationKey
        self.size = size
    }
}

/// A text such as a proof file.
package struct TextAnswer: Codable, Sendable {
    package var text: String
    package init(text: String) { self.text = text }
}

/// A playbook of the library, as people look at it.
package struct PlaybookAnswer: Codable, Sendable {
    package struct Step: Codable, Sendable {
        package var id: String
        package var phase: BilingualText
        package var title: BilingualText
        package var instructions: BilingualText
        package var role: BilingualText
        package var isMandatory: Bool
        package var deadlineSeconds: Int?
        package var evidence: BilingualText?
        package var next: [String]

        package init(
            id: String, phase: BilingualText, title: BilingualText, instructions: BilingualText, role: BilingualText,
            isMandatory: Bool, deadlineSeconds: Int?, evidence: BilingualText?, next: [String]
        ) {
            self.id = id
            self.phase = phase
            self.title = title
            self.instructions = instructions
            self.role = role
            self.isMandatory = isMandatory
            self.deadlineSeconds = deadlineSeconds
            self.evidence = evidence
            self.next = next
        }
    }

    package var id: String
    package var version: String
    package var title: BilingualText
    package var description: BilingualText
    package var legalNote: BilingualText
    package var offlineNote: BilingualText?
    package var triggers: [String]
    /// SHA-256 of the file, in hex.
    package var digest: String
    package var steps: [Step]

    package init(
        id: String, version: String, title: BilingualText, description: BilingualText, legalNote: BilingualText,
        offlineNote: BilingualText?, triggers: [String], digest: String, steps: [Step]
    ) {
        self.id = id
        self.version = version
        self.title = title
        self.description = description
        self.legalNote = legalNote
        self.offlineNote = offlineNote
        self.triggers = triggers
        self.digest = digest
        self.steps = steps
    }
}

/// Result of a full verification of the ledger.
package struct VerificationAnswer: Codable, Sendable {
    package var isIntact: Bool
    package var events: Int64
    package var texts: Int
    package var redactedTexts: Int
    package var checkpoints: Int
    package var batches: Int
    /// Root hash of the tree, in hex.
    package var root: String
    package var verificationKey: String
    package var problems: [BilingualText]
    package var problemCount: Int

    package init(
        isIntact: Bool, events: Int64, texts: Int, redactedTexts: Int, checkpoints: Int, batches: Int, root: String,
        verificationKey: String, problems: [BilingualText], problemCount: Int
    ) {
        self.isIntact = isIntact
        self.events = events
        self.texts = texts
        self.redactedTexts = redactedTexts
        self.checkpoints = checkpoints
        self.batches = batches
        self.root = root
        self.verificationKey = verificationKey
        self.problems = problems
        self.problemCount = problemCount
    }
}

/// One event of the ledger.
package struct EventAnswer: Codable, Sendable {
    package var sequence: Int64
    /// RFC 3339.
    package var moment: String
    package var kind: String
    package var subject: String
    package var actor: String
    /// Free texts; an erased one is null.
    package var texts: [String: String?]

    package init(sequence: Int64, moment: String, kind: String, subject: String, actor: String, texts: [String: String?]) {
        self.sequence = sequence
        self.moment = moment
        self.kind = kind
        self.subject = subject
        self.actor = actor
        self.texts = texts
    }
}
