internal import ArgumentParser
internal import BackupEngine
internal import Platform

/// restic's options on what `prune` may rewrite.
struct PruneSelectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            help("Phần không dùng được phép để lại: 5%, 10G hoặc 'unlimited'.", "Unused data that may stay: 5%, 10G or 'unlimited'.")))
    var maxUnused = "5%"
    @Option(help: ArgumentHelp(help("Chỉ đóng gói lại đến chừng này (K, M, G, T).", "Stop after repacking this much (K, M, G, T)."))) var maxRepackSize: String?
    @Flag(help: ArgumentHelp(help("Chỉ đóng gói lại các gói mục lục.", "Only repack packs of trees."))) var repackCacheableOnly = false
    @Flag(help: ArgumentHelp(help("Có sẵn: gói nhỏ luôn được gộp.", "No effect: small packs are always joined."))) var repackSmall = false
    @Option(help: ArgumentHelp(help("Gộp các gói nhỏ hơn cỡ này.", "Join packs below this size."))) var repackSmallerThan: String?
    @Flag(help: ArgumentHelp(help("Nén lại mọi dữ liệu chưa nén.", "Compress everything that is not."))) var repackUncompressed = false

    func options() throws -> PruneOptions {
        var options = PruneOptions()
        options.unusedLimit = try PruneOptions.UnusedLimit(maxUnused)
        if let maxRepackSize { options.repackLimitBytes = try PruneOptions.size(maxRepackSize) }
        options.repacksCacheableOnly = repackCacheableOnly
        options.repacksUncompressed = repackUncompressed
        if let repackSmallerThan {
            let bytes = try PruneOptions.size(repackSmallerThan)
            if bytes == 0 { throw CommandFailure(vi: "--repack-smaller-than phải lớn hơn 0", en: "--repack-smaller-than must be larger than zero") }
            options.smallPackBytes = bytes
        }
        return options
    }
}
