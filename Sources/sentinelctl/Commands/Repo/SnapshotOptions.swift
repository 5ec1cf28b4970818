internal import ArgumentParser
internal import BackupEngine
internal import Platform

/// Which snapshot a command is about.
struct SnapshotOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            help(
                "Mã bản sao lưu (vài ký tự đầu) hoặc 'latest'; thêm ':THƯ-MỤC' để chỉ lấy một thư mục trong đó.",
                "ID of the snapshot (its first digits) or 'latest'; ':FOLDER' behind it means a directory inside.")))
    var snapshot = "latest"
    @Option(name: [.customShort("H"), .long], help: ArgumentHelp(help("'latest' của máy này.", "'latest' of this host."))) var host: [String] = []
    @Option(help: ArgumentHelp(help("'latest' có mọi nhãn này: NHÃN[,NHÃN…].", "'latest' with all these tags: TAG[,TAG…]."))) var tag: [String] = []
    @Option(help: ArgumentHelp(help("'latest' của đường dẫn này.", "'latest' of this path."))) var path: [String] = []

    var reference: SnapshotReference { SnapshotReference(snapshot) }
    var filter: SnapshotFilter { snapshotFilter(host: host, tag: tag, path: path) }

    /// The snapshot and the directory in it; the index is loaded.
    func open(in repository: Repository) throws -> (snapshot: Snapshot, tree: Digest) {
        let snapshot = try repository.findSnapshot(reference.snapshot, filter: filter)
        try repository.loadIndex()
        return (snapshot, try TreeWalker(repository: repository).tree(at: reference.subfolder, in: snapshot))
    }
}

/// Which snapshots a command works on: all that match, or those named.
struct SnapshotsOptions: ParsableArguments {
    @Option(name: [.customShort("H"), .long], help: ArgumentHelp(help("Chỉ máy này (hoặc RESTIC_HOST).", "Only this host (or RESTIC_HOST).")))
    var host: [String] = []
    @Option(help: ArgumentHelp(help("Chỉ các bản có mọi nhãn này: NHÃN[,NHÃN…].", "Only snapshots with all these tags: TAG[,TAG…]."))) var tag: [String] = []
    @Option(help: ArgumentHelp(help("Chỉ các bản có đường dẫn này.", "Only snapshots of this path."))) var path: [String] = []

    var filter: SnapshotFilter { snapshotFilter(host: host, tag: tag, path: path) }
}

/// restic's rules: RESTIC_HOST counts unless `--host` is given, `--host ''` undoes it; white space around a tag is not part of it.
private func snapshotFilter(host: [String], tag: [String], path: [String]) -> SnapshotFilter {
    var hosts = host
    if hosts.isEmpty, let name = environmentValue("RESTIC_HOST"), !name.isEmpty { hosts = [name] }
    if hosts == [""] { hosts = [] }
    let tagLists = tag.map { list in
        list.split(separator: ",", omittingEmptySubsequences: false).map { part in
            String(part.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        }
    }
    return SnapshotFilter(hosts: hosts, paths: path, tagLists: tagLists)
}
