internal import ArgumentParser
internal import BackupEngine
internal import Platform

/// How blobs are compressed and packed: restic's options and variables.
struct WriteOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            help(
                "Mức nén: auto, off, max, fastest, better (hoặc RESTIC_COMPRESSION).",
                "Compression: auto, off, max, fastest, better (or RESTIC_COMPRESSION).")))
    var compression: String?
    @Option(
        help: ArgumentHelp(
            help("Cỡ pack, 4 đến 128 MiB (hoặc RESTIC_PACK_SIZE; mặc định 16).", "Size of packs, 4 to 128 MiB (or RESTIC_PACK_SIZE; default 16).")))
    var packSize: Int?

    func settings() throws -> WriteSettings {
        var settings = WriteSettings()
        if let name = compression ?? nonEmpty("RESTIC_COMPRESSION") {
            guard let compression = Compression(rawValue: name) else {
                throw CommandFailure(
                    vi: "mức nén '\(escapedForDisplay(name))' không có", en: "there is no compression '\(escapedForDisplay(name))'",
                    hint: Phrase(verbatim: Compression.allCases.map(\.rawValue).joined(separator: ", ")))
            }
            settings.compression = compression
        }
        if let text = packSize.map(String.init) ?? nonEmpty("RESTIC_PACK_SIZE") {
            let range = WriteSettings.packSizeRangeMiB
            guard let size = Int(text), size == 0 || range.contains(size) else {
                throw CommandFailure(
                    vi: "cỡ pack phải từ \(range.lowerBound) đến \(range.upperBound) MiB",
                    en: "the pack size must be \(range.lowerBound) to \(range.upperBound) MiB")
            }
            if size != 0 { settings.packSizeBytes = size << 20 }
        }
        return settings
    }

    private func nonEmpty(_ variable: String) -> String? { environmentValue(variable).flatMap { $0.isEmpty ? nil : $0 } }
}
