internal import ArgumentParser
internal import BackupEngine
internal import Platform

struct RepoFindCommand: SentinelCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: help("Tìm tệp theo mẫu, hoặc nơi dùng một khối, cây, gói.", "Find files by pattern, or what uses a blob, tree or pack."),
        discussion: help(
            "Thời điểm: '2026-11-23', '2026-11-23 15:04', '2026-11-23 15:04:05', giờ của máy này.",
            "Times: '2026-11-23', '2026-11-23 15:04', '2026-11-23 15:04:05', in this machine's zone."))

    @OptionGroup var common: CommonOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var filter: SnapshotsOptions
    @Option(name: [.customShort("O"), .long], help: ArgumentHelp(help("Sửa đổi lần cuối không trước lúc này.", "Modified not before this."))) var oldest:
        String?
    @Option(name: [.customShort("N"), .long], help: ArgumentHelp(help("Sửa đổi lần cuối không sau lúc này.", "Modified not after this."))) var newest: String?
    @Option(
        name: [.customShort("s"), .long], help: ArgumentHelp(help("Chỉ tìm trong bản sao lưu này (lặp lại được).", "Search this snapshot only (repeatable).")))
    var snapshot: [String] = []
    @Flag(help: ArgumentHelp(help("Mẫu là mã khối.", "The patterns are IDs of blobs."))) var blob = false
    @Flag(help: ArgumentHelp(help("Mẫu là mã cây.", "The patterns are IDs of trees."))) var tree = false
    @Flag(help: ArgumentHelp(help("Mẫu là mã gói.", "The patterns are IDs of packs."))) var pack = false
    @Flag(help: ArgumentHelp(help("Nêu cả gói chứa khối hoặc cây.", "Name the packs that hold the blobs or trees, too."))) var showPackId = false
    @Flag(name: [.customShort("i"), .long], help: ArgumentHelp(help("Không phân biệt hoa thường.", "Ignore case."))) var ignoreCase = false
    @Flag(name: [.customShort("R"), .long], help: ArgumentHelp(help("Bản cũ nhất trước.", "Oldest snapshot first."))) var reverse = false
    @Flag(name: [.customShort("l"), .long], help: ArgumentHelp(help("Kèm quyền, chủ, kích thước, thời gian.", "With mode, owner, size and time."))) var long =
        false
    @Flag(help: ArgumentHelp(help("Kích thước dễ đọc.", "Sizes for people."))) var humanReadable = false
    @Argument(help: ArgumentHelp(help("Mẫu hoặc mã.", "Patterns, or IDs."))) var patterns: [String]

    private struct Found: Encodable {
        let object_type, id, path: String
        let parent_tree: String?
        let snapshot, time: String
    }

    func execute(_ interface: Interface) async throws -> Int32 {
        if [blob, tree, pack].filter({ $0 }).count > 1 {
            throw CommandFailure(vi: "chỉ dùng một trong --blob, --tree, --pack", en: "only one of --blob, --tree, --pack")
        }
        let (oldest, newest) = (try oldest.map(Self.time), try newest.map(Self.time))
        if let oldest, let newest, oldest > newest {
            throw CommandFailure(vi: "--oldest phải trước --newest", en: "--oldest must be before --newest")
        }
        let opened = try await repository.open()
        return try repository.withReadLock(opened) {
            let selected = try opened.selectSnapshots(snapshot.map { SnapshotReference($0).snapshot }, filter: filter.filter)
            let snapshots = selected.sorted { reverse ? $0.time < $1.time : $0.time > $1.time }
            try opened.loadIndex()
            if blob || tree || pack {
                try findObjects(opened, snapshots, interface)
            } else {
                try findNames(opened, snapshots, oldest, newest, interface)
            }
            return .success
        }
    }

    // MARK: Names

    private func findNames(
        _ repository: Repository, _ snapshots: [Snapshot], _ oldest: Timestamp?, _ newest: Timestamp?, _ interface: Interface
    ) throws {
        let wanted = try PathPatterns(ignoreCase ? patterns.map { $0.lowercased() } : patterns)
        var results: [String] = []
        for snapshot in snapshots {
            var matches: [String] = []
            var isFirst = true
            try SnapshotWalk(repository: repository).run(snapshot.tree) { (entry) throws(RepositoryError) in
                let node = entry.node
                let components = ignoreCase ? entry.path.lowercased.components : entry.path.components
                let step: SnapshotWalk.Step = node.kind == .dir && !wanted.mayMatchBelow(components) && !wanted.matches(components) ? .pass : .enter
                guard wanted.matches(components) else { return step }
                if let oldest, node.modified < oldest { return step }
                if let newest, node.modified > newest { return step }
                if interface.isJSON {
                    matches.append(NodeText.match(entry.path, node))
                    return step
                }
                if isFirst {
                    if !results.isEmpty { interface.line() }
                    results.append("")
                    interface.line(
                        interface(
                            "Tìm thấy trong bản sao lưu \(snapshot.id.short) lúc \(CivilTime(local: snapshot.time).display):",
                            "Found in snapshot \(snapshot.id.short) of \(CivilTime(local: snapshot.time).display):"))
                    isFirst = false
                }
                let size = node.kind == .file ? node.size : 0
                interface.line(
                    long ? NodeText.long(entry.path, node, size: humanReadable ? sizeText(size) : String(size)) : entry.path.description)
                return step
            } unreadable: { (path, tree, error) throws(RepositoryError) in
                interface.warn(
                    "\(interface("lỗi", "error")): \(snapshot.id.short) \(path): \(interface("cây", "tree")) \(tree.short): \(interface.text(error.message))")
            }
            if !matches.isEmpty {
                results.append("{\"matches\":[\(matches.joined(separator: ","))],\"hits\":\(matches.count),\"snapshot\":\"\(snapshot.id.hex)\"}")
            }
        }
        if interface.isJSON { interface.line("[\(results.joined(separator: ","))]") }
    }

    // MARK: Blobs, trees and packs

    private func findObjects(_ repository: Repository, _ snapshots: [Snapshot], _ interface: Interface) throws {
        var blobs: Set<Digest> = []
        var trees: Set<Digest> = []
        if pack {
            for pattern in patterns {
                let found = repository.indexedPacks().filter { $0.id.hex.hasPrefix(pattern.lowercased()) }
                var entries = found.flatMap(\.entries)
                if found.isEmpty { entries = try repository.readPackHeader(try repository.findFile(.pack, pattern)) }
                for entry in entries { if entry.type == .data { blobs.insert(entry.id) } else { trees.insert(entry.id) } }
            }
        } else {
            let prefixes = patterns.map { $0.lowercased() }
            for entry in repository.indexedPacks().lazy.flatMap(\.entries) where entry.type == (blob ? .data : .tree) {
                let text = entry.id.hex
                guard prefixes.contains(where: { text.hasPrefix($0) }) else { continue }
                if blob { blobs.insert(entry.id) } else { trees.insert(entry.id) }
            }
        }
        var lines: [String] = []
        for snapshot in snapshots {
            func report(_ kind: String, _ id: Digest, _ path: FilePath, _ parent: Digest?) {
                if interface.isJSON {
                    let found = Found(
                        object_type: kind, id: id.hex, path: path.utf8 ?? path.description, parent_tree: parent?.hex, snapshot: snapshot.id.hex,
                        time: snapshot.time.rfc3339Local)
                    if let line = try? jsonText(found) { lines.append(line) }
                    return
                }
                interface.line(interface("Tìm thấy \(kind == "blob" ? "khối" : "cây") \(id.hex)", "Found \(kind) \(id.hex)"))
                if let parent {
                    interface.line(interface(" ... trong tệp \(path)", " ... in file \(path)"))
                    interface.line(interface("     (cây \(parent.hex))", "     (tree \(parent.hex))"))
                } else {
                    interface.line(interface(" ... đường dẫn \(path)", " ... path \(path)"))
                }
                interface.line(
                    interface(
                        " ... trong bản sao lưu \(snapshot.id.short) (\(CivilTime(local: snapshot.time).display))",
                        " ... in snapshot \(snapshot.id.short) (\(CivilTime(local: snapshot.time).display))"))
            }
            if trees.contains(snapshot.tree) { report("tree", snapshot.tree, "/", nil) }
            try SnapshotWalk(repository: repository).run(snapshot.tree) { (entry) throws(RepositoryError) in
                if let subtree = entry.node.subtree, trees.contains(subtree) { report("tree", subtree, entry.path, nil) }
                for id in entry.node.content ?? [] where blobs.contains(id) { report("blob", id, entry.path, entry.tree) }
                return .enter
            } unreadable: { (path, tree, error) throws(RepositoryError) in
                interface.warn("\(interface("lỗi", "error")): \(snapshot.id.short) \(path): \(interface.text(error.message))")
            }
        }
        if interface.isJSON { interface.line("[\(lines.joined(separator: ","))]") }
        if showPackId { showPacks(repository, blobs, trees, interface) }
    }

    private func showPacks(_ repository: Repository, _ blobs: Set<Digest>, _ trees: Set<Digest>, _ interface: Interface) {
        for (type, ids) in [(BlobType.data, blobs), (BlobType.tree, trees)] {
            for id in ids.sorted() {
                for place in repository.locations(of: type, id) {
                    let line = interface(
                        "\(type.name) \(id.hex) nằm trong gói \(place.pack.hex), byte \(place.offset), dài \(place.length)",
                        "\(type.name) \(id.hex) lies in pack \(place.pack.hex), byte \(place.offset), length \(place.length)")
                    // JSON has standard output for itself.
                    if interface.isJSON { interface.warn(line) } else { interface.line(line) }
                }
            }
        }
    }

    /// The forms that restic takes, in this machine's zone where they name none.
    private static func time(_ text: String) throws -> Timestamp {
        let parts = text.split(separator: " ")
        var date = parts.first.map { $0.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) } } ?? []
        if date.count == 1 { date = (parts.first?.split(separator: ".").map { Int($0) } ?? []).reversed() }
        let clock = parts.count > 1 ? parts[1].split(separator: ":").map { Int($0) } : [0, 0, 0]
        if date.count == 3, clock.count >= 2, clock.count <= 3, parts.count <= 3, let year = date[0], let month = date[1], let day = date[2],
            let hour = clock[0], let minute = clock[1], let second = clock.count > 2 ? clock[2] : 0,
            (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        {
            let days = daysSinceEpoch(year: year, month: month, day: day)
            let local = Int64(days) * 86400 + Int64(hour * 3600 + minute * 60 + second)
            if parts.count == 3 {
                if let offset = zoneOffset(String(parts[2])) { return Timestamp(seconds: local - Int64(offset)) }
            } else {
                // The offset of that moment, found at the moment guessed with the offset of UTC.
                let guess = CivilTime(local: Timestamp(seconds: local)).offsetSeconds
                let offset = CivilTime(local: Timestamp(seconds: local - Int64(guess))).offsetSeconds
                return Timestamp(seconds: local - Int64(offset))
            }
        }
        if let moment = Timestamp(rfc3339: text) { return moment }
        throw CommandFailure(
            vi: "không hiểu thời điểm '\(escapedForDisplay(text))'", en: "not a time: '\(escapedForDisplay(text))'",
            hint: Phrase(vi: "ví dụ: '2026-11-23 15:04'", en: "for example: '2026-11-23 15:04'"))
    }

    private static func zoneOffset(_ text: String) -> Int? {
        if text == "UTC" || text == "GMT" { return 0 }
        guard text.count == 5, let sign = text.first, sign == "+" || sign == "-", let value = Int(text.dropFirst()) else { return nil }
        return (sign == "-" ? -1 : 1) * (value / 100 * 3600 + value % 100 * 60)
    }
}
