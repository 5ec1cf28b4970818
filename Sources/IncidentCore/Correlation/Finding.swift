package import Ledger
package import Platform

/// What a detector saw. A finding never opens anything by itself: ``Correlation`` decides.
package struct Finding: Sendable, Equatable {
    /// How many files a finding is about.
    package struct Volume: Sendable, Equatable {
        /// All files of the finding.
        package var total: Int64
        /// Those changed, removed or renamed: what a mass attack does to files that people need. Added files are not in it.
        package var suspicious: Int64

        package init(total: Int64, suspicious: Int64) {
            self.total = total
            self.suspicious = suspicious
        }
    }

    /// Which part reports: `integrity`, `health`, `backup`, `drills`, `person`.
    package var source: String
    /// One of ``FindingKind``, or a later kind, which is then only recorded.
    package var kind: String
    package var severity: Severity
    package var condition: Condition
    /// What the finding is about, the same text for all findings of one thing: `watch:etc`, `check:postgresql`, `job:hoso`.
    package var key: String
    /// The name for people: of the watched area, the check, the job. No path of a person's file.
    package var subject: String
    /// Name of the affected asset in the configuration.
    package var asset: String?
    /// One line for people, without paths: it goes into the ledger where it cannot be erased.
    package var summary: Phrase
    /// Small facts of the kind; larger ones go into `attachment`.
    package var details: JSONValue
    package var moment: Timestamp
    /// Names this one occurrence: reported again with the same value, it is not recorded again. Two occurrences of the
    /// same change must differ in it (by time or sequence), or the second is lost. Nil: never a repetition.
    package var fingerprint: String?
    package var volume: Volume?
    /// The watched directory, for file findings: the snapshots of the jobs that cover it can be held.
    package var root: FilePath?
    /// The first few files, for people. Their names may be personal: they enter the ledger as an erasable text.
    package var items: [FindingItem]
    /// Everything in full, such as 50 000 rows: sealed as a batch file, the event carries its digest.
    package var attachment: [UInt8]?

    /// - Parameter paths: Files of which only the name is to be said; they join `items`.
    package init(
        source: String, kind: String, severity: Severity, condition: Condition, key: String, subject: String,
        asset: String? = nil, summary: Phrase, details: JSONValue = .object([:]), moment: Timestamp,
        fingerprint: String? = nil, volume: Volume? = nil, root: FilePath? = nil, items: [FindingItem] = [], paths: [FilePath] = [],
        attachment: [UInt8]? = nil
    ) {
        self.source = source
        self.kind = kind
        self.severity = severity
        self.condition = condition
        self.key = key
        self.subject = subject
        self.asset = asset
        self.summary = summary
        self.details = details
        self.moment = moment
        self.fingerprint = fingerprint
        self.volume = volume
        self.root = root
        self.items = items + paths.prefix(FindingPreparation.shownItems).map { FindingItem(kind: "", path: $0) }
        self.attachment = attachment
    }
}

/// One file of a finding.
package struct FindingItem: Codable, Sendable, Equatable {
    /// `added`, `removed`, `changed`, or empty where that says nothing.
    package var kind: String
    /// Safe to show: see ``Platform/FilePath/description``.
    package var path: String
    /// What differs.
    package var attributes: [String]

    package init(kind: String, path: FilePath, attributes: [String] = []) {
        self.kind = kind
        self.path = path.description
        self.attributes = attributes
    }

    /// One line: kind, path and attributes with tabs between; escaped paths hold none.
    var line: String { "\(kind)\t\(path)\t\(attributes.joined(separator: ","))" }

    init?(line: Substring) {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields.count == 3 else { return nil }
        kind = String(fields[0])
        path = String(fields[1])
        attributes = fields[2].split(separator: ",").map(String.init)
    }
}
