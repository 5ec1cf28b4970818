package import Platform

/// What snapshots must have in common to be counted together.
package struct SnapshotGrouping: Sendable, Hashable {
    package var byHost: Bool
    package var byPaths: Bool
    package var byTags: Bool

    package init(byHost: Bool = true, byPaths: Bool = true, byTags: Bool = false) {
        self.byHost = byHost
        self.byPaths = byPaths
        self.byTags = byTags
    }

    /// Reads restic's form: `host`, `paths`, `tags` separated by commas; empty text puts all snapshots into one group.
    package init(_ text: String) throws(RepositoryError) {
        self.init(byHost: false, byPaths: false, byTags: false)
        for word in text.split(separator: ",") {
            switch word {
            case "host", "hosts": byHost = true
            case "path", "paths": byPaths = true
            case "tag", "tags": byTags = true
            default:
                let shown = escapedForDisplay(String(word))
                throw RepositoryError(
                    .invalidArgument, Phrase(vi: "không nhóm được theo '\(shown)'", en: "unknown grouping '\(shown)'"),
                    hint: Phrase(vi: "dùng host, paths, tags", en: "use host, paths, tags"))
            }
        }
    }
}

/// What the snapshots of one group have in common; empty where they are not grouped by it.
package struct SnapshotGroupKey: Sendable, Hashable {
    package let host: String
    /// Sorted.
    package let paths: [String]
    /// Sorted.
    package let tags: [String]

    package init(_ snapshot: Snapshot, _ grouping: SnapshotGrouping) {
        host = grouping.byHost ? snapshot.hostname : ""
        paths = grouping.byPaths ? snapshot.paths.sorted(by: Self.precedesBytewise) : []
        tags = grouping.byTags ? snapshot.tags.sorted(by: Self.precedesBytewise) : []
    }

    /// Go compares strings by their bytes, Swift by canonical equivalence.
    static func precedesBytewise(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    // Two names that differ only in Unicode's normal form are two groups, as they are for restic.
    package static func == (left: SnapshotGroupKey, right: SnapshotGroupKey) -> Bool {
        left.host.utf8.elementsEqual(right.host.utf8) && equal(left.paths, right.paths) && equal(left.tags, right.tags)
    }

    private static func equal(_ left: [String], _ right: [String]) -> Bool {
        left.elementsEqual(right) { $0.utf8.elementsEqual($1.utf8) }
    }

    package func hash(into hasher: inout Hasher) {
        for text in [host] + paths + tags {
            for byte in text.utf8 { hasher.combine(byte) }
            hasher.combine(0xFF as UInt8)
        }
    }

    /// For people; nil when everything is in one group.
    package var description: Phrase? {
        var vi: [String] = []
        var en: [String] = []
        if !host.isEmpty {
            vi.append("máy \(escapedForDisplay(host))")
            en.append("host \(escapedForDisplay(host))")
        }
        if !paths.isEmpty {
            let list = escapedForDisplay(paths.joined(separator: ", "))
            vi.append("đường dẫn [\(list)]")
            en.append("paths [\(list)]")
        }
        if !tags.isEmpty {
            let list = escapedForDisplay(tags.joined(separator: ", "))
            vi.append("nhãn [\(list)]")
            en.append("tags [\(list)]")
        }
        return en.isEmpty ? nil : Phrase(vi: vi.joined(separator: ", "), en: en.joined(separator: ", "))
    }

    /// Puts snapshots into groups, in the order of host, paths and tags.
    package static func groups(of snapshots: [Snapshot], by grouping: SnapshotGrouping) -> [(key: SnapshotGroupKey, snapshots: [Snapshot])] {
        var groups: [SnapshotGroupKey: [Snapshot]] = [:]
        for snapshot in snapshots { groups[SnapshotGroupKey(snapshot, grouping), default: []].append(snapshot) }
        return groups.sorted { left, right in
            let (one, other) = (left.key, right.key)
            if !one.host.utf8.elementsEqual(other.host.utf8) { return precedesBytewise(one.host, other.host) }
            if !equal(one.paths, other.paths) { return one.paths.lexicographicallyPrecedes(other.paths, by: precedesBytewise) }
            return one.tags.lexicographicallyPrecedes(other.tags, by: precedesBytewise)
        }.map { (key: $0.key, snapshots: $0.value) }
    }
}
