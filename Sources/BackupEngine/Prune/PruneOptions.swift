internal import Platform

/// What `prune` may rewrite, and how much waste it may leave.
package struct PruneOptions: Sendable, Hashable {
    /// Unused bytes that may stay in partly used packs.
    package enum UnusedLimit: Sendable, Hashable {
        case unlimited
        /// Share of the whole repository, 0 to below 100.
        case percent(Double)
        case bytes(UInt64)

        /// Reads restic's form: `unlimited`, `5%`, `10G`.
        package init(_ text: String) throws(RepositoryError) {
            if text == "unlimited" {
                self = .unlimited
            } else if text.hasSuffix("%") {
                guard let percent = Double(text.dropLast()), percent >= 0, percent < 100 else {
                    let shown = escapedForDisplay(text)
                    throw RepositoryError(
                        .invalidArgument, Phrase(vi: "tỷ lệ không hợp lệ: '\(shown)'", en: "invalid percentage '\(shown)'"),
                        hint: Phrase(vi: "từ 0% đến dưới 100%", en: "from 0% to below 100%"))
                }
                self = .percent(percent)
            } else {
                self = .bytes(try PruneOptions.size(text))
            }
        }

        func bytes(used: UInt64) -> UInt64 {
            switch self {
            case .unlimited: .max
            case .percent(let percent): UInt64(min(percent / (100 - percent) * Double(used), 9e18))
            case .bytes(let bytes): bytes
            }
        }
    }

    package var unusedLimit = UnusedLimit.percent(5)
    /// Stops repacking before so many bytes were rewritten.
    package var repackLimitBytes = UInt64.max
    /// Leaves data packs alone.
    package var repacksCacheableOnly = false
    /// Rewrites every pack with blobs that were stored without compression.
    package var repacksUncompressed = false
    /// Fully used packs below this size are joined; by default 0.8 times the larger of 4 MiB and the third percentile of all sizes.
    package var smallPackBytes: UInt64?
    /// Frees space in a full repository: repacks nothing, removes the index before the packs, writes it anew at the end.
    /// A run that dies in between needs `repair index`.
    package var recoversFullStorage = false

    package init() {}

    /// A number of bytes with restic's suffixes b, k, m, g, t (powers of 1024).
    package static func size(_ text: String) throws(RepositoryError) -> UInt64 {
        var digits = text[...]
        var unit: UInt64 = 1
        switch text.last {
        case "b", "B": digits = text.dropLast()
        case "k", "K": (digits, unit) = (text.dropLast(), 1 << 10)
        case "m", "M": (digits, unit) = (text.dropLast(), 1 << 20)
        case "g", "G": (digits, unit) = (text.dropLast(), 1 << 30)
        case "t", "T": (digits, unit) = (text.dropLast(), 1 << 40)
        default: break
        }
        let product = UInt64(digits).map { $0.multipliedReportingOverflow(by: unit) }
        guard let product, !product.overflow, product.partialValue <= UInt64(Int64.max) else {
            let shown = escapedForDisplay(text)
            throw RepositoryError(
                .invalidArgument, Phrase(vi: "kích thước không hợp lệ: '\(shown)'", en: "invalid size '\(shown)'"),
                hint: Phrase(vi: "một số, có thể kèm K, M, G, T", en: "a number, with K, M, G or T after it"))
        }
        return product.partialValue
    }
}
