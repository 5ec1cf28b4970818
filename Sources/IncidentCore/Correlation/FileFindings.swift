internal import Ledger
package import Platform

/// One change of the observed state, as the watcher reports it.
package struct ObservedFileChange: Sendable, Equatable {
    package enum Kind: String, Sendable, Codable { case added, removed, changed }

    package var kind: Kind
    package var path: FilePath
    package var attributes: [String]
    /// Hex; names this one occurrence, for it covers the change times of both states.
    package var fingerprint: String
    /// The content no longer looks like what it replaced.
    package var looksEncrypted: Bool

    package init(kind: Kind, path: FilePath, attributes: [String], fingerprint: String, looksEncrypted: Bool) {
        self.kind = kind
        self.path = path
        self.attributes = attributes
        self.fingerprint = fingerprint
        self.looksEncrypted = looksEncrypted
    }
}

/// Findings about watched files.
package enum FileFindings {
    private static let source = "integrity"

    /// A report of the watcher as one finding. Beyond a few files, all of them go into the batch file of the event.
    ///
    /// - Parameters:
    ///   - area: Name of the watched area in the configuration.
    ///   - changes: At least one.
    package static func changes(
        area: String, root: FilePath, asset: String?, changes: [ObservedFileChange], moment: Timestamp
    ) throws -> Finding {
        func count(_ kind: ObservedFileChange.Kind) -> Int { changes.count { $0.kind == kind } }
        let (added, removed, changed) = (count(.added), count(.removed), count(.changed))
        let encrypted = changes.count { $0.looksEncrypted }
        // The order of a report may differ when it is made again; the set may not.
        let digest = try SHA256.hash(Array(changes.map(\.fingerprint).sorted().joined(separator: "\n").utf8))
        let area = bounded(area, 200)
        return Finding(
            source: source, kind: FindingKind.fileChanged, severity: .medium, condition: .momentary, key: "watch:\(area)",
            subject: area, asset: asset,
            summary: Phrase(
                vi: "'\(area)': \(added) tệp thêm, \(removed) tệp mất, \(changed) tệp thay đổi",
                en: "'\(area)': \(added) files added, \(removed) removed, \(changed) changed"),
            details: [
                "added": JSONValue(added), "removed": JSONValue(removed), "changed": JSONValue(changed),
                "encrypted": JSONValue(encrypted),
            ], moment: moment, fingerprint: "file:\(digest.hex)",
            // A renamed file shows as one removed and one added: removed ones count, added ones do not.
            volume: .init(total: Int64(changes.count), suspicious: Int64(removed + changed)), root: root,
            items: changes.prefix(FindingPreparation.shownItems).map {
                FindingItem(kind: $0.kind.rawValue, path: $0.path, attributes: $0.attributes)
            }, attachment: changes.count > FindingPreparation.shownItems ? attachment(changes) : nil)
    }

    /// Content of the batch file of a change report: canonical JSON, one array of
    /// `{"attributes", "fingerprint", "kind", "path" or "path_b64"}` in the order of the report.
    private static func attachment(_ changes: [ObservedFileChange]) -> [UInt8] {
        JSONValue.array(
            changes.map { change in
                var members: [String: JSONValue] = [
                    "kind": JSONValue(change.kind.rawValue), "attributes": .array(change.attributes.map { JSONValue($0) }),
                    "fingerprint": JSONValue(change.fingerprint),
                ]
                if let text = change.path.utf8 {
                    members["path"] = JSONValue(text)
                } else {
                    members["path_b64"] = JSONValue(Base64.encode(change.path.bytes))
                }
                return .object(members)
            }
        ).canonicalBytes
    }

    /// The watcher could not see for a while; what changed meanwhile is found by the rescan.
    package static func blind(path: FilePath, from: Timestamp, to: Timestamp, reason: Phrase, area: String) -> Finding {
        Finding(
            source: source, kind: FindingKind.watchBlind, severity: .low, condition: .momentary, key: "watch:\(bounded(area, 200))",
            subject: bounded(area, 200),
            summary: Phrase(
                vi: "giám sát gián đoạn từ \(viewTime(from)) đến \(viewTime(to)): \(reason.vi)",
                en: "watching was interrupted from \(viewTime(from)) to \(viewTime(to)): \(reason.en)"),
            details: ["from": JSONValue(from.millisecondsSinceEpoch), "to": JSONValue(to.millisecondsSinceEpoch)], moment: to,
            fingerprint: "blind:\(bounded(area, 60)):\(from.millisecondsSinceEpoch)", root: path)
    }

    /// The approved baseline on disk has a root that no accept led to.
    package static func tampered(reason: Phrase, moment: Timestamp) -> Finding {
        Finding(
            source: source, kind: FindingKind.baselineTampered, severity: .critical, condition: .active, key: "baseline",
            subject: "baseline", summary: reason, moment: moment,
            fingerprint: "baseline:\(moment.seconds / 3600)")
    }
}
