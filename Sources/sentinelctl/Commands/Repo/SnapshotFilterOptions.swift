internal import ArgumentParser
internal import BackupEngine
internal import Platform

/// Which snapshots a command works on: all that match, or those named.
struct SnapshotFilterOptions: ParsableArguments {
    @Option(name: [.customShort("H"), .long], help: ArgumentHelp(help("Chỉ máy này (hoặc RESTIC_HOST).", "Only this host (or RESTIC_HOST).")))
    var host: [String] = []
    @Option(help: ArgumentHelp(help("Chỉ các bản có mọi nhãn này: NHÃN[,NHÃN…].", "Only snapshots with all these tags: TAG[,TAG…]."))) var tag: [String] = []
    @Option(help: ArgumentHelp(help("Chỉ các bản có đường dẫn này.", "Only snapshots of this path."))) var path: [String] = []

    var filter: SnapshotFilter { SnapshotFilter(hostOptions: host, tagOptions: tag, pathOptions: path) }
}

extension SnapshotFilter {
    /// The filter that restic's `--host`, `--tag` and `--path` mean. RESTIC_HOST counts unless `--host` is given; `--host ''` undoes it.
    init(hostOptions: [String], tagOptions: [String], pathOptions: [String]) {
        var hosts = hostOptions
        if hosts.isEmpty, let host = environmentValue("RESTIC_HOST"), !host.isEmpty { hosts = [host] }
        if hosts == [""] { hosts = [] }
        self.init(hosts: hosts, paths: pathOptions, tagLists: tagOptions.map(tagList))
    }
}

/// `a, b,c` as `[a, b, c]`: white space around a tag is not part of it.
func tagList(_ text: String) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map { part in
        String(part.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
