package import Platform

/// Something that could not be examined as it should. The scan goes on.
package struct ScanFinding: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// The file, or the entries of the directory, could not be read.
        case unreadable
        /// The file changed under the hash each time.
        case unstable
        /// The root of a rule is not there.
        case missingRoot
    }
    package let kind: Kind
    package let path: FilePath
    /// Why, for people.
    package let message: Phrase
}

/// What a scan did.
package struct ScanReport: Sendable {
    /// Findings kept in full; ``findingCount`` counts the others too.
    package static let maximumFindings = 1000

    package let started: Timestamp
    package internal(set) var finished: Timestamp
    package internal(set) var files = 0
    package internal(set) var directories = 0
    /// Links, pipes, sockets, devices.
    package internal(set) var others = 0
    package internal(set) var hashedFiles = 0
    package internal(set) var hashedBytes: UInt64 = 0
    /// Hashes taken from the earlier record.
    package internal(set) var reusedHashes = 0
    package internal(set) var findings: [ScanFinding] = []
    package internal(set) var findingCount = 0
    /// False when the scan was stopped before its end.
    package internal(set) var isComplete = true

    init(started: Timestamp) {
        self.started = started
        finished = started
    }

    mutating func add(_ finding: ScanFinding) {
        findingCount += 1
        if findings.count < Self.maximumFindings { findings.append(finding) }
    }

    mutating func count(_ record: FileRecord, isReused: Bool) {
        switch record.kind {
        case .file: files += 1
        case .directory: directories += 1
        default: others += 1
        }
        guard case .sha256 = record.content else { return }
        if isReused {
            reusedHashes += 1
        } else {
            hashedFiles += 1
            hashedBytes += record.sizeBytes
        }
    }
}

/// One result of a scan, in tree order.
package enum ScanItem: Sendable {
    case record(FileRecord)
    /// Nothing can be said about this path and everything below it: not there is not the same as not seen.
    case unexamined(FilePath)
}

/// Records in ascending tree order, one after the other. Used by one thread at a time.
package protocol RecordSource: AnyObject, Sendable {
    /// The next record; nil at the end.
    func next() throws -> FileRecord?
}

/// Records that are in memory already.
package final class RecordList: RecordSource {
    private let rest: Monitor<ArraySlice<FileRecord>>
    /// - Parameter records: In any order.
    package init(_ records: [FileRecord]) {
        rest = Monitor(records.sorted { $0.path.precedesInTree($1.path) }[...])
    }
    package func next() -> FileRecord? { rest.read { $0.popFirst() } }
}
