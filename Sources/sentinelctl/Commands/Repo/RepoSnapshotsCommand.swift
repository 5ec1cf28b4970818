internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoSnapshotsCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots", abstract: help("Liệt kê các bản sao lưu.", "List the snapshots."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var filter: SnapshotsOptions
    @Flag(name: [.customShort("c"), .long], help: ArgumentHelp(help("Bảng gọn.", "A compact table."))) var compact = false
    @Option(help: ArgumentHelp(help("Chỉ n bản mới nhất của mỗi máy và đường dẫn.", "Only the newest n for each host and paths."))) var latest: Int?
    @Option(name: [.customShort("g"), .long], help: ArgumentHelp(help("Nhóm theo host, paths, tags.", "Group by host, paths, tags."))) var groupBy: String?
    @Argument(help: ArgumentHelp(help("Mã các bản sao lưu hoặc 'latest'; không nêu: tất cả.", "IDs of snapshots or 'latest'; without any: all.")))
    var snapshots: [String] = []

    private struct Group {
        let host: String
        let paths, tags: [String]
        var snapshots: [Snapshot]
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        let fields = try Self.fields(groupBy ?? "")
        if let latest, latest < 1 { throw CommandFailure(vi: "--latest cần một số dương", en: "--latest needs a positive number") }
        let opened = try await repository.open()
        var selected = try repository.withReadLock(opened) {
            try opened.selectSnapshots(snapshots.map { SnapshotReference($0).snapshot }, filter: filter.filter)
        }
        selected.sort { ($0.time, $0.id) < ($1.time, $1.id) }
        let groups = Self.groups(selected, fields).map { group in
            var group = group
            if let latest {
                // As restic: of each host and paths, whatever the groups are.
                let kept = Self.groups(group.snapshots, ["host", "paths"]).flatMap { $0.snapshots.suffix(latest) }
                group.snapshots = group.snapshots.filter { snapshot in kept.contains { $0.id == snapshot.id } }
            }
            return group
        }
        if interface.isJSON {
            interface.line(groupBy == nil ? Self.array(groups.flatMap(\.snapshots)) : "[\(try groups.map(Self.json).joined(separator: ","))]")
            return .success
        }
        for group in groups {
            if groupBy != nil { interface.line(title(group, interface)) }
            show(group.snapshots, interface)
        }
        return .success
    }

    private static func fields(_ text: String) throws -> Set<String> {
        var fields: Set<String> = []
        for word in text.split(separator: ",") {
            switch word {
            case "host", "hosts": fields.insert("host")
            case "path", "paths": fields.insert("paths")
            case "tag", "tags": fields.insert("tags")
            default:
                throw CommandFailure(
                    vi: "không nhóm được theo '\(escapedForDisplay(String(word)))'", en: "unknown grouping '\(escapedForDisplay(String(word)))'",
                    hint: Phrase(vi: "dùng host, paths, tags", en: "use host, paths, tags"))
            }
        }
        return fields
    }

    private static func groups(_ snapshots: [Snapshot], _ fields: Set<String>) -> [Group] {
        var groups: [[[String]]: Group] = [:]
        for snapshot in snapshots {
            let host = fields.contains("host") ? snapshot.hostname : ""
            let paths = fields.contains("paths") ? snapshot.paths.sorted() : []
            let tags = fields.contains("tags") ? snapshot.tags.sorted() : []
            groups[[[host], paths, tags], default: Group(host: host, paths: paths, tags: tags, snapshots: [])].snapshots.append(snapshot)
        }
        return groups.sorted { left, right in
            left.key.lexicographicallyPrecedes(right.key) { $0.lexicographicallyPrecedes($1) }
        }.map(\.value)
    }

    private struct GroupKey: Encodable {
        let hostname: String
        let paths, tags: [String]?

        private enum CodingKeys: CodingKey { case hostname, paths, tags }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(hostname, forKey: .hostname)
            // restic says null, not nothing.
            try container.encode(paths, forKey: .paths)
            try container.encode(tags, forKey: .tags)
        }
    }

    private static func array(_ snapshots: [Snapshot]) -> String { "[\(snapshots.map { NodeText.element($0) }.joined(separator: ","))]" }

    private static func json(_ group: Group) throws -> String {
        let key = GroupKey(hostname: group.host, paths: group.paths.isEmpty ? nil : group.paths, tags: group.tags.isEmpty ? nil : group.tags)
        return "{\"group_key\":\(try jsonText(key)),\"snapshots\":\(array(group.snapshots))}"
    }

    private func title(_ group: Group, _ interface: Interface) -> String {
        var parts: [String] = []
        if !group.host.isEmpty { parts.append("\(interface("máy", "host")) \(escapedForDisplay(group.host))") }
        if !group.paths.isEmpty { parts.append("\(interface("đường dẫn", "paths")) \(escapedForDisplay(group.paths.joined(separator: ", ")))") }
        if !group.tags.isEmpty { parts.append("\(interface("nhãn", "tags")) \(escapedForDisplay(group.tags.joined(separator: ", ")))") }
        return parts.isEmpty ? interface("Tất cả:", "All:") : parts.joined(separator: "; ") + ":"
    }

    private func show(_ snapshots: [Snapshot], _ interface: Interface) {
        var header = ["ID", interface("Thời điểm", "Time"), interface("Máy", "Host"), interface("Nhãn", "Tags")]
        if !compact { header += [interface("Kích thước", "Size"), interface("Đường dẫn", "Paths")] }
        interface.table(
            header,
            snapshots.map { snapshot in
                var row = [
                    snapshot.id.short, CivilTime(local: snapshot.time).display, escapedForDisplay(snapshot.hostname),
                    escapedForDisplay(snapshot.tags.joined(separator: ",")),
                ]
                if !compact {
                    row.append(snapshot.summary.map { sizeText($0.totalBytesProcessed) } ?? "")
                    row.append(escapedForDisplay(snapshot.paths.joined(separator: " ")))
                }
                return row
            })
        interface.line(interface("\(snapshots.count) bản sao lưu", "\(snapshots.count) snapshots"))
    }
}
