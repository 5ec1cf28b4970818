internal import CZstd

/// How much work a compressor puts into a frame.
package enum ZstdEffort: Sendable, Hashable {
    /// 1...19, zstd's own scale.
    case level(Int32)
    /// Level 3, but for inputs above 128 KiB parameters that were measured: on programs, text and dumps of databases as small as
    /// level 3 within a percent, in less time. See docs/decisions/0012-backup-pipeline.md.
    case ordinary

    static let largeInputBytes = 128 * 1024

    /// The parameters for an input of this size.
    func parameters(for bytes: Int) -> [(ZSTD_cParameter, Int)] {
        switch self {
        case .level(let level): [(ZSTD_c_compressionLevel, Int(level))] + Self.unset
        case .ordinary:
            bytes <= Self.largeInputBytes
                ? [(ZSTD_c_compressionLevel, 3)] + Self.unset
                : [
                    (ZSTD_c_compressionLevel, 2), (ZSTD_c_strategy, Int(ZSTD_dfast.rawValue)), (ZSTD_c_chainLog, 13), (ZSTD_c_hashLog, 16),
                    (ZSTD_c_minMatch, 5),
                ]
        }
    }

    /// Zero leaves a parameter to the level.
    private static let unset: [(ZSTD_cParameter, Int)] = [
        (ZSTD_c_strategy, 0), (ZSTD_c_chainLog, 0), (ZSTD_c_hashLog, 0), (ZSTD_c_minMatch, 0),
    ]
}
