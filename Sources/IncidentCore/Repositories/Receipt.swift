internal import BackupEngine
package import Platform

/// How a snapshot came into our record, and so where its date comes from.
package enum ReceiptOrigin: String, Codable, Sendable {
    /// One of our jobs made it: dated by our clock.
    case made
    /// It was there when the repository was first seen: dated by its own time, which is all there is, but never later.
    case adopted
    /// It appeared without a receipt: dated by first sight. Such snapshots are counted apart and displace none of the others.
    case seen
}

/// Whether a snapshot may take the place of older ones.
package enum SnapshotStanding: String, Codable, Sendable {
    case trusted
    /// It lost most of its content or of its compressibility against its predecessor.
    case implausible
    /// Received while an alarm was open.
    case suspect
    /// A person said that it is no backup: retention may remove it.
    case rejected

    package var title: Phrase {
        switch self {
        case .trusted: Phrase(vi: "tin cậy", en: "trusted")
        case .implausible: Phrase(vi: "bất thường", en: "implausible")
        case .suspect: Phrase(vi: "nghi ngờ", en: "suspect")
        case .rejected: Phrase(vi: "bị loại", en: "rejected")
        }
    }

    /// Waits for a person's word.
    package var needsWord: Bool { self == .implausible || self == .suspect }
}

/// A snapshot with the time at which this daemon received it.
package struct Receipt: Sendable, Equatable {
    package var repository: String
    package var snapshot: String
    package var original: String
    package var tree: String
    package var job: String?
    package var taken: Timestamp
    package var received: Timestamp
    package var origin: ReceiptOrigin
    package var standing: SnapshotStanding
    package var doubts: [Doubt]
    package var isIncomplete: Bool
    package var files: Int64
    package var bytes: Int64
    package var added: Int64
    package var stored: Int64

    package init(
        repository: String, snapshot: String, original: String, tree: String, job: String?, taken: Timestamp, received: Timestamp,
        origin: ReceiptOrigin = .made, standing: SnapshotStanding = .trusted, doubts: [Doubt] = [], isIncomplete: Bool = false,
        files: Int64 = 0, bytes: Int64 = 0, added: Int64 = 0, stored: Int64 = 0
    ) {
        self.repository = repository
        self.snapshot = snapshot
        self.original = original
        self.tree = tree
        self.job = job
        self.taken = taken
        self.received = received
        self.origin = origin
        self.standing = standing
        self.doubts = doubts
        self.isIncomplete = isIncomplete
        self.files = files
        self.bytes = bytes
        self.added = added
        self.stored = stored
    }

    /// What holds are asked about; nil when the record is damaged.
    var question: DeletionQuestion? {
        guard let original = Digest(hex: original), let tree = Digest(hex: tree) else { return nil }
        return DeletionQuestion(original: original, tree: tree, time: min(taken, received), job: job)
    }

    /// What the engine's rules count with: our time, in the offset that the site has then.
    var candidate: RetentionCandidate? {
        guard let id = Digest(hex: snapshot), let tree = Digest(hex: tree) else { return nil }
        var snapshot = Snapshot(time: taken, tree: tree, paths: [], hostname: "", username: "", uid: 0, gid: 0)
        snapshot.id = id
        return RetentionCandidate(snapshot, time: received, utcOffsetSeconds: CivilTime(local: received).offsetSeconds)
    }
}
