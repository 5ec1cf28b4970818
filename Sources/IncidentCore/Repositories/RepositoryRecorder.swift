internal import Ledger
internal import Platform

/// Takes an observation into the record: receipts, keys, what is gone, and the findings that follow. One transaction.
struct RepositoryRecorder {
    /// What our job did there, when it made a snapshot.
    struct Made {
        let snapshot: String
        let job: String
        /// The backup ran from here on: an alarm since then makes its snapshot suspect.
        let started: Timestamp
        let isIncomplete: Bool
    }

    let observation: RepositoryObservation
    /// For people; where the repository lies.
    let location: String
    /// The jobs that store in this repository, with their assets.
    let jobs: [BackupJobSetting]
    let now: Timestamp

    private static let actor = Actor.system("backup")
    /// IDs in one event: a leaf holds 4 KiB.
    private static let idsPerEvent = 32

    private var repository: String { observation.repository }

    /// - Returns: What is to be reported, in the same transaction.
    func record(made: Made?, in transaction: LedgerTransaction) throws -> [Finding] {
        let database = transaction.database
        if observation.isPartial {
            return try observation.unknown.flatMap { facts in
                try receive(facts, made: made?.snapshot == facts.id ? made : nil, adopts: false, in: transaction)
            }
        }
        let identity = try ReceiptTable.identity(of: repository, in: database)
        let isFirst = identity == nil
        var findings: [Finding] = []
        if identity != observation.repositoryID {
            try append(
                EventKind.repositoryEnrolled,
                ["identity": JSONValue(bounded(observation.repositoryID, 64)), "location": JSONValue(bounded(location, 400))], in: transaction)
            if let identity { findings.append(replaced(identity)) }
        }
        findings += try recordKeys(isBaseline: identity != observation.repositoryID, in: transaction)
        for lock in observation.locksRemoved.prefix(Self.idsPerEvent) {
            try append(
                EventKind.repositoryLockRemoved,
                [
                    "lock": JSONValue(bounded(lock.id, 64)), "host": JSONValue(bounded(lock.host, 128)), "pid": JSONValue(lock.pid),
                    "reason": JSONValue(bounded(lock.reason, 32)),
                ], in: transaction)
        }
        // Another repository at the same place is no adoption: what lies there is dated by first sight.
        findings += try recordSnapshots(made, adopts: isFirst, in: transaction)
        return findings
    }

    // MARK: Keys

    private func recordKeys(isBaseline: Bool, in transaction: LedgerTransaction) throws -> [Finding] {
        let known = try ReceiptTable.keys(of: repository, in: transaction.database)
        let now = Set(observation.keys)
        let added = now.subtracting(known).sorted()
        let removed = known.subtracting(now).sorted()
        if added.isEmpty, removed.isEmpty { return [] }
        for part in chunks(added) {
            try append(EventKind.repositoryKeys, ["added": list(part), "baseline": JSONValue(isBaseline)], in: transaction)
        }
        for part in chunks(removed) { try append(EventKind.repositoryKeys, ["removed": list(part)], in: transaction) }
        if isBaseline || added.isEmpty { return [] }
        let names = added.prefix(5).map { String($0.prefix(8)) }.joined(separator: ", ")
        return [
            finding(
                FindingKind.repositoryKeyAdded, .high, .active, "keys",
                Phrase(
                    vi: "kho '\(repository)' có khóa mới: \(names); ai giữ mật khẩu đó đọc và ghi được mọi bản sao lưu",
                    en: "repository '\(repository)' has a new key: \(names); whoever knows its password reads and writes every snapshot"),
                fingerprint: added.joined().prefix(64).description)
        ]
    }

    private func replaced(_ identity: String) -> Finding {
        finding(
            FindingKind.repositoryReplaced, .critical, .active, "identity",
            Phrase(
                vi: "ở chỗ của kho '\(repository)' nay là một kho khác (\(observation.repositoryID.prefix(8)) thay cho \(identity.prefix(8)))",
                en: "at the place of repository '\(repository)' lies another one (\(observation.repositoryID.prefix(8)) for \(identity.prefix(8)))"),
            fingerprint: "\(observation.repositoryID.prefix(64)):\(now.millisecondsSinceEpoch)")
    }

    // MARK: Snapshots

    private func recordSnapshots(_ made: Made?, adopts: Bool, in transaction: LedgerTransaction) throws -> [Finding] {
        let known = try ReceiptTable.known(in: repository, database: transaction.database)
        let present = Set(observation.snapshots)
        var findings: [Finding] = []
        let back = known.filter { $0.value && present.contains($0.key) }.keys.sorted()
        for part in chunks(back) { try append(EventKind.snapshotsBack, ["snapshots": list(part)], in: transaction) }
        for facts in observation.unknown where known[facts.id] == nil {
            findings += try receive(facts, made: made?.snapshot == facts.id ? made : nil, adopts: adopts, in: transaction)
        }
        let missing = known.filter { !$0.value && !present.contains($0.key) }.keys.sorted()
        if !missing.isEmpty { findings += try recordMissing(missing, in: transaction) }
        return findings
    }

    private func receive(_ facts: SnapshotFacts, made: Made?, adopts: Bool, in transaction: LedgerTransaction) throws -> [Finding] {
        let database = transaction.database
        let taken = Timestamp(millisecondsSinceEpoch: facts.takenMilliseconds)
        let job = made?.job ?? facts.job
        let setting = job.flatMap { name in jobs.first { $0.name == name } }
        var receipt = Receipt(
            repository: repository, snapshot: facts.id, original: facts.original, tree: facts.tree, job: job, taken: taken, received: now,
            origin: made != nil ? .made : adopts ? .adopted : .seen, isIncomplete: made?.isIncomplete ?? facts.isIncomplete,
            files: facts.files, bytes: facts.bytes, added: facts.added, stored: facts.stored)
        var alarm: String?
        if let twin = try ReceiptTable.twin(of: facts, repository: repository, in: database) {
            // New tags make a new file of the same snapshot: it keeps its date and whatever people said of it.
            (receipt.received, receipt.origin, receipt.standing, receipt.doubts) = (twin.received, twin.origin, twin.standing, twin.doubts)
            (receipt.job, receipt.isIncomplete) = (twin.job, twin.isIncomplete)
        } else if receipt.origin == .adopted {
            receipt.received = min(taken, now)
        } else {
            alarm = try Alarm.since(made?.started ?? now, in: database)
            if alarm != nil { receipt.standing = .suspect }
            if let job {
                let (newest, usual) = try ReceiptTable.reference(job: job, repository: repository, in: database)
                receipt.doubts = Plausibility.doubts(
                    about: .init(files: facts.files, bytes: facts.bytes, added: facts.added, stored: facts.stored), reference: newest, usual: usual)
                if receipt.standing == .trusted, !receipt.doubts.isEmpty { receipt.standing = .implausible }
            }
        }
        try appendReceipt(receipt, host: facts.host, alarm: alarm, in: transaction)
        guard receipt.standing.needsWord, receipt.received == now, let job else { return [] }
        return [doubtful(receipt, job: job, asset: setting?.asset, alarm: alarm)]
    }

    private func appendReceipt(_ receipt: Receipt, host: String, alarm: String?, in transaction: LedgerTransaction) throws {
        var facts: [String: JSONValue] = [
            "snapshot": JSONValue(bounded(receipt.snapshot, 64)), "original": JSONValue(bounded(receipt.original, 64)),
            "tree": JSONValue(bounded(receipt.tree, 64)), "taken": JSONValue(receipt.taken.millisecondsSinceEpoch),
            "received": JSONValue(receipt.received.millisecondsSinceEpoch), "origin": JSONValue(receipt.origin.rawValue),
            "standing": JSONValue(receipt.standing.rawValue), "files": JSONValue(receipt.files), "bytes": JSONValue(receipt.bytes),
            "added": JSONValue(receipt.added), "stored": JSONValue(receipt.stored), "host": JSONValue(bounded(host, 128)),
        ]
        if let job = receipt.job { facts["job"] = JSONValue(bounded(job, 128)) }
        if receipt.isIncomplete { facts["incomplete"] = true }
        if !receipt.doubts.isEmpty { facts["doubts"] = .array(receipt.doubts.map { JSONValue($0.rawValue) }) }
        if let alarm { facts["incident"] = JSONValue(alarm) }
        try append(EventKind.snapshotReceived, facts, in: transaction)
    }

    private func doubtful(_ receipt: Receipt, job: String, asset: String?, alarm: String?) -> Finding {
        let short = receipt.snapshot.prefix(8)
        let isSuspect = receipt.standing == .suspect
        let reasons = receipt.doubts.map(\.title)
        let why = Phrase(vi: reasons.map(\.vi).joined(separator: "; "), en: reasons.map(\.en).joined(separator: "; "))
        let summary =
            isSuspect
            ? Phrase(
                vi: "bản \(short) của '\(job)' được chụp khi đang có báo động \(alarm ?? ""): chưa được thay bản cũ nào",
                en: "snapshot \(short) of '\(job)' was taken while alarm \(alarm ?? "") is open: it displaces none yet")
            : Phrase(
                vi: "bản \(short) của '\(job)' trong kho '\(repository)' bất thường: \(why.vi)",
                en: "snapshot \(short) of '\(job)' in '\(repository)' is implausible: \(why.en)")
        return Finding(
            source: "backup", kind: isSuspect ? FindingKind.snapshotSuspect : FindingKind.snapshotImplausible,
            severity: isSuspect ? .low : .medium, condition: .active, key: RepositoryFindings.waitingKey(job), subject: job, asset: asset,
            summary: summary,
            details: [
                "snapshot": JSONValue(bounded(receipt.snapshot, 64)), "repository": JSONValue(bounded(repository, 128)),
                "doubts": .array(receipt.doubts.map { JSONValue($0.rawValue) }),
            ], moment: now, fingerprint: "snapshot:\(bounded(repository, 32)):\(receipt.snapshot.prefix(64))")
    }

    // MARK: Missing

    private func recordMissing(_ missing: [String], in transaction: LedgerTransaction) throws -> [Finding] {
        let database = transaction.database
        let receipts = try ReceiptTable.present(in: repository, database: database)
        let present = receipts.filter { !missing.contains($0.snapshot) }
        var renamed: [String] = []
        var vanished: [Receipt] = []
        for receipt in receipts where missing.contains(receipt.snapshot) {
            if present.contains(where: { $0.original == receipt.original && $0.tree == receipt.tree }) {
                renamed.append(receipt.snapshot)
            } else {
                vanished.append(receipt)
            }
        }
        let held = try vanished.filter { receipt in try receipt.question.map { try !Holds.covering($0, in: database).isEmpty } ?? true }
        for part in chunks(renamed) { try append(EventKind.snapshotsGone, ["how": "renamed", "snapshots": list(part)], in: transaction) }
        for part in chunks(vanished.map(\.snapshot)) {
            try append(EventKind.snapshotsGone, ["how": "vanished", "snapshots": list(part)], in: transaction)
        }
        var findings: [Finding] = []
        let stamp = now.millisecondsSinceEpoch
        if !held.isEmpty {
            let names = held.prefix(5).map { String($0.snapshot.prefix(8)) }.joined(separator: ", ")
            findings.append(
                finding(
                    FindingKind.snapshotVanished, .high, .active, "snapshots",
                    Phrase(
                        vi: "\(held.count) bản sao lưu đang bị giữ đã biến mất khỏi kho '\(repository)': \(names)",
                        en: "\(held.count) held snapshots are gone from repository '\(repository)': \(names)"), fingerprint: "held:\(stamp)"))
        }
        let others = vanished.count - held.count
        if others > 0 {
            findings.append(
                finding(
                    FindingKind.snapshotRemoved, .low, .momentary, "snapshots",
                    Phrase(
                        vi: "\(others) bản sao lưu đã bị xóa khỏi kho '\(repository)' bằng công cụ khác",
                        en: "\(others) snapshots were removed from repository '\(repository)' by another tool"), fingerprint: "removed:\(stamp)"))
        }
        return findings
    }

    // MARK: Common parts

    private func append(_ kind: String, _ facts: [String: JSONValue], in transaction: LedgerTransaction) throws {
        try transaction.append(
            EventDraft(kind: kind, subject: bounded(repository, 128), actor: Self.actor, moment: now, facts: facts))
    }

    private func finding(
        _ kind: String, _ severity: Severity, _ condition: Condition, _ what: String, _ summary: Phrase, fingerprint: String
    ) -> Finding {
        Finding(
            source: "backup", kind: kind, severity: severity, condition: condition, key: "repository:\(repository):\(what)",
            subject: repository, summary: summary, moment: now, fingerprint: "\(kind):\(bounded(repository, 32)):\(fingerprint)")
    }

    private func list(_ ids: [String]) -> JSONValue { .array(ids.map { JSONValue(bounded($0, 64)) }) }

    private func chunks(_ ids: [String]) -> [[String]] {
        stride(from: 0, to: ids.count, by: Self.idsPerEvent).map { Array(ids[$0..<min($0 + Self.idsPerEvent, ids.count)]) }
    }
}

/// Keys of findings about repositories that more than one part reports.
enum RepositoryFindings {
    static func waitingKey(_ job: String) -> String { "snapshots:\(job)" }
    static func upkeepKey(_ repository: String) -> String { "upkeep:\(repository)" }
    static func spaceKey(_ repository: String) -> String { "repository:\(repository):space" }
}
