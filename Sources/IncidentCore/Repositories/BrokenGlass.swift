internal import FoundationEssentials
internal import Ledger
package import Platform

/// A note that somebody worked on a repository past the daemon. Written before the work, read when the daemon is back.
package struct BrokenGlass: Codable, Sendable, Equatable {
    /// RFC 3339.
    package var moment: String
    package var uid: UInt32
    package var user: String
    /// `forget` or `prune`.
    package var command: String
    package var repository: String
    package var reason: String
    /// The snapshots that were to be removed, by ID; the first of them.
    package var snapshots: [String]

    private static let sizeLimitBytes = 64 << 10
    private static let snapshotLimit = 32
    /// Notes taken up at one start.
    private static let noteLimit = 1000

    package init(moment: Timestamp, uid: UInt32, user: String, command: String, repository: String, reason: String, snapshots: [String]) {
        self.moment = viewTime(moment)
        self.uid = uid
        self.user = user
        self.command = command
        self.repository = repository
        self.reason = reason
        self.snapshots = Array(snapshots.prefix(Self.snapshotLimit))
    }

    /// Makes the note durable. The daemon's user must be able to read it in its private directory.
    package func save(in directory: FilePath) throws {
        try DurableFiles.makeDirectories(directory)
        let name = "\(Timestamp.now().millisecondsSinceEpoch)-\(hexText(try SecureRandom.bytes(8))).json"
        try DurableFiles.create(directory / name, Array(try JSONEncoder().encode(self)), mode: 0o644)
    }

    /// The notes that lie in `directory`, oldest first. One that cannot be read is a note too: it says that something was there.
    static func all(in directory: FilePath) throws -> [(path: FilePath, note: BrokenGlass?)] {
        guard try FileStatus.exists(directory) else { return [] }
        return try directoryNames(directory).sorted { $0.lexicographicallyPrecedes($1) }.prefix(noteLimit).map { name in
            let path = directory.appending(name)
            let bytes = try? RegularFile.read(path, limit: sizeLimitBytes).bytes
            return (path, bytes.flatMap { try? JSONDecoder().decode(BrokenGlass.self, from: Data($0)) })
        }
    }
}

extension RepositoryService {
    /// Takes up the notes that lie in `directory`: an event and a finding for each, then the file goes. Call it at each start.
    @discardableResult
    package func takeUpBrokenGlass(in directory: FilePath) async throws -> [FindingOutcome] {
        let notes = try await OwnThread.run(name: "glass") { try BrokenGlass.all(in: directory) }
        var outcomes: [FindingOutcome] = []
        for (path, note) in notes {
            outcomes += try await record(note, fingerprint: String(decoding: path.name.prefix(64), as: UTF8.self))
            try DurableFiles.remove(path)
        }
        return outcomes
    }

    /// Records that somebody works past the daemon; `fingerprint` names the occasion.
    @discardableResult
    package func record(_ note: BrokenGlass?, fingerprint: String) async throws -> [FindingOutcome] {
        let moment = incidents.now
        let intake = incidents.intake
        let repository = bounded(note?.repository ?? "?", 128)
        let user = escapedForDisplay(bounded(note?.user ?? "?", 64))
        let command = escapedForDisplay(bounded(note?.command ?? "?", 32))
        let finding = Finding(
            source: "person", kind: FindingKind.glassBroken, severity: .high, condition: .active, key: "repository:\(repository):glass",
            subject: repository,
            summary: Phrase(
                vi: "\(user) đã chạy '\(command)' trên kho '\(repository)' bằng --break-glass, không qua sentineld",
                en: "\(user) ran '\(command)' on repository '\(repository)' with --break-glass, past sentineld"),
            moment: note.flatMap { Timestamp(rfc3339: $0.moment) } ?? moment, fingerprint: "glass:\(bounded(fingerprint, 80))")
        return try await ledger.commit { transaction in
            if let fingerprint = finding.fingerprint, try intake.recorded(fingerprint, in: transaction.database) != nil {
                return [try intake.report(FindingIntake.Prepared(finding: finding, batch: nil), in: transaction)]
            }
            try transaction.append(
                EventDraft(
                    kind: EventKind.glassBroken, subject: repository,
                    actor: .person(bounded(note?.user ?? "?", 64), uid: note?.uid ?? 0, pid: 0), moment: moment,
                    facts: [
                        "command": JSONValue(command), "moment": JSONValue(bounded(note?.moment ?? "", 40)),
                        "snapshots": .array((note?.snapshots ?? []).prefix(32).map { JSONValue(bounded($0, 64)) }),
                    ], texts: note.map { ["reason": bounded($0.reason, 2000)] } ?? [:]))
            return [try intake.report(FindingIntake.Prepared(finding: finding, batch: nil), in: transaction)]
        }
    }
}
